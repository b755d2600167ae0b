#include "sensor/fleet/image_range.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(ImageRange, IsReadWhereItCanBe) {
  const auto range = parse_content_range("bytes 1048576-2097151/9437184");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 1048576U);
  EXPECT_EQ(range->last, 2097151U);
  EXPECT_EQ(range->total, 9437184U);
  EXPECT_TRUE(parse_content_range("bytes 0-0/1"));
}

TEST(ImageRange, IsRefusedWhereItCannot) {
  for (const char* text :
       {"", "bytes", "bytes ", "bytes 0-0/0", "bytes 0-1/1", "bytes 2-1/9", "bytes */9",
        "bytes 0-0/*", "bytes 0/9-1", "bytes -1-2/9", "bytes 0-18446744073709551616/9",
        "lines 0-1/9", "bytes 0-1/9 ", "bytes  0-1/9"})
    EXPECT_FALSE(parse_content_range(text)) << text;
}

}  // namespace
}  // namespace beaconry
