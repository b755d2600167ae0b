#include "escape/method.h"
#include "escape/places.h"
#include "escape/reply_search.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kAllPorts = 65'535;

std::uint64_t ports_each(const Scope& scope) {
  return scope.cycle == CycleKind::long_cycle ? kAllPorts : scope.common_ports().size();
}

TargetCount count(const Scope& scope) {
  const std::uint64_t families = reachable_homes(scope).size();
  if (families == 0) return {0, "no address of home's family"};
  return {families * ports_each(scope), {}};
}

Target target(const Scope& scope, std::uint64_t index) {
  const auto homes = reachable_homes(scope);
  const std::uint64_t each = ports_each(scope), family = index / each, at = index % each;
  Target target;
  if (family < homes.size()) target.destination = homes[family];
  target.port = scope.cycle == CycleKind::long_cycle ? static_cast<std::uint16_t>(at + 1)
                                                     : scope.common_ports()[at];
  return target;
}

// A transparent proxy may complete the handshake: only home's authenticated answer counts.
class Connection : public Conversation {
 public:
  void begin(Wire& wire) override {
    wire.connect(wire.current().target.destination, wire.current().target.port);
  }
  void connected(Wire& wire) override {
    wire.write(wire.ping());
    if (wire.current().leg == Leg::confirmed) end(wire);
  }
  void received(Wire& wire, ByteView stream) override {
    if (stream_.add(wire, stream)) {
      wire.write(wire.ping());  // leg 3
      end(wire);
    } else if (stream_.exhausted()) {
      end(wire);
    }
  }
  void closed(Wire&, std::string_view) override { finish(); }
  void timed_out(Wire& wire) override { end(wire); }

 private:
  void end(Wire& wire) {
    wire.close();
    finish();
  }
  ReplyStream stream_;
};

std::unique_ptr<Conversation> run(Wire&) {
  return std::make_unique<Connection>();
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
