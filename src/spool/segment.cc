#include "spool/segment.h"

#include <libdeflate.h>

#include <cstring>

namespace beaconry {
namespace {

constexpr std::string_view kSegmentMagic = "BCNSPL01";
constexpr std::string_view kRecordMagic = "BREC";

// Little-endian, byte by byte: compilers make one instruction of it.
template <class Number>
void put(std::string& bytes, Number value) {
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff));
  }
}

template <class Number>
Number get(std::string_view bytes, std::size_t offset) {
  std::uint64_t value = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[offset + i]);
  }
  return static_cast<Number>(value);
}

std::uint32_t crc(std::uint32_t seed, std::string_view bytes) {
  return libdeflate_crc32(seed, bytes.data(), bytes.size());
}

std::uint32_t seed_of(const SpoolIncarnation& incarnation) {
  return libdeflate_crc32(0, incarnation.data(), incarnation.size());
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string bytes(kSegmentMagic);
  put(bytes, header.first);
  bytes.append(reinterpret_cast<const char*>(header.incarnation.data()), header.incarnation.size());
  put(bytes, crc(0, bytes));
  put(bytes, std::uint32_t{0});
  return bytes;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes) {
  if (bytes.size() < kSegmentHeaderBytes || bytes.substr(0, 8) != kSegmentMagic) return {};
  if (get<std::uint32_t>(bytes, 32) != crc(0, bytes.substr(0, 32))) return {};
  SegmentHeader header;
  header.first = get<std::uint64_t>(bytes, 8);
  std::memcpy(header.incarnation.data(), bytes.data() + 16, header.incarnation.size());
  return header;
}

std::string encode_record_header(const RecordHeader& header, const SpoolIncarnation& incarnation) {
  std::string bytes;
  bytes.reserve(kRecordHeaderBytes);
  bytes += kRecordMagic;
  put(bytes, header.length);
  put(bytes, header.sequence);
  put(bytes, header.appended.time_since_epoch().count());
  put(bytes, header.checksum);
  put(bytes, crc(seed_of(incarnation), bytes));
  return bytes;
}

std::optional<RecordHeader> decode_record_header(std::string_view bytes,
                                                 const SpoolIncarnation& incarnation) {
  if (bytes.size() < kRecordHeaderBytes || bytes.substr(0, 4) != kRecordMagic) return {};
  if (get<std::uint32_t>(bytes, 28) != crc(seed_of(incarnation), bytes.substr(0, 28))) return {};
  RecordHeader header;
  header.length = get<std::uint32_t>(bytes, 4);
  header.sequence = get<std::uint64_t>(bytes, 8);
  header.appended = Timestamp{Duration{get<std::int64_t>(bytes, 16)}};
  header.checksum = get<std::uint32_t>(bytes, 24);
  return header;
}

std::uint32_t record_checksum(std::string_view record, const SpoolIncarnation& incarnation) {
  return crc(seed_of(incarnation), record);
}

SegmentScan scan_segment(std::string_view bytes, const SpoolIncarnation& incarnation) {
  SegmentScan scan;
  const auto own = decode_segment_header(bytes);
  scan.header_is_whole = own.has_value();
  scan.incarnation = own ? own->incarnation : incarnation;
  const SpoolIncarnation& seed = scan.incarnation;
  std::uint64_t last = own && own->first > 0 ? own->first - 1 : 0;
  std::size_t at = kSegmentHeaderBytes;
  while (at < bytes.size()) {
    const auto header = decode_record_header(bytes.substr(at), seed);
    if (!header) {  // damage: on to what may be the next one
      at = bytes.find(kRecordMagic, at + 1);
      continue;
    }
    if (header->length > bytes.size() - at - kRecordHeaderBytes) break;  // torn
    const std::string_view record = bytes.substr(at + kRecordHeaderBytes, header->length);
    const std::size_t next = at + kRecordHeaderBytes + header->length;
    // Numbers only rise: what is left of an append that failed has the number of its successor.
    if (header->sequence > last && record_checksum(record, seed) == header->checksum) {
      scan.records.push_back({header->sequence, at, header->length, header->appended});
      scan.end = next;
      last = header->sequence;
    }
    at = next;
  }
  return scan;
}

}  // namespace beaconry
