// Frames as they come from a wire, through the parser into the flow table: a byte for the link
// type, two for the milliseconds since the last frame, one for the length, the frame. Every flow
// must end with one close, with a check-in, and no time or size may be impossible.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "flow/flow_table.h"
#include "packet/found_name.h"

namespace beaconry {
namespace {

class Judge : public FlowSink {
 public:
  void add(const FlowEvent& event) override {
    if (event.duration < Duration{0} || event.bytes_out == kUnknownBytes) std::abort();
    if (event.kind == FlowEventKind::close) ++closes;
    if (event.kind != FlowEventKind::close && !event.begins_check_in) std::abort();
    if (event.begins_check_in) ++check_ins;
    if ((event.name_kind == NameKind::none) != event.server_name.empty()) std::abort();
    if (event.server_name.size() > 255 || event.id.empty()) std::abort();
  }
  void add_host_name(const IpAddress&, std::string_view name, Timestamp) override {
    if (name.empty()) std::abort();
  }
  void add_address_name(const IpAddress&, std::string_view name, Timestamp) override {
    if (name.empty()) std::abort();
  }
  std::size_t closes = 0, check_ins = 0;
};

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  constexpr std::uint32_t kLinks[] = {kLinkEthernet, kLinkRaw,  kLinkCooked, kLinkCooked2,
                                      kLinkNull,     kLinkLoop, kLinkIpv4,   kLinkIpv6};
  Judge judge;
  FlowTable::Options options;
  options.most_flows = 64;
  FlowTable table(options, judge);
  ByteCursor input(ByteView(data, size));
  Timestamp time{std::chrono::seconds{1'700'000'000}};
  for (std::uint64_t number = 1; input.left() > 4; ++number) {
    const std::uint32_t link = kLinks[input.u8() % 8];
    time += std::chrono::milliseconds{static_cast<std::int16_t>(input.u16())};
    const std::size_t length = input.u8();
    const ByteView bytes = input.take(std::min(length, input.left()));
    // A copy of its own, so that the sanitizer sees each byte read beyond it.
    const std::unique_ptr<std::uint8_t[]> frame(new std::uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), frame.get());
    ParsedPacket packet;
    if (parse_packet(link, frame.get(), frame.get() + bytes.size(),
                     static_cast<std::uint32_t>(bytes.size() + link % 3), &packet) != kParsed) {
      continue;
    }
    if (packet.payload_captured > packet.payload_length) std::abort();
    table.add_packet(packet, time, {number, 0});
  }
  table.finish();
  if (table.flow_count() != 0 || judge.check_ins < judge.closes) std::abort();
  return 0;
}
