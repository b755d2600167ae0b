#include "sensor/console_text.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace beaconry {
namespace {

TEST(ConsoleText, HasNoColoursTitlesAndCarriageReturns) {
  EXPECT_EQ(console_text("\x1b[1;31mred\x1b[0m\r\n\x1b]0;title\aplain\r\n", 1000), "red\nplain\n");
  EXPECT_EQ(console_text("\x1b(Bx\x1b]2;t\x1b\\y\n", 1000), "xy\n");
}

TEST(ConsoleText, ShowsALineThatWasWrittenOverAsItWasLast) {
  EXPECT_EQ(console_text("10 %\r20 %\r\nnext", 1000), "20 %\nnext");
}

TEST(ConsoleText, MakesControlCharactersAndInvalidBytesVisible) {
  EXPECT_EQ(console_text("a\x01\tb\xff\n", 1000), "a\\x01\tb\\xff\n");
}

TEST(ConsoleText, AnEscapeWithoutAnEndTakesAtMostItsLine) {
  EXPECT_EQ(console_text("a\x1b[1;\nb\x1b]0;x\nc\x1b", 1000), "a\nb\nc");
}

TEST(ConsoleText, KeepsTheEndFromTheBeginningOfALine) {
  EXPECT_EQ(console_text("first\nsecond\nthird\n", 13), "second\nthird\n");
  EXPECT_EQ(console_text("first\nsecond\nthird\n", 12), "third\n");
  EXPECT_EQ(console_text("first\nsecond", 3), "");
}

RC_GTEST_PROP(ConsoleText, NeverIsLongerThanAskedForNorHoldsEscapes, (const std::string& written)) {
  const std::string text = console_text(written, 20);
  RC_ASSERT(text.size() <= 20U);
  RC_ASSERT(text.find('\x1b') == std::string::npos);
}

}  // namespace
}  // namespace beaconry
