#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace beaconry {

// The bytes of a segment file: docs/formats/spool.md. No files here.

using SpoolIncarnation = std::array<std::uint8_t, 16>;

constexpr std::size_t kSegmentHeaderBytes = 40;
constexpr std::size_t kRecordHeaderBytes = 32;

struct SegmentHeader {
  std::uint64_t first = 0;  // number of the first record that may be in it
  SpoolIncarnation incarnation{};
};

struct RecordHeader {
  std::uint32_t length = 0;
  std::uint64_t sequence = 0;
  Timestamp appended{};
  std::uint32_t checksum = 0;  // of the record's bytes
};

std::string encode_segment_header(const SegmentHeader& header);
std::optional<SegmentHeader> decode_segment_header(std::string_view bytes);
// Checksums begin with the incarnation, which nobody else knows: so what somebody sent cannot pass
// for a record of ours where damage is searched for the next one.
std::string encode_record_header(const RecordHeader& header, const SpoolIncarnation& incarnation);
std::optional<RecordHeader> decode_record_header(std::string_view bytes,
                                                 const SpoolIncarnation& incarnation);
std::uint32_t record_checksum(std::string_view record, const SpoolIncarnation& incarnation);

// Where a record lies in its segment.
struct RecordPlace {
  std::uint64_t sequence = 0;
  std::uint64_t offset = 0;  // of its header
  std::uint32_t length = 0;  // without its header
  Timestamp appended{};
};

struct SegmentScan {
  bool header_is_whole = false;
  SpoolIncarnation incarnation{};           // by which its records are read
  std::vector<RecordPlace> records;         // whole ones, by rising number
  std::uint64_t end = kSegmentHeaderBytes;  // behind the last of them
};

// Finds every whole record, past damage of any kind. `incarnation` stands in where the segment's
// own header is damaged.
SegmentScan scan_segment(std::string_view bytes, const SpoolIncarnation& incarnation);

}  // namespace beaconry
