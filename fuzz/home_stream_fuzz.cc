// The bytes of a TCP connection to home, in pieces: a length byte, then so many. What it finds is
// shaped as a ping, it holds no more than its bound, and it answers nothing that the desk does not.
#include <cstdint>
#include <cstdlib>

#include "home/stream.h"
#include "ping/seal.h"

namespace beaconry {
namespace {

class Judge final : public Desk {
 public:
  std::optional<Answerable> found(ByteView sealed, Observation seen) override {
    if (!is_sealed_shape(sealed) || seen.raw.size() > Observation::kMostRaw) std::abort();
    ++finds;
    return std::nullopt;
  }
  void bounced(const BounceToken& /*token*/, BounceForm /*form*/, Observation /*seen*/) override {
    std::abort();
  }
  Timestamp now() const override { return Timestamp{std::chrono::seconds{1'700'000'000}}; }
  unsigned finds = 0;
};

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  Judge judge;
  Observation where;
  where.protocol = 6;
  where.destination_port = 443;
  VisitStream stream(where);
  ByteCursor input(ByteView(data, size));
  Bytes out;
  while (input.left() > 0) {
    const std::size_t length = input.u8();
    const ByteView piece = input.take(std::min(length, input.left()));
    if (!stream.take(piece, judge, out)) break;
  }
  return 0;
}
