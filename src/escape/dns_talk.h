#pragma once
#include "escape/dns_query.h"

namespace beaconry {

// A question that carries the try's ping in its name, asked by UDP, and by TCP where the answer was
// cut short. Once home's answer has come, a second question with a new name says so (leg 3). What
// does not fit id, port, server and question is nothing to it.
class DnsTalk : public Conversation {
 public:
  enum class Answers : std::uint8_t {
    one,   // from the server asked: the first that fits the question ends the talk
    many,  // from anybody: until the time is up
  };
  // Sends a query from our port.
  using Send = bool (*)(Wire& wire, std::uint16_t port, ByteView query);
  DnsTalk(Send send, Answers answers) : send_(send), answers_(answers) {}

  void begin(Wire& wire) override;
  bool arrived(Wire& wire, const Arrival& arrival) override;
  void connected(Wire& wire) override;
  void received(Wire& wire, ByteView stream) override;
  void closed(Wire&, std::string_view) override { finish(); }
  void timed_out(Wire& wire) override { end(wire); }

 private:
  bool ask(Wire& wire);  // false: it cannot be asked
  void take(Wire& wire, const DnsAnswer& answer);
  void end(Wire& wire);

  Send send_;
  Answers answers_;
  DnsQuestion question_;
  std::uint16_t port_ = 0;
  bool over_tcp_ = false;
  Bytes stream_;
};

constexpr DnsType kPingTypes[] = {kDnsTxt, kDnsAaaa, kDnsCname, kDnsA};

}  // namespace beaconry
