#include "base/text.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(TerminalSafe, KeepsPrintableTextAndDisarmsTheRest) {
  EXPECT_EQ(terminal_safe("cdn.example.com"), "cdn.example.com");
  EXPECT_EQ(terminal_safe("b\xc3\xbc"
                          "cher"),
            "b\xc3\xbc"
            "cher");
  EXPECT_EQ(terminal_safe("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(terminal_safe("a\nb\r"), "a\\x0ab\\x0d");
  EXPECT_EQ(terminal_safe("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(terminal_safe("\xc2\x9b"
                          "31m"),
            "\\xc2\\x9b"
            "31m");  // C1 CSI
  EXPECT_EQ(terminal_safe("\xe2\x80\xae"
                          "moc"),
            "\\xe2\\x80\\xae"
            "moc");                                    // right-to-left override
  EXPECT_EQ(terminal_safe("\xc0\xaf"), "\\xc0\\xaf");  // overlong
}

TEST(HtmlSafe, EscapesMarkup) {
  EXPECT_EQ(html_safe("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
}

TEST(Utf8Valid, ReplacesBadBytesOnly) {
  EXPECT_EQ(utf8_valid("a\xffz"), "a\xef\xbf\xbdz");
  EXPECT_EQ(utf8_valid("\xe2\x82\xac"), "\xe2\x82\xac");
}

TEST(Numbers, ReadWholeTextsOnly) {
  EXPECT_EQ(parse_unsigned("42"), 42U);
  EXPECT_FALSE(parse_unsigned("-1"));
  EXPECT_FALSE(parse_unsigned("42x"));
  EXPECT_FALSE(parse_unsigned(""));
  EXPECT_FALSE(parse_unsigned("18446744073709551616"));
  EXPECT_FALSE(parse_number("nan"));
  EXPECT_FALSE(parse_number("1e999"));
  EXPECT_DOUBLE_EQ(*parse_number("-2.5e3"), -2500);
}

TEST(Durations, KnowTheirUnits) {
  EXPECT_DOUBLE_EQ(*parse_duration_seconds("90"), 90);
  EXPECT_DOUBLE_EQ(*parse_duration_seconds("1.5h"), 5400);
  EXPECT_DOUBLE_EQ(*parse_duration_seconds("2w"), 1'209'600);
  EXPECT_FALSE(parse_duration_seconds("-5s"));
  EXPECT_FALSE(parse_duration_seconds("5 parsecs"));
}

TEST(Sizes, AreReadWithAndWithoutUnits) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("64K"), 65'536U);
  EXPECT_EQ(parse_size("512MiB"), std::uint64_t{512} << 20);
  EXPECT_EQ(parse_size("2gb"), std::uint64_t{2} << 30);
  EXPECT_EQ(parse_size("16777216T"), std::nullopt);  // 2^64
  for (const char* text : {"", "M", "-1M", "1.5G", "1X", "1 M", "iB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
  for (const std::uint64_t bytes :
       {0ULL, 1ULL, 1000ULL, 1024ULL, 1536ULL, 1ULL << 30, 3ULL << 50}) {
    EXPECT_EQ(parse_size(size_text(bytes)), bytes);
  }
  EXPECT_EQ(size_text(std::uint64_t{512} << 20), "512M");
}

TEST(ForPeople, NumbersAreGroupedAndBytesScaled) {
  EXPECT_EQ(with_thousands(0), "0");
  EXPECT_EQ(with_thousands(1440), "1,440");
  EXPECT_EQ(with_thousands(1234567), "1,234,567");
  EXPECT_EQ(bytes_in_words(1536), "1.5 KiB");
}

TEST(NearestWord, SuggestsWhatWasMeant) {
  EXPECT_EQ(nearest_word("cv_treshold", {"cv_threshold", "cv_weight"}), "cv_threshold");
  EXPECT_EQ(nearest_word("zzz", {"cv_threshold"}), "");
}

TEST(Text, TellsHowDeepJsonIsNested) {
  EXPECT_EQ(json_depth("1"), 0U);
  EXPECT_EQ(json_depth(R"({"a": [1, {"b": []}], "c": {}})"), 4U);
  EXPECT_EQ(json_depth(R"(["[[[", "\"[[", "\\", [])"), 2U);
  EXPECT_EQ(json_depth(std::string(100'000, '[')), 100'000U);
}

}  // namespace
}  // namespace beaconry
