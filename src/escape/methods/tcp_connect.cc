#include "escape/targets.h"
#include "escape/tcp_talk.h"

namespace beaconry {
namespace {

PortGrid grid(const Scope& scope) {
  return {scope,
          scope.cycle == CycleKind::long_cycle ? PortGrid::Ports::all : PortGrid::Ports::common};
}

TargetCount count(const Scope& scope) {
  const std::uint64_t targets = grid(scope).count();
  return {targets, targets == 0 ? kNoFamily : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return grid(scope).at(index);
}

std::unique_ptr<Conversation> run(Wire&) {
  return std::make_unique<TcpTalk>();
}

}  // namespace

namespace methods {
extern constinit const Method tcp_connect{
    .id = MethodId::tcp_connect,
    .words = "a TCP connection to each port of home that carries a ping: two-way if home answers",
    .risk = Risk::none,
    .danger = "none: ordinary connections, one at a time",
    .traits = 0,
    .needs_own_address = true,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
