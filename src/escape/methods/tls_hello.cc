#include <algorithm>
#include <iterator>

#include "escape/client_hello.h"
#include "escape/places.h"
#include "escape/reply_search.h"

namespace beaconry {
namespace {

// Where TLS is expected, and inspected.
constexpr std::uint16_t kPorts[] = {443, 8443, 993, 995, 465, 853, 636, 990, 5061, 8883, 9443};
constexpr std::size_t kCommonPorts = 2;  // of the short cycle

std::vector<Target> targets(const Scope& scope) {
  const std::size_t ports = scope.cycle == CycleKind::long_cycle ? std::size(kPorts) : kCommonPorts;
  return homes_at(scope, std::span(kPorts).first(ports));
}

TargetCount count(const Scope& scope) {
  if (std::string why = why_no_name(scope); !why.empty()) return {0, std::move(why)};
  const std::uint64_t number = targets(scope).size();
  return {number, number == 0 ? kNoFamily : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

// The proof that home puts into the random of its ServerHello: its first half.
constexpr std::size_t kMostStream = 1024;

class Hello : public Conversation {
 public:
  void begin(Wire& wire) override {
    wire.connect(wire.current().target.destination, wire.current().target.port);
  }
  void connected(Wire& wire) override {
    const auto name = ping_name(wire.ping(), wire.scope().config.home.zone);
    if (!name) return end(wire);
    constexpr std::string_view kProtocols[] = {"h2", "http/1.1"};
    wire.write(client_hello_record({*name, kProtocols, {}}, [&] { return wire.random(); }));
    if (wire.current().leg == Leg::confirmed) end(wire);
  }
  void received(Wire& wire, ByteView stream) override {
    const std::size_t room = kMostStream - stream_.size();
    const ByteView kept = stream.first(std::min(stream.size(), room));
    stream_.insert(stream_.end(), kept.begin(), kept.end());
    const ServerHello hello = read_server_hello(stream_);
    if (hello.status == ServerHelloStatus::needs_more) return;
    ReplyProof proof;
    std::copy_n(hello.random.begin(), proof.size(), proof.begin());
    if (hello.status != ServerHelloStatus::found || !wire.take_proof(proof)) return end(wire);
    wire.close();
    wire.connect(wire.current().target.destination, wire.current().target.port);  // leg 3
  }
  void closed(Wire&, std::string_view) override { finish(); }
  void timed_out(Wire& wire) override { end(wire); }

 private:
  void end(Wire& wire) {
    wire.close();
    finish();
  }
  Bytes stream_;
};

std::unique_ptr<Conversation> run(Wire&) {
  return std::make_unique<Hello>();
}

}  // namespace

namespace methods {
extern constinit const Method tls_hello{
    .id = MethodId::tls_hello,
    .words =
        "a TLS hello to home with a ping as its server name: one-way, also where an inspector "
        "resolves the name; two-way if the answer holds home's proof",
    .risk = Risk::none,
    .danger = "none: an ordinary beginning of TLS, which is not gone on with",
    .traits = 0,
    .needs_own_address = true,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
