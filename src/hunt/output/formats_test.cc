#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/text.h"
#include "hunt/output/csv.h"
#include "hunt/output/golden_test.h"
#include "hunt/output/json.h"
#include "hunt/output/output_fixture_test.h"

namespace beaconry {
namespace {

std::string ndjson(const HuntReport& report) {
  std::ostringstream out;
  write_ndjson(report, out);
  return out.str();
}

std::string csv(const HuntReport& report) {
  std::ostringstream out;
  write_csv(report, out);
  return out.str();
}

HuntReport with_all() {
  HuntReport report = sample_report();
  report.all = true;
  return report;
}

TEST(Csv, ShowsWhatTheGoldenFileHolds) {
  EXPECT_EQ(differs_from_golden("pairs.csv", csv(with_all())), "");
}

TEST(Csv, EveryLineHasAsManyCellsAsTheHeader) {
  HuntReport report = with_all();
  report.pairs.push_back(hostile_pair());
  std::istringstream in(csv(report));
  std::string line;
  std::size_t expected = 0;
  while (std::getline(in, line)) {
    std::size_t cells = 1;
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') quoted = !quoted;
      if (c == ',' && !quoted) ++cells;
    }
    if (expected == 0) expected = cells;
    EXPECT_EQ(cells, expected) << line;
    EXPECT_FALSE(quoted) << line;
  }
  EXPECT_EQ(expected, 34U);
}

TEST(Csv, TextsThatLookLikeFormulasAreDisarmed) {
  EXPECT_EQ(csv_cell("=1+1"), "\"'=1+1\"");
  EXPECT_EQ(csv_cell("@SUM(A1)"), "\"'@SUM(A1)\"");
  EXPECT_EQ(csv_cell("-2"), "\"'-2\"");
  EXPECT_EQ(csv_cell("+2"), "\"'+2\"");
  EXPECT_EQ(csv_cell("\tx"), "\"'\\x09x\"");
  EXPECT_EQ(csv_cell("a\"b,c"), "\"a\"\"b,c\"");
  EXPECT_EQ(csv_cell("plain"), "plain");
  EXPECT_EQ(csv_cell(""), "");
}

TEST(Ndjson, ShowsWhatTheGoldenFileHolds) {
  EXPECT_EQ(differs_from_golden("pairs.ndjson", ndjson(with_all())), "");
}

TEST(Ndjson, ListsHiddenPairsOnlyWithAllAndKeepsToTheLimit) {
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_EQ(lines(ndjson(sample_report())), 2);
  EXPECT_EQ(lines(ndjson(with_all())), 4);
  HuntReport limited = with_all();
  limited.limit = 3;
  EXPECT_EQ(lines(ndjson(limited)), 3);
}

TEST(Ndjson, HasEveryFieldThatIsPromised) {
  std::istringstream in(ndjson(with_all()));
  std::string line;
  while (std::getline(in, line)) {
    const auto object = nlohmann::json::parse(line);
    for (const char* key : {"kind",
                            "pair_key",
                            "src_ip",
                            "dst_ip",
                            "dst_port",
                            "protocol",
                            "server_name",
                            "combined_score",
                            "is_beacon",
                            "confidence",
                            "connection_count",
                            "check_ins",
                            "detected_interval_seconds",
                            "jitter_percent",
                            "cv_score",
                            "periodicity_score",
                            "jitter_score",
                            "size_score",
                            "bytes_out",
                            "bytes_in",
                            "uids",
                            "first_seen",
                            "last_seen",
                            "explanation"}) {
      EXPECT_TRUE(object.contains(key)) << key;
    }
    EXPECT_EQ(object["kind"] == "named", object.contains("dst_ips"));
    double sum = 0;
    for (const char* part : {"contributing_signals", "adjustments"}) {
      for (const auto& entry : object["explanation"][part])
        sum += entry["contribution"].get<double>();
    }
    EXPECT_NEAR(sum, object["combined_score"].get<double>(), 1e-5);
  }
}

TEST(Ndjson, HostileTextsStayOneAsciiLineAndKeepTheirMeaning) {
  HuntReport report = sample_report();
  report.pairs = {hostile_pair()};
  const std::string text = ndjson(report);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  for (const char c : text)
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << static_cast<int>(c);
  const auto object = nlohmann::json::parse(text);
  EXPECT_EQ(object["server_name"], utf8_valid(hostile_pair().server_name));
  EXPECT_EQ(object["note"], "+note\x1b[2J");
}

TEST(Ndjson, NumbersAreFiniteWhateverTheVerdictHolds) {
  HuntReport report = sample_report();
  report.pairs.resize(1);
  Verdict& v = report.pairs[0].verdict;
  v.interval_seconds = std::numeric_limits<double>::infinity();
  v.jitter_percent = std::numeric_limits<double>::quiet_NaN();
  v.signals[0].raw_value = 1e300;
  v.signals[1].raw_value = -0.0000001;
  v.signals[2].raw_value = -12.25;
  const auto object = nlohmann::json::parse(ndjson(report));
  EXPECT_TRUE(object["detected_interval_seconds"].is_null());
  EXPECT_TRUE(object["jitter_percent"].is_null());
  const auto& signals = object["explanation"]["contributing_signals"];
  EXPECT_EQ(signals[0]["raw_value"], 1e300);
  EXPECT_EQ(signals[1]["raw_value"], 0.0);
  EXPECT_EQ(signals[2]["raw_value"], -12.25);
}

TEST(Json, IsOneDocumentWithSummaryAndPairs) {
  std::ostringstream out;
  write_json(with_all(), out);
  const auto document = nlohmann::json::parse(out.str());
  EXPECT_EQ(document["format"], kReportFormat);
  EXPECT_EQ(document["pairs"].size(), 4U);
  EXPECT_EQ(document["summary"]["beacons"], 2);
  EXPECT_EQ(document["summary"]["hidden"]["represented"], 1);
  EXPECT_EQ(document["summary"]["refusals"][0]["first_place"], "conn.log line 17");
}

}  // namespace
}  // namespace beaconry
