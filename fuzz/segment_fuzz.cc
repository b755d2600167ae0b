// Any frames into what the probe hears: the segment it learns, the addresses it keeps, what it
// answers, and the look that Egress has at a frame.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "escape/frame_traits.h"
#include "escape/segment.h"
#include "escape/stack/addresses.h"
#include "escape/stack/frame.h"
#include "escape/stack/responder.h"

using namespace beaconry;  // NOLINT

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ProbeConfig config;
  config.home.zone = "t.example.org";
  InterfaceFacts facts;
  facts.mac = {{2, 0, 0, 0, 0, 9}};
  Segment segment;
  Timestamp now{std::chrono::seconds{1'795'000'000}};
  Addresses::Hooks hooks;
  hooks.emit = [&](Outgoing out) {
    // Everything that it sends by itself is housekeeping, and well-formed.
    std::vector<IpAddress> own;
    for (const auto& of : segment.own())
      own.push_back(of.address);
    require((inspect_frame(out.frame, facts.mac, own, {}).traits & kMalformed) == 0);
    out.finish({}, now);
  };
  hooks.say = [](const std::string&) {};
  hooks.random = [] { return 0x01010101U; };
  hooks.changed = [] {};
  Addresses addresses(config, facts, segment, Bytes{0, 1}, std::move(hooks));
  addresses.start(now);
  addresses.poll(now);

  // Frames, each behind its length.
  ByteCursor input(ByteView(data, size));
  while (input.left() >= 2) {
    const std::size_t length = input.u16() % 2048;
    const ByteView bytes = input.take(std::min(length, input.left()));
    now += std::chrono::milliseconds(700);
    segment.learn(bytes, now);
    if (const auto frame = read_frame(bytes)) {
      addresses.heard(*frame, now);
      if (const auto answer = answer_to(*frame, facts.mac, segment)) {
        require(answer->size() <= 14 + 40 + 8 + 1024);
      }
    }
    addresses.poll(now);
    static_cast<void>(addresses.due());
    inspect_frame(bytes, facts.mac, {}, {*Cidr::parse("10.0.1.0/24")});
    require(segment.gateways().size() <= Segment::kMostRouters);
    require(segment.resolvers().size() <= Segment::kMostResolvers);
    require(segment.own().size() <= 16);
  }
  require(segment.neighbours().size() <= Segment::kMostNeighbours);
  return 0;
}
