// Packets as they come off a wire, from their IP header on: what home's sniffer finds in them must
// be whole and in bounds, and what is no IP packet must give nothing.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "home/packet_finds.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  // A copy of its own, so that the sanitizer sees each byte read beyond it.
  const std::unique_ptr<std::uint8_t[]> packet(new std::uint8_t[size]);
  std::copy(data, data + size, packet.get());
  const auto find = find_in_packet({packet.get(), size}, 53);
  if (!find) return 0;
  if (size < 20) std::abort();
  if (find->ping && (find->token || !is_sealed_shape(find->ping->sealed))) std::abort();
  if (!find->ping && !find->token) std::abort();
  if (find->seen.raw.empty() || find->seen.raw.size() > Observation::kMostRaw) std::abort();
  if (find->seen.source.is_v4() != find->seen.destination.is_v4() && data[0] >> 4 == 4) {
    std::abort();
  }
  return 0;
}
