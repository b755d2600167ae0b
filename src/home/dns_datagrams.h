#pragma once
#include <cstdint>

#include "base/fd.h"
#include "home/receiver.h"
#include "home/zone.h"

namespace beaconry {

// One UDP socket that questions come to; answers leave from the address that was asked, of which
// it may have many. One thread; never blocks.
class DnsDatagrams {
 public:
  // `address` is ours, or unspecified for all of its family.
  static Result<DnsDatagrams> open(const IpAddress& address, std::uint16_t port);

  int descriptor() const { return socket_.get(); }
  std::uint16_t port() const { return port_; }
  void work(Zone& zone, Desk& desk);
  std::uint64_t unsent() const { return unsent_; }  // answers that the kernel did not take

 private:
  struct Beside;
  bool take(Zone& zone, Desk& desk);
  void send(const Beside& beside, Bytes answer);

  Fd socket_;
  bool is_v4_ = true;
  std::uint16_t port_ = 0;
  std::uint64_t unsent_ = 0;
};

// A socket of this type, not blocking, bound there; with the port that it got.
struct BoundSocket {
  Fd socket;
  std::uint16_t port = 0;
};
Result<BoundSocket> open_bound(const IpAddress& address, std::uint16_t port, int type);

}  // namespace beaconry
