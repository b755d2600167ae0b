#include "source/pcapng.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace beaconry {
namespace {

constexpr std::uint32_t kSection = 0x0a0d0d0a;  // a palindrome: alike in both byte orders
constexpr std::uint32_t kInterface = 1, kOldPacket = 2, kSimplePacket = 3, kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;
constexpr std::size_t kMostInterfaces = 65'536;
constexpr std::size_t kMostOptionBytes = 64 << 10;  // of an interface block; the rest is not read
constexpr std::size_t kBlockOverhead = 12;          // type, length, length again

struct Interface {
  std::uint32_t link_type = 0;
  std::uint32_t snap_length = 0;
  std::uint64_t ticks_per_second = 1'000'000;
  std::int64_t offset_seconds = 0;
};

// if_tsresol: a negative power of ten, or of two if the highest bit is set.
std::uint64_t resolution(std::uint8_t value) {
  const unsigned power = value & 0x7f;
  if ((value & 0x80) != 0) return power < 64 ? std::uint64_t{1} << power : 0;
  std::uint64_t ticks = 1;
  for (unsigned i = 0; i < power; ++i) {
    if (ticks > UINT64_MAX / 10) return 0;
    ticks *= 10;
  }
  return ticks;
}

std::optional<Timestamp> to_time(std::uint64_t ticks, const Interface& interface) {
  if (interface.ticks_per_second == 0) return std::nullopt;
  const std::uint64_t whole = ticks / interface.ticks_per_second;
  const std::uint64_t rest = ticks % interface.ticks_per_second;
  constexpr std::int64_t kMost = 7'258'118'400;  // kLatest: far from where anything overflows
  if (whole > 2 * static_cast<std::uint64_t>(kMost)) return std::nullopt;
  if (interface.offset_seconds > kMost || interface.offset_seconds < -2 * kMost) {
    return std::nullopt;
  }
  const auto micros = static_cast<std::int64_t>(static_cast<unsigned __int128>(rest) * 1'000'000 /
                                                interface.ticks_per_second);
  const Timestamp time{
      std::chrono::seconds{static_cast<std::int64_t>(whole) + interface.offset_seconds} +
      std::chrono::microseconds{micros}};
  if (time < kEarliest || time > kLatest) return std::nullopt;
  return time;
}

class PcapngReader : public CaptureReader {
 public:
  explicit PcapngReader(BlockReader blocks) : CaptureReader(std::move(blocks)) {}

  CaptureStep next(RawPacket& packet) override;
  // Reads the first block, which must be a section's header.
  CaptureStep begin();

 private:
  std::uint16_t u16(const std::uint8_t* at) const {
    std::uint16_t value;
    std::memcpy(&value, at, sizeof value);
    return swapped_ ? __builtin_bswap16(value) : value;
  }
  std::uint32_t u32(const std::uint8_t* at) const {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  std::uint64_t u64(const std::uint8_t* at) const {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return swapped_ ? __builtin_bswap64(value) : value;
  }

  // One block: its packet, or `end` after one that is none.
  CaptureStep read_block(RawPacket& packet, bool& is_packet);
  CaptureStep read_section(ByteView header);
  CaptureStep read_interface(std::uint32_t length);
  CaptureStep read_packet(std::uint32_t type, std::uint32_t length, RawPacket& packet);
  CaptureStep finish_block();
  void read_options(ByteView options, Interface& interface) const;

  bool swapped_ = false;
  std::vector<Interface> interfaces_;
  std::uint64_t block_end_ = 0;     // of the packet's block given out last
  std::uint32_t block_length_ = 0;  // 0: no block is open
};

// Goes to the open block's end and checks that its length stands there again.
CaptureStep PcapngReader::finish_block() {
  if (block_length_ == 0) return CaptureStep::packet;
  const std::uint32_t length = block_length_;
  block_length_ = 0;
  if (!blocks_.skip(block_end_ - 4 - blocks_.offset())) return stop(1);
  const ByteView trailer = blocks_.peek(4);
  if (trailer.size() < 4) return stop(1);
  if (u32(trailer.data()) != length) {
    return fail_at(blocks_.offset(),
                   "a block's two lengths differ: the file is damaged from here on");
  }
  blocks_.skip(4);
  return CaptureStep::packet;
}

CaptureStep PcapngReader::read_section(ByteView header) {
  // Type, length, byte-order magic, versions: the order must be known before the length is read.
  swapped_ = false;
  if (u32(header.data() + 8) != kByteOrder) {
    swapped_ = true;
    if (u32(header.data() + 8) != kByteOrder) {
      return fail_at(blocks_.offset(), "a section without a byte order");
    }
  }
  if (u16(header.data() + 12) != 1) {
    return fail_at(blocks_.offset(), "a section of an unknown version");
  }
  interfaces_.clear();
  return CaptureStep::packet;
}

void PcapngReader::read_options(ByteView options, Interface& interface) const {
  constexpr std::uint16_t kEnd = 0, kResolution = 9, kOffset = 14;
  while (options.size() >= 4) {
    const std::uint16_t code = u16(options.data());
    const std::size_t size = u16(options.data() + 2);
    options = options.subspan(4);
    if (code == kEnd || size > options.size()) return;
    if (code == kResolution && size == 1) {
      interface.ticks_per_second = resolution(options[0]);
    } else if (code == kOffset && size == 8) {
      interface.offset_seconds = static_cast<std::int64_t>(u64(options.data()));
    }
    options = options.subspan(std::min(options.size(), (size + 3) / 4 * 4));
  }
}

CaptureStep PcapngReader::read_interface(std::uint32_t length) {
  const std::size_t size = std::min<std::size_t>(length - kBlockOverhead, 8 + kMostOptionBytes);
  const ByteView block = blocks_.peek(8 + size);
  if (block.size() < 8 + size) return stop(block.size());
  if (size < 8) return fail_at(blocks_.offset(), "an interface description that is too short");
  if (interfaces_.size() >= kMostInterfaces) {
    return fail_at(blocks_.offset(), "more than 65,536 interfaces");
  }
  Interface interface;
  interface.link_type = u16(block.data() + 8);
  interface.snap_length = u32(block.data() + 12);
  read_options(block.subspan(16), interface);
  interfaces_.push_back(interface);
  return CaptureStep::packet;
}

CaptureStep PcapngReader::read_packet(std::uint32_t type, std::uint32_t length, RawPacket& packet) {
  const std::size_t fixed = type == kSimplePacket ? 12 : 28;  // type and length included
  const ByteView header = blocks_.peek(fixed);
  if (header.size() < fixed) return stop(header.size());
  const std::uint8_t* at = header.data();
  if (length < fixed + 4) return fail_at(blocks_.offset(), "a packet block that is too short");

  std::uint32_t number = 0, captured = 0;
  std::uint64_t ticks = 0;
  if (type == kSimplePacket) {
    packet.wire_length = captured = u32(at + 8);
  } else {
    number = type == kOldPacket ? u16(at + 8) : u32(at + 8);
    ticks = static_cast<std::uint64_t>(u32(at + 12)) << 32 | u32(at + 16);
    captured = u32(at + 20);
    packet.wire_length = u32(at + 24);
  }
  if (number >= interfaces_.size()) {
    return fail_at(blocks_.offset(), "a packet of an interface that was not described");
  }
  const Interface& interface = interfaces_[number];
  if (type == kSimplePacket) {
    captured = std::min<std::uint32_t>(captured, length - static_cast<std::uint32_t>(fixed) - 4);
    if (interface.snap_length != 0) captured = std::min(captured, interface.snap_length);
  }
  if (captured > kLargestPacket || captured > length - fixed - 4) {
    return fail_at(blocks_.offset(), "a packet of " + std::to_string(captured) +
                                         " bytes: the file is damaged from here on");
  }
  const ByteView block = blocks_.peek(fixed + captured);
  if (block.size() < fixed + captured) return stop(block.size());
  packet.bytes = block.subspan(fixed);
  packet.wire_length = std::max(packet.wire_length, captured);
  packet.link_type = interface.link_type;
  packet.time = type == kSimplePacket ? std::nullopt : to_time(ticks, interface);
  return CaptureStep::packet;
}

CaptureStep PcapngReader::read_block(RawPacket& packet, bool& is_packet) {
  is_packet = false;
  const ByteView start = blocks_.peek(12);
  if (start.size() < 12) return stop(start.size());
  std::uint32_t type = u32(start.data());
  if (type == kSection) {
    const ByteView section = blocks_.peek(16);
    if (section.size() < 16) return stop(section.size());
    if (const auto step = read_section(section); step != CaptureStep::packet) return step;
  }
  const ByteView header = blocks_.peek(8);
  const std::uint32_t length = u32(header.data() + 4);
  if (length < kBlockOverhead || length % 4 != 0 || (type == kSection && length < 28)) {
    return fail_at(blocks_.offset(), "a block of " + std::to_string(length) +
                                         " bytes: the file is damaged from here on");
  }
  const std::uint64_t end = blocks_.offset() + length;
  CaptureStep step = CaptureStep::packet;
  if (type == kInterface) {
    step = read_interface(length);
  } else if (type == kEnhancedPacket || type == kSimplePacket || type == kOldPacket) {
    is_packet = true;
    step = read_packet(type, length, packet);
  }
  block_end_ = end;
  block_length_ = length;
  return step;
}

CaptureStep PcapngReader::next(RawPacket& packet) {
  for (;;) {
    if (const auto step = finish_block(); step != CaptureStep::packet) return step;
    bool is_packet = false;
    const auto step = read_block(packet, is_packet);
    if (step != CaptureStep::packet || is_packet) return step;
  }
}

CaptureStep PcapngReader::begin() {
  RawPacket none;
  bool is_packet = false;
  return read_block(none, is_packet);
}

}  // namespace

bool looks_like_pcapng(ByteView beginning) {
  constexpr std::uint8_t kBytes[] = {0x0a, 0x0d, 0x0d, 0x0a};
  return beginning.size() >= 4 && std::equal(kBytes, kBytes + 4, beginning.begin());
}

Result<std::unique_ptr<CaptureReader>> open_pcapng(BlockReader blocks) {
  auto reader = std::make_unique<PcapngReader>(std::move(blocks));
  const CaptureStep step = reader->begin();
  if (step == CaptureStep::failed) return tl::unexpected<Error>(reader->error());
  if (step != CaptureStep::packet) {
    return fail(ErrorKind::malformed, "read", reader->name(), "the file ends inside its header");
  }
  return std::unique_ptr<CaptureReader>(std::move(reader));
}

}  // namespace beaconry
