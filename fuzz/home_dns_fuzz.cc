// Questions to home's DNS server, of anybody: no answer to an unknown key is much longer than its
// question, and every answer is a message that our own reader takes.
#include <cstdint>
#include <cstdlib>

#include "home/zone.h"
#include "packet/dns_message.h"

namespace beaconry {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Nobody is known: every ping is of an unknown key.
class Nobody final : public Desk {
 public:
  std::optional<Answerable> found(ByteView sealed, Observation seen) override {
    require(is_sealed_shape(sealed) && seen.raw.size() <= Observation::kMostRaw);
    return std::nullopt;
  }
  void bounced(const BounceToken&, BounceForm, Observation) override {}
  Timestamp now() const override { return now_; }
  void pass() { now_ += std::chrono::seconds{1}; }

 private:
  Timestamp now_ = kEarliest;
};

}  // namespace
}  // namespace beaconry

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  static Zone zone("z.example.net", {IpAddress::v4(0xcb00710a)});
  static Nobody desk;
  desk.pass();
  const ByteView bytes(data, size);
  Observation seen;
  seen.source = IpAddress::v4(static_cast<std::uint32_t>(size) << 8);
  for (const auto transport : {Zone::Transport::udp, Zone::Transport::tcp}) {
    const auto answer = zone.answer(bytes, transport, seen, desk);
    require(answer.has_value() || size < kDnsHeader || data[2] >> 7 == 1);
    if (!answer) continue;
    constexpr std::size_t kSoaAndOpt = 61;
    require(answer->size() <= size + kSoaAndOpt);
    require(answer->size() >= kDnsHeader && ((*answer)[2] & 0x80) != 0);
    if ((*answer)[5] == 0) continue;  // not even the question could be read
    DnsMessage message;
    require(message.parse(*answer) && message.is_response());
  }
  return 0;
}
