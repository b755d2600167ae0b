// What clients and homes say of probes and homes, and what the database keeps of leaks: any bytes.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "control/homes.h"
#include "control/leak_row.h"
#include "control/probe_request.h"
#include "escape/config.h"

using namespace beaconry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Timestamp now{std::chrono::seconds{1'800'000'000}};
  KeptProbe control;
  if (read_control(text, control) && control.control == ControlKind::path &&
      control.control_port == 0) {
    std::abort();
  }
  if (const auto home = Homes::parse(text)) {
    if (home->addresses.size() > Homes::kMostAddresses || home->zone.size() > 120) std::abort();
  }
  if (const auto leak = leak_from_row(text)) {
    if (!leak_from_row(leak_row(*leak))) std::abort();
  }
  auto probe = read_probe_request(text, now);
  if (!probe) return 0;
  if (probe->end && *probe->end <= now) std::abort();
  // What is taken is what a probe reads.
  static const auto database = std::move(Database::open("").value());
  static const auto known = std::move(Probes::open(*database).value());
  probe->peers.clear();
  KeptHome home;
  home.box_public = PartyKeys(Key32{1}).box_public();
  home.addresses = {IpAddress::v4(0xcb00710a)};
  const auto line = probe_line(*probe, Key32{2}, home, *known);
  if (line && !ProbeConfig::parse(*line, "the line")) std::abort();
  return 0;
}
