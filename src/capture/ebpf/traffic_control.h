#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace beaconry {

enum class TrafficDirection : std::uint8_t { ingress, egress };

// One classifier on an interface's clsact (or, for ingress, its ingress) queueing discipline.
struct TrafficFilter {
  std::uint32_t priority = 0;
  std::uint32_t handle = 0;
  std::uint16_t protocol = 0;  // network order, as the kernel has it
  std::string kind;            // "bpf", "u32", ...
  std::string name;            // of a bpf filter, as its maker called it
};

// The little of traffic control that a packet tracker needs, over rtnetlink: libbpf's own calls can
// neither list filters nor tell whose they are. Changes need CAP_NET_ADMIN. One thread.
class TrafficControl {
 public:
  enum class Discipline : std::uint8_t { none, clsact, ingress_only };

  static Result<TrafficControl> open();

  Result<Discipline> discipline(int interface);
  Result<void> add_clsact(int interface);
  Result<void> remove_clsact(int interface);

  Result<std::vector<TrafficFilter>> filters(int interface, TrafficDirection direction);
  // A direct-action bpf filter for all protocols. A priority that is taken is an error.
  Result<void> add_filter(int interface, TrafficDirection direction, std::uint32_t priority,
                          int program, const std::string& name);
  Result<void> remove_filter(int interface, TrafficDirection direction,
                             const TrafficFilter& filter);

 private:
  explicit TrafficControl(Fd socket) : socket_(std::move(socket)) {}
  class Request;

  // Sends, and hands each message of the answer's type to `take`.
  template <class Take>
  Result<void> exchange(Request& request, const char* operation, const Take& take);
  Result<void> change(Request& request, const char* operation);

  Fd socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace beaconry
