#pragma once
#include <cstdint>
#include <memory>

#include "home/answer_socket.h"
#include "home/receiver.h"

namespace beaconry {

// A UDP socket that datagrams to any port are steered to. Each comes with where it was sent to and
// its TTL; answers leave from there, too. One thread; never blocks.
class Datagrams {
 public:
  // AF_INET or AF_INET6. Bound on loopback: without steering nothing from outside reaches it.
  static Result<std::unique_ptr<Datagrams>> open(int family);
  virtual ~Datagrams() = default;

  virtual int descriptor() const = 0;
  virtual std::uint16_t port() const = 0;
  virtual void work(Desk& desk, AnswerSocket& answers) = 0;

  struct Counts {
    std::uint64_t packets = 0, pings = 0, answers = 0, drops = 0;
  };
  virtual const Counts& counts() const = 0;
};

// A socket of this family and type, bound on loopback to a port that is free; with that port.
struct LoopbackSocket {
  Fd socket;
  std::uint16_t port = 0;
};
Result<LoopbackSocket> open_on_loopback(int family, int type);

}  // namespace beaconry
