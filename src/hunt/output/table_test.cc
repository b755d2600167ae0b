#include "hunt/output/table.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/text.h"
#include "hunt/output/golden_test.h"
#include "hunt/output/output_fixture_test.h"

namespace beaconry {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n'))
    lines.emplace_back(line);
  return lines;
}

TEST(Table, ShowsWhatTheGoldenFileHolds) {
  EXPECT_EQ(differs_from_golden("table.txt", table_text(sample_report(), {})), "");
  HuntReport all = sample_report();
  all.all = true;
  EXPECT_EQ(differs_from_golden("table_all_100.txt", table_text(all, {100, false, true})), "");
}

TEST(Table, EveryLineFitsEveryTerminalFromEightyColumnsOn) {
  HuntReport report = sample_report();
  report.pairs.erase(report.pairs.begin() + 1);  // an IPv6 pair is wider than 80 by itself
  report.pairs.push_back(hostile_pair());
  report.pairs.back().server_name = std::string(255, 'a') + ".日本語.example.com";
  report.all = true;
  for (std::size_t width = 110; width < 260; width += 7) {
    for (const std::string& line : lines_of(table_text(report, {width, false, true})))
      EXPECT_LE(display_width(line), width) << line;
  }
  report.all = false;
  for (const std::string& line : lines_of(table_text(report, {80, false, false})))
    EXPECT_LE(display_width(line), 88U) << line;
}

TEST(Table, ShortensWhyBeforeNamesAndNeverAddresses) {
  const std::string wide = table_text(sample_report(), {150, false, true});
  EXPECT_NE(wide.find("2001:db8:ffff::1"), std::string::npos);
  EXPECT_NE(wide.find("cdn.evil.tld (14 addresses)"), std::string::npos);
  EXPECT_EQ(wide.find("420-byte check-ins"), std::string::npos);
  EXPECT_NE(wide.find("…"), std::string::npos);
  const std::string narrow = table_text(sample_report(), {60, false, true});
  EXPECT_NE(narrow.find("10.0.0.100"), std::string::npos);
  EXPECT_NE(narrow.find("2001:db8:ffff::1"), std::string::npos);
}

TEST(Table, ColoursSeveritiesOnlyWhenAsked) {
  EXPECT_EQ(table_text(sample_report(), {120, false, true}).find('\x1b'), std::string::npos);
  EXPECT_NE(table_text(sample_report(), {120, true, true}).find("\x1b[1;37;41mCRITICAL"),
            std::string::npos);
}

TEST(Table, HostileTextsReachNoTerminal) {
  HuntReport report = sample_report();
  report.pairs = {hostile_pair()};
  report.failed_inputs = {{"/tmp/\x1b[31m", "\x9b"}};
  report.refusals = {{"bad \x1b]0;x\x07", "\x1b[2J line 1", 1}};
  report.drops = {{"\x1b[1m", 3}};
  report.remarks = {"\x1b[5m"};
  const std::string text = table_text(report, {0, false, true});
  for (const char c : text)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
  EXPECT_EQ(utf8_valid(text), text);
  EXPECT_EQ(text.find("\xe2\x80\xae"), std::string::npos);  // right-to-left override
  EXPECT_EQ(text.find("\xc2\x9b"), std::string::npos);      // CSI as one character
}

TEST(Table, SaysWhenNothingWasFoundAndHowNearTheNearestCame) {
  HuntReport report = sample_report();
  report.pairs.erase(report.pairs.begin(), report.pairs.begin() + 2);
  report.pairs.pop_back();
  const std::string text = table_text(report, {});
  EXPECT_EQ(text.rfind("No beacons found. None of 1 scored pair reaches 70.0; the nearest is "
                       "10.0.0.7->198.51.100.9:80/TCP with",
                       0),
            0U)
      << text;
  EXPECT_NE(text.find("--all"), std::string::npos);
  EXPECT_NE(text.find("no proof"), std::string::npos);
}

TEST(Table, ShowsChangesOnlyWhenReportsWereCompared) {
  HuntReport report = sample_report();
  EXPECT_EQ(table_text(report, {}).find("CHANGE "), std::string::npos);
  report.compared = Comparison{"old.json", "", 0, 1, 0, 0};
  report.pairs[0].change = Change::fresh;
  const std::string text = table_text(report, {});
  EXPECT_NE(text.find("CHANGE  SCORE"), std::string::npos) << text;
  EXPECT_NE(text.find("  NEW "), std::string::npos);
  EXPECT_NE(text.find("Against old.json: 1 new, 0 changed, 0 gone."), std::string::npos);
}

Surroundings around(std::map<std::string, std::string> variables, bool terminal,
                    std::size_t columns = 0) {
  return {[variables](const char* name) {
            const auto found = variables.find(name);
            return found == variables.end() ? std::string() : found->second;
          },
          terminal, columns};
}

TEST(Terminal, ColourFollowsOptionThenVariablesThenWhereItGoes) {
  const auto automatic = ColourChoice::automatic;
  EXPECT_TRUE(colour_wanted(automatic, around({}, true)));
  EXPECT_FALSE(colour_wanted(automatic, around({}, false)));
  EXPECT_FALSE(colour_wanted(automatic, around({{"TERM", "dumb"}}, true)));
  EXPECT_FALSE(colour_wanted(automatic, around({{"NO_COLOR", "1"}}, true)));
  EXPECT_TRUE(colour_wanted(automatic, around({{"FORCE_COLOR", "1"}}, false)));
  EXPECT_FALSE(colour_wanted(automatic, around({{"FORCE_COLOR", "0"}}, true)));
  EXPECT_FALSE(colour_wanted(automatic, around({{"FORCE_COLOR", "1"}, {"NO_COLOR", "1"}}, true)));
  EXPECT_TRUE(colour_wanted(ColourChoice::always, around({{"NO_COLOR", "1"}}, false)));
  EXPECT_FALSE(colour_wanted(ColourChoice::never, around({{"FORCE_COLOR", "1"}}, true)));
}

TEST(Terminal, WidthComesFromTheDriverThenColumnsThenEighty) {
  EXPECT_EQ(columns_of(around({{"COLUMNS", "99"}}, true, 120)), 120U);
  EXPECT_EQ(columns_of(around({{"COLUMNS", "99"}}, true)), 99U);
  EXPECT_EQ(columns_of(around({}, true)), 80U);
  EXPECT_EQ(columns_of(around({}, false)), 0U);
  EXPECT_EQ(columns_of(around({{"COLUMNS", "x"}}, false)), 0U);
}

TEST(Terminal, LocaleSaysWhetherBlocksCanBeDrawn) {
  EXPECT_TRUE(locale_is_utf8(around({{"LANG", "de_DE.UTF-8"}}, true)));
  EXPECT_FALSE(locale_is_utf8(around({{"LC_ALL", "C"}, {"LANG", "de_DE.UTF-8"}}, true)));
  EXPECT_FALSE(locale_is_utf8(around({}, true)));
}

TEST(Terminal, WidthCountsWideAndCombiningCharacters) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\xcc\x81"), 1U);
  EXPECT_EQ(display_width("💀"), 2U);
  EXPECT_EQ(display_width("ü…"), 2U);
  EXPECT_EQ(cut_end("日本語", 5, true), "日本…");
  EXPECT_EQ(cut_end("abcdef", 5, false), "ab...");
  EXPECT_EQ(cut_middle("very-long.cdn.evil.tld", 12, true), "ver…evil.tld");
  EXPECT_EQ(wrap("one two three", 9, 2), "one two\n  three");
}

}  // namespace
}  // namespace beaconry
