#include "escape/targets.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

// Never the first fragment: ports and flags are nowhere, and who filters by them without putting
// fragments together has to guess. Variants say which one and of what.
struct FragmentForm {
  std::uint16_t offset;  // in units of 8 bytes
  bool more;
  bool tcp;
};
constexpr FragmentForm kForms[] = {
    {64, false, false},  // the last one of a datagram
    {64, true, false},   // one from its middle
    {64, false, true},   // the last one of TCP
    {1, false, true},    // so near to the beginning that flags would be in it (RFC 3128)
    {1, true, false},
};
constexpr std::size_t kShortForms = 3;

std::vector<Target> targets(const Scope& scope) {
  std::vector<Target> all;
  const std::size_t forms = scope.cycle == CycleKind::long_cycle ? std::size(kForms) : kShortForms;
  for (const IpAddress& home : reachable_homes(scope)) {
    for (std::size_t form = 0; form < forms; ++form) {
      all.push_back(
          {.destination = home, .port = 0, .variant = static_cast<std::uint8_t>(form), .via = {}});
    }
  }
  return all;
}

TargetCount count(const Scope& scope) {
  const std::uint64_t all = targets(scope).size();
  return {all, all == 0 ? kNoFamily : ""};
}

Target target(const Scope& scope, std::uint64_t index) {
  return pick(targets(scope), index);
}

std::unique_ptr<Conversation> run(Wire& wire) {
  const Target& to = wire.current().target;
  const auto source = wire.source_for(to.destination);
  if (!source || to.variant >= std::size(kForms)) return nullptr;
  const FragmentForm& form = kForms[to.variant];
  const std::uint8_t protocol = form.tcp ? kProtocolTcp : kProtocolUdp;
  Bytes data = wire.ping();
  if (form.more) data.resize((data.size() + 7) / 8 * 8);
  const std::uint32_t identification = wire.random();
  if (to.destination.is_v4()) {
    Ipv4Header header;
    header.source = *source;
    header.destination = to.destination;
    header.protocol = protocol;
    header.identification = static_cast<std::uint16_t>(identification);
    header.fragment_offset = form.offset;
    header.more_fragments = form.more;
    wire.send_ip(ipv4(header, data));
    return nullptr;
  }
  const unsigned offset = form.offset * 8U | (form.more ? 1U : 0U);
  Bytes extension{protocol,
                  0,
                  static_cast<std::uint8_t>(offset >> 8),
                  static_cast<std::uint8_t>(offset),
                  static_cast<std::uint8_t>(identification >> 24),
                  static_cast<std::uint8_t>(identification >> 16),
                  static_cast<std::uint8_t>(identification >> 8),
                  static_cast<std::uint8_t>(identification)};
  extension.insert(extension.end(), data.begin(), data.end());
  constexpr std::uint8_t kFragmentHeader = 44;
  wire.send_ip(ip(*source, to.destination, kFragmentHeader, extension));
  return nullptr;
}

}  // namespace

namespace methods {
extern constinit const Method fragment{
    .id = MethodId::fragment,
    .words =
        "a later fragment without its first (IPv4, and IPv6's fragment header): one-way past "
        "filters that put nothing together",
    .risk = Risk::medium,
    .danger = "who puts fragments together keeps each for up to a minute, waiting for the rest",
    .traits = kFragmented,
    .needs_own_address = false,
    .count = count,
    .target = target,
    .run = run,
};
}
}  // namespace beaconry
