#include "control/byte_range.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using Kind = ByteRange::Kind;

void expect(std::string_view header, Kind kind, std::uint64_t first, std::uint64_t bytes) {
  const ByteRange range = parse_range(header, 1000);
  EXPECT_EQ(range.kind, kind) << header;
  EXPECT_EQ(range.first, first) << header;
  EXPECT_EQ(range.bytes, bytes) << header;
}

TEST(ByteRange, IsAPartOfTheFile) {
  expect("bytes=0-0", Kind::part, 0, 1);
  expect("bytes=0-999", Kind::part, 0, 1000);
  expect("bytes=10-19", Kind::part, 10, 10);
  expect("Bytes=999-", Kind::part, 999, 1);
  expect("bytes=10-5000", Kind::part, 10, 990);
  expect("bytes=10-99999999999999999999999", Kind::part, 10, 990);
  expect("bytes=-1", Kind::part, 999, 1);
  expect("bytes=-5000", Kind::part, 0, 1000);
}

TEST(ByteRange, IsNothingBehindTheEnd) {
  expect("bytes=1000-", Kind::unsatisfiable, 0, 0);
  expect("bytes=1000-2000", Kind::unsatisfiable, 0, 0);
  expect("bytes=99999999999999999999999-", Kind::unsatisfiable, 0, 0);
  expect("bytes=-0", Kind::unsatisfiable, 0, 0);
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, Kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=-5", 0).kind, Kind::unsatisfiable);
}

TEST(ByteRange, IsTheWholeWhereNobodyCanTell) {
  for (const char* header :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=0-1,5-6", "lines=0-1",
        "bytes=+1-2", "bytes=1 - 2", "bytes=--1"})
    expect(header, Kind::whole, 0, 1000);
}

}  // namespace
}  // namespace beaconry
