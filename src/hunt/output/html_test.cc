#include "hunt/output/html.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text.h"
#include "hunt/output/output_fixture_test.h"
#include "hunt/output/write_report.h"

namespace beaconry {
namespace {

std::string html(const HuntReport& report) {
  std::ostringstream out;
  write_html(report, out);
  return out.str();
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(Html, NeedsNoNetworkAndNoScript) {
  const std::string page = html(sample_report());
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find("url("), std::string::npos);
  EXPECT_EQ(page.find("@import"), std::string::npos);
  EXPECT_EQ(page.find(" style=\""), std::string::npos);  // the policy would refuse it
}

TEST(Html, TellsHeadlineRankingAndEachBeacon) {
  const std::string page = html(sample_report());
  EXPECT_NE(page.find("<h1>2 beacons found</h1>"), std::string::npos);
  EXPECT_EQ(occurrences(page, "<article"), 2U);
  EXPECT_EQ(occurrences(page, "href=\"#beacon-1\""), 1U);
  EXPECT_NE(page.find("id=\"beacon-2\""), std::string::npos);
  EXPECT_NE(page.find("as Cobalt Strike&#39;s does"), std::string::npos);
  EXPECT_NE(page.find("CHhAvVGS1DHFjwGM9"), std::string::npos);
  EXPECT_NE(page.find("conn.log line 17"), std::string::npos);
}

// Every tag on the page is one that the page's own code writes.
TEST(Html, HostileTextsBecomeNoMarkup) {
  HuntReport report = sample_report();
  report.pairs = {hostile_pair()};
  report.inputs = {"<script>alert(9)</script>"};
  report.refusals = {{"<b>", "\"><img src=x>", 1}};
  report.failed_inputs = {{"</style><script>", "<i>"}};
  report.remarks = {"<iframe>"};
  report.version = "<svg onload=x>";
  const std::string page = html(report);
  for (const char* markup : {"<script", "<img", "<svg onload", "<b>", "<i>", "<u>", "<iframe"})
    EXPECT_EQ(page.find(markup), std::string::npos) << markup;
  EXPECT_EQ(occurrences(page, "</style>"), 1U);
  EXPECT_EQ(utf8_valid(page), page);
  for (const char c : page)
    EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20) << static_cast<int>(c);
}

TEST(Html, IsBoundedAndSaysSo) {
  HuntReport report = sample_report();
  report.pairs.assign(kMostDrawn + 50, report.pairs[1]);
  report.check_ins = nullptr;
  const std::string page = html(report);
  EXPECT_EQ(occurrences(page, "<article"), kMostDrawn);
  EXPECT_NE(page.find("The first 200 of 250 beacons are drawn"), std::string::npos);
}

TEST(Html, SaysThatNothingWasFound) {
  HuntReport report = sample_report();
  report.pairs.clear();
  const std::string page = html(report);
  EXPECT_NE(page.find("<h1>No beacons found</h1>"), std::string::npos);
  EXPECT_EQ(page.find("<article"), std::string::npos);
}

TEST(Html, FileAppearsWholeOrNotAtAll) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "beaconry_html_test";
  std::filesystem::create_directories(folder);
  const std::string path = (folder / "report.html").string();
  ASSERT_TRUE(write_html_file(sample_report(), path));
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), html(sample_report()));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  const auto failed = write_html_file(sample_report(), (folder / "none" / "x.html").string());
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("none/x.html"), std::string::npos);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace beaconry
