// The first byte says whether the rest is a datagram as it is, or frames that are sealed like a
// client's: chance alone never finds bytes that decrypt. A third of them go to a packet each.
#include <cstdint>

#include "packet/quic_initial.h"
#include "packet/quic_test_client.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  if (size == 0 || size > 4096) return 0;
  const ByteView rest(data + 1, size - 1);
  QuicInitialReader reader;
  if (data[0] % 4 == 0) {
    reader.add(rest);
    return 0;
  }
  const test_messages::QuicClient client{data[0] % 2 == 0};
  for (std::size_t part = 0; part < 3; ++part) {
    const ByteView frames =
        rest.subspan(rest.size() * part / 3, rest.size() * (part + 1) / 3 - rest.size() * part / 3);
    reader.add(client.seal(part, {frames.begin(), frames.end()}, 20));
  }
  return 0;
}
