#pragma once
#include "escape/method.h"
#include "escape/reply_search.h"

namespace beaconry {

enum class ProxyForm : std::uint8_t {
  connect = 1,       // HTTP CONNECT to home's address
  get = 2,           // HTTP GET of an absolute URI at home's address; the ping is its path
  connect_name = 3,  // CONNECT to the ping's name: the proxy asks its resolver
  socks5 = 4,        // SOCKS 5 without authentication, to home's address
  socks4 = 5,        // IPv4 only
  socks5_name = 6,   // SOCKS 5 to the ping's name
};

// Asks one proxy for a way to home: `home` and its port are the try's destination and port. Through
// a tunnel goes the ping itself; only home's authenticated answer makes the try two-way, and then
// another ping says so (leg 3).
class ProxyTalk : public Conversation {
 public:
  ProxyTalk(const IpAddress& proxy, std::uint16_t port, ProxyForm form)
      : proxy_(proxy), port_(port), form_(form) {}

  void begin(Wire& wire) override;
  void connected(Wire& wire) override;
  void received(Wire& wire, ByteView stream) override;
  void closed(Wire&, std::string_view) override { finish(); }
  void timed_out(Wire& wire) override { end(wire); }

 private:
  enum class State : std::uint8_t { connecting, greeting, asked, open, last };

  Bytes request(Wire& wire) const;
  void read_answer(Wire& wire);
  void read_stream(Wire& wire, ByteView stream);
  void say_last(Wire& wire);
  void end(Wire& wire);

  IpAddress proxy_;
  std::uint16_t port_;
  ProxyForm form_;
  State state_ = State::connecting;
  Bytes answer_;  // of the proxy itself
  ReplyStream stream_;
};

}  // namespace beaconry
