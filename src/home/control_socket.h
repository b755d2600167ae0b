#pragma once
#include <cstdint>

#include "base/fd.h"
#include "home/receiver.h"

namespace beaconry {

// The way that the positive control takes where no path is open: two UDP sockets on loopback that
// take from each other alone, so that nobody else on the machine can feign it. One thread.
class ControlSocket {
 public:
  static Result<ControlSocket> open();

  Result<void> send(ByteView sealed);
  int descriptor() const { return in_.get(); }
  void work(Desk& desk);
  std::uint16_t port() const { return port_; }

 private:
  ControlSocket() = default;

  Fd out_, in_;
  std::uint16_t port_ = 0;
};

}  // namespace beaconry
