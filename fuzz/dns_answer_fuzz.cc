// Bytes as the answer to a question of the probe, as dns and dns-broadcast read it: as they come,
// and behind a header and question that fit, by UDP and by TCP.
#include <cstdint>
#include <cstdlib>

#include "escape/byte_writer.h"
#include "escape/dns_query.h"
#include "escape/test_wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  static const test::House house;
  static const Method& method = *find_method(MethodId::dns);
  const Target target{test::address("203.0.113.10"), kDnsPort,
                      static_cast<std::uint8_t>(size % 2 == 0 ? kDnsTxt : kDnsA),
                      test::address("10.0.1.1")};
  const ByteView bytes(data, size);
  test::TestWire wire(house);
  wire.run(method, target);
  const auto arrive = [&](ByteView message) {
    wire.arrive_udp(target.via, kDnsPort, test::address("10.0.1.9"), wire.claimed().back(),
                    message);
  };
  arrive(bytes);
  const ByteView query = wire.sent().at(0).packet().subspan(28);
  ByteWriter fitting;
  fitting.bytes(query.first(2)).u16(0x8180 | (size % 3 == 0 ? 0x0200U : 0U));
  fitting.u16(1).u16(size % 5).u16(0).u16(0);
  fitting.bytes(query.subspan(12, query.size() - 12 - 11)).bytes(bytes);
  arrive(fitting.view());
  if (!wire.connections().empty()) {
    wire.accept();
    wire.feed(ByteWriter().counted(2, fitting.view()).view());
    wire.feed(bytes);
  }
  if (wire.answered()) std::abort();  // without the key nobody answers for home
  return 0;
}
