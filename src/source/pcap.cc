#include "source/pcap.h"

#include <algorithm>
#include <cstring>

namespace beaconry {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kKuznetzov = 0xa1b2cd34;
constexpr std::size_t kFileHeader = 24;

std::uint32_t word(const std::uint8_t* at, bool swapped) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return swapped ? __builtin_bswap32(value) : value;
}

// The magic in this machine's byte order, or 0.
std::uint32_t magic_of(ByteView beginning, bool& swapped) {
  if (beginning.size() < 4) return 0;
  for (const bool other_order : {false, true}) {
    const std::uint32_t magic = word(beginning.data(), other_order);
    swapped = other_order;
    if (magic == kMicroseconds || magic == kNanoseconds || magic == kKuznetzov) return magic;
  }
  return 0;
}

class PcapReader : public CaptureReader {
 public:
  PcapReader(BlockReader blocks, std::uint32_t magic, bool swapped, ByteView header)
      : CaptureReader(std::move(blocks)),
        swapped_(swapped),
        nanoseconds_(magic == kNanoseconds),
        record_header_(magic == kKuznetzov ? 24 : 16) {
    const std::uint32_t versions = word(header.data() + 4, swapped);
    const bool low_first = swapped != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
    minor_version_ = low_first ? versions >> 16 : versions & 0xffff;
    link_type_ = word(header.data() + 20, swapped) & 0xffff;  // above: the frame check's length
  }

  CaptureStep next(RawPacket& packet) override {
    blocks_.skip(unread_);
    unread_ = 0;
    const ByteView header = blocks_.peek(record_header_);
    if (header.size() < record_header_) return stop(header.size());
    const std::uint8_t* at = header.data();
    const std::uint32_t seconds = word(at, swapped_);
    std::uint32_t fraction = word(at + 4, swapped_);
    std::uint32_t captured = word(at + 8, swapped_);
    std::uint32_t wire = word(at + 12, swapped_);
    // Files before version 2.3 have the lengths the other way about, some of 2.3 do (libpcap).
    if (minor_version_ < 3 || (minor_version_ == 3 && captured > wire)) std::swap(captured, wire);
    if (captured > kLargestPacket) {
      return fail_at(blocks_.offset(), "a packet of " + std::to_string(captured) +
                                           " bytes: the file is damaged from here on");
    }
    const ByteView record = blocks_.peek(record_header_ + captured);
    if (record.size() < record_header_ + captured) return stop(record.size());
    if (nanoseconds_) fraction /= 1000;
    packet.time = Timestamp{std::chrono::seconds{seconds} + std::chrono::microseconds{fraction}};
    packet.bytes = record.subspan(record_header_);
    packet.wire_length = std::max(wire, captured);
    packet.link_type = link_type_;
    unread_ = record.size();
    return CaptureStep::packet;
  }

 private:
  bool swapped_, nanoseconds_;
  std::size_t record_header_;
  std::uint32_t minor_version_ = 4;
  std::uint32_t link_type_ = 0;
  std::size_t unread_ = 0;  // of the packet given out last
};

}  // namespace

bool looks_like_pcap(ByteView beginning) {
  bool swapped;
  return magic_of(beginning, swapped) != 0;
}

Result<std::unique_ptr<CaptureReader>> open_pcap(BlockReader blocks) {
  std::uint8_t header[kFileHeader];
  const ByteView seen = blocks.peek(kFileHeader);
  if (seen.size() < kFileHeader) {
    if (blocks.error()) return tl::unexpected<Error>(*blocks.error());
    return fail(ErrorKind::malformed, "read", blocks.name(), "the file ends inside its header");
  }
  std::copy(seen.begin(), seen.end(), header);
  bool swapped = false;
  const std::uint32_t magic = magic_of(header, swapped);
  blocks.skip(kFileHeader);
  return std::unique_ptr<CaptureReader>(
      std::make_unique<PcapReader>(std::move(blocks), magic, swapped, header));
}

}  // namespace beaconry
