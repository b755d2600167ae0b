// A segment file as a crash, a bad disk or somebody else left it.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "spool/segment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto scan = scan_segment(bytes, SpoolIncarnation{});
  std::uint64_t end = kSegmentHeaderBytes, last = 0;
  for (const RecordPlace& place : scan.records) {
    require(place.offset >= end && place.sequence > last);
    last = place.sequence;
    end = place.offset + kRecordHeaderBytes + place.length;
    require(end <= size);
    const auto header = decode_record_header(bytes.substr(place.offset), scan.incarnation);
    require(header && header->sequence == place.sequence && header->length == place.length);
    const auto record = bytes.substr(place.offset + kRecordHeaderBytes, place.length);
    require(record_checksum(record, scan.incarnation) == header->checksum);
  }
  require(scan.end == end);
  // Cut at its end nothing changes.
  if (scan.end <= size) {
    require(scan_segment(bytes.substr(0, scan.end), SpoolIncarnation{}).records.size() ==
            scan.records.size());
  }
  return 0;
}
