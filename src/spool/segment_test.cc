#include "spool/segment.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace beaconry {
namespace {

constexpr SpoolIncarnation kOurs{1, 2, 3};

std::string record(std::uint64_t sequence, const std::string& bytes,
                   const SpoolIncarnation& incarnation = kOurs) {
  const RecordHeader header{static_cast<std::uint32_t>(bytes.size()), sequence, Timestamp{},
                            record_checksum(bytes, incarnation)};
  return encode_record_header(header, incarnation) + bytes;
}

std::vector<std::uint64_t> numbers(const SegmentScan& scan) {
  std::vector<std::uint64_t> found;
  for (const RecordPlace& place : scan.records)
    found.push_back(place.sequence);
  return found;
}

using Numbers = std::vector<std::uint64_t>;

TEST(Segment, HoldsRecordsBehindItsHeader) {
  const std::string bytes = encode_segment_header({5, kOurs}) + record(5, "one") + record(6, "");
  const auto scan = scan_segment(bytes, {});
  EXPECT_TRUE(scan.header_is_whole);
  EXPECT_EQ(scan.incarnation, kOurs);
  EXPECT_EQ(numbers(scan), (Numbers{5, 6}));
  EXPECT_EQ(scan.end, bytes.size());
  EXPECT_EQ(scan.records[0].offset, kSegmentHeaderBytes);
  EXPECT_EQ(scan.records[0].length, 3U);
}

TEST(Segment, LosesOneRecordToOneChangedByte) {
  const std::string head = encode_segment_header({1, kOurs});
  std::string bytes = head + record(1, "first") + record(2, "second") + record(3, "third");
  const std::size_t begin = head.size() + record(1, "first").size();
  for (std::size_t at = begin; at < begin + record(2, "second").size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    EXPECT_EQ(numbers(scan_segment(damaged, {})), (Numbers{1, 3})) << at;
  }
}

TEST(Segment, SurvivesDamageToItsHeader) {
  std::string bytes = encode_segment_header({1, kOurs}) + record(1, "first");
  bytes[3] = 'x';
  const auto scan = scan_segment(bytes, kOurs);
  EXPECT_FALSE(scan.header_is_whole);
  EXPECT_EQ(numbers(scan), (Numbers{1}));
}

TEST(Segment, TakesNothingForARecordThatSomebodySent) {
  const SpoolIncarnation theirs{9};
  std::string bytes = encode_segment_header({1, kOurs}) +
                      record(1, "x" + record(7, "forged", theirs) + "y") + record(2, "ours");
  bytes[kSegmentHeaderBytes + 5] ^= 1;  // its length: what follows is searched
  EXPECT_EQ(numbers(scan_segment(bytes, {})), (Numbers{2}));
}

TEST(Segment, IgnoresWhatAFailedAppendLeft) {
  const std::string bytes = encode_segment_header({1, kOurs}) + record(1, "a") + record(2, "new") +
                            record(2, "left from before");
  const auto scan = scan_segment(bytes, {});
  EXPECT_EQ(numbers(scan), (Numbers{1, 2}));
  EXPECT_EQ(scan.end, bytes.size() - record(2, "left from before").size());
}

RC_GTEST_PROP(SegmentProperty, EndsWithTheLastWholeRecordWhereverItIsCut, ()) {
  const auto lengths =
      *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, 50));
  std::string bytes = encode_segment_header({1, kOurs});
  std::vector<std::size_t> ends{kSegmentHeaderBytes};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    bytes += record(i + 1, std::string(lengths[i], 'B'));
    ends.push_back(bytes.size());
  }
  const auto cut = *rc::gen::inRange<std::size_t>(kSegmentHeaderBytes, bytes.size() + 1);
  const auto scan = scan_segment(std::string_view(bytes).substr(0, cut), {});
  const auto whole = static_cast<std::size_t>(
      std::count_if(ends.begin(), ends.end(), [&](std::size_t end) { return end <= cut; }));
  RC_ASSERT(scan.records.size() == whole - 1);
  RC_ASSERT(scan.end == ends[whole - 1]);
}

}  // namespace
}  // namespace beaconry
