// What `beaconry hunt` writes, in each format.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/time.h"
#include "cli/folder.h"
#include "cli/program.h"
#include "cli/traffic.h"

namespace beaconry::cli {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

// The small network's logs, with names.
class HuntOutput : public testing::Test {
 protected:
  HuntOutput() {
    const auto network = small_network();
    folder_.write("day/conn.log", conn_log(network));
    folder_.write("day/ssl.log", ssl_log(network));
  }
  std::string day() const { return folder_ / "day"; }
  Ran hunt(std::vector<std::string> arguments, const Surroundings& surroundings = {}) const {
    arguments.insert(arguments.begin(), {"hunt", day()});
    return beaconry(std::move(arguments), surroundings);
  }

  TestFolder folder_;
};

bool is_time(const json& value) {
  return value.is_string() && parse_rfc3339(value.get<std::string>()).has_value();
}

bool is_share(const json& value) {
  return value.is_number() && value >= 0.0 && value <= 1.0;
}

TEST_F(HuntOutput, GivesEveryPairEveryFieldOfItsType) {
  const Hunted hunted = hunt_all({day()});
  ASSERT_GT(hunted.pairs.size(), 8U);
  for (const json& pair : hunted.pairs) {
    SCOPED_TRACE(pair.value("identity", "?"));
    EXPECT_TRUE(pair.at("kind") == "address" || pair.at("kind") == "named");
    for (const char* key : {"pair_key", "src_ip", "dst_ip", "protocol"})
      EXPECT_TRUE(pair.at(key).is_string()) << key;
    EXPECT_TRUE(pair.at("server_name").is_null() || pair.at("server_name").is_string());
    EXPECT_EQ(pair.at("pair_key"), pair.at("src_ip").get<std::string>() + "->" +
                                       pair.at("dst_ip").get<std::string>() + ':' +
                                       std::to_string(pair.at("dst_port").get<int>()) + '/' +
                                       pair.at("protocol").get<std::string>());
    EXPECT_TRUE(pair.at("is_beacon").is_boolean());
    EXPECT_THAT((std::vector<std::string>{"none", "low", "medium", "high", "critical"}),
                Contains(pair.at("confidence").get<std::string>()));
    for (const char* key : {"connection_count", "check_ins", "dst_port"})
      EXPECT_TRUE(pair.at(key).is_number_unsigned()) << key;
    for (const char* key :
         {"combined_score", "cv_score", "periodicity_score", "jitter_score", "size_score"}) {
      EXPECT_TRUE(is_share(pair.at(key))) << key;
    }
    for (const char* key : {"detected_interval_seconds", "jitter_percent"})
      EXPECT_TRUE(pair.at(key).is_number()) << key;
    for (const char* key : {"bytes_out", "bytes_in"})
      EXPECT_TRUE(pair.at(key).is_null() || pair.at(key).is_number_unsigned()) << key;
    EXPECT_TRUE(pair.at("uids").is_array());
    EXPECT_LE(pair.at("uids").size(), 5U);
    EXPECT_TRUE(is_time(pair.at("first_seen"))) << pair.at("first_seen");
    EXPECT_TRUE(is_time(pair.at("last_seen")));
    EXPECT_LE(pair.at("first_seen"), pair.at("last_seen"));
    EXPECT_TRUE(pair.at("explanation").is_object());
    EXPECT_EQ(pair.at("is_beacon"), pair.at("combined_score") >= 0.7);
    EXPECT_EQ(pair.at("kind") == "named", pair.contains("dst_ips"));
  }
}

TEST_F(HuntOutput, SumsContributionsAndAdjustmentsToTheScore) {
  const Hunted hunted = hunt_all({day()});
  for (const json& pair : hunted.pairs) {
    double sum = 0;
    for (const json& signal : pair.at("explanation").at("contributing_signals")) {
      EXPECT_NEAR(signal.at("contribution"),
                  signal.at("score").get<double>() * signal.at("weight").get<double>(), 2e-6);
      sum += signal.at("contribution").get<double>();
    }
    for (const json& adjustment : pair.at("explanation").at("adjustments")) {
      sum += adjustment.at("contribution").get<double>();
      EXPECT_FALSE(adjustment.at("reason").get<std::string>().empty());
    }
    EXPECT_NEAR(sum, pair.at("combined_score"), 1e-5) << pair.at("identity");
  }
}

TEST_F(HuntOutput, RanksByScore) {
  const Hunted hunted = hunt_all({day()});
  EXPECT_TRUE(
      std::is_sorted(hunted.pairs.begin(), hunted.pairs.end(), [](const json& a, const json& b) {
        return a.at("combined_score") > b.at("combined_score");
      }));
}

TEST_F(HuntOutput, LetsANamedPairStandForItsAddressPairs) {
  const Hunted hunted = hunt_all({day()});
  const json& named = hunted.pair(kNamedImplant);
  ASSERT_TRUE(named.is_object());
  EXPECT_EQ(named.at("kind"), "named");
  EXPECT_EQ(named.at("dst_ip"), "203.0.113.60") << "the address it uses most";
  EXPECT_EQ(named.at("pair_key"), "10.0.0.16->203.0.113.60:443/TCP");
  auto addresses = named.at("dst_ips").get<std::vector<std::string>>();
  EXPECT_EQ(addresses.front(), "203.0.113.60");
  EXPECT_EQ(addresses.size(), 5U);
  std::uint64_t connections = 0;
  for (const std::string& address : addresses) {
    const json& pair = hunted.pair("10.0.0.16->" + address + ":443/TCP");
    ASSERT_TRUE(pair.is_object()) << address;
    EXPECT_EQ(pair.at("kind"), "address");
    connections += pair.at("connection_count").get<std::uint64_t>();
    EXPECT_EQ(pair.at("represented_by"), "cdn.rotate.example");
  }
  EXPECT_EQ(connections, named.at("connection_count"));
  // Without --all only the name is shown.
  std::size_t shown = 0;
  for (const json& pair : objects_in(hunt({"--format", "ndjson"}).out))
    shown += pair.at("src_ip") == "10.0.0.16" ? 1 : 0;
  EXPECT_EQ(shown, 1U);
}

// RFC 4180, as spreadsheets read it.
std::vector<std::vector<std::string>> csv_rows(const std::string& text) {
  std::vector<std::vector<std::string>> rows(1, {""});
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& cell = rows.back().back();
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      cell += '"', ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      rows.back().emplace_back();
    } else if (!quoted && c == '\n') {
      rows.push_back({""});
    } else {
      cell += c;
    }
  }
  EXPECT_FALSE(quoted);
  rows.pop_back();
  return rows;
}

TEST_F(HuntOutput, WritesTheSamePairsAsCsv) {
  const Hunted hunted = hunt_all({day()});
  const auto rows = csv_rows(hunt({"--all", "--format", "csv"}).out);
  ASSERT_EQ(rows.size(), hunted.pairs.size() + 1);
  const auto column = [&](std::string_view name) {
    return static_cast<std::size_t>(std::find(rows[0].begin(), rows[0].end(), name) -
                                    rows[0].begin());
  };
  ASSERT_LT(column("explanation"), rows[0].size());
  for (std::size_t i = 0; i < hunted.pairs.size(); ++i) {
    const auto& cells = rows[i + 1];
    const json& pair = hunted.pairs[i];
    ASSERT_EQ(cells.size(), rows[0].size());
    EXPECT_EQ(cells[column("pair_key")], pair.at("pair_key"));
    EXPECT_NEAR(std::stod(cells[column("combined_score")]), pair.at("combined_score"), 1e-6);
    EXPECT_EQ(cells[column("is_beacon")], pair.at("is_beacon") == true ? "true" : "false");
    EXPECT_EQ(cells[column("check_ins")], std::to_string(pair.at("check_ins").get<int>()));
    EXPECT_EQ(cells[column("explanation")], pair.at("explanation").at("summary"));
  }
}

TEST_F(HuntOutput, ShowsAsManyAsAskedFromTheScoreAskedFor) {
  const auto shown = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--format", "ndjson"});
    return objects_in(hunt(arguments).out);
  };
  const auto all = shown({});
  ASSERT_GE(all.size(), 3U);
  EXPECT_EQ(shown({"--limit", "2"}).size(), 2U);
  EXPECT_EQ(shown({"--limit", "2"})[0], all[0]);
  EXPECT_GT(shown({"--min-score", "0"}).size(), all.size());
  for (const json& pair : shown({"--min-score", "0.95"}))
    EXPECT_GE(pair.at("combined_score"), 0.95);
  EXPECT_EQ(hunt({"--min-score", "1.5"}).status, 2);
  for (const char* option : {"--limit=-1", "--min-score=nan", "--min-score=-0.1", "--memory=-1",
                             "--threads=-1", "--memory=20XB"}) {
    EXPECT_EQ(hunt({option}).status, 2) << option;
  }
}

TEST_F(HuntOutput, TellsFindingsByItsStatusWhereAsked) {
  EXPECT_EQ(hunt({}).status, 0);
  EXPECT_EQ(hunt({"--exit-code"}).status, 1);
  EXPECT_EQ(hunt({"--exit-code", "--allow", "0.0.0.0/0"}).status, 0) << "nothing is left";
  EXPECT_EQ(hunt({"--nonesuch"}).status, 2);
  EXPECT_EQ(hunt({"--format", "xml"}).status, 2);
  EXPECT_EQ(beaconry({"hunt"}).status, 2);
  EXPECT_EQ(beaconry({}).status, 2);
  EXPECT_EQ(beaconry({"hunt", folder_ / "none", "--exit-code"}).status, 3);
  const Ran help = beaconry({"hunt", "--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.out, HasSubstr("Exit status: 0 done, 1 beacons were found"));
  EXPECT_THAT(help.out, HasSubstr("*.example.com covers"));
}

TEST_F(HuntOutput, FailsWhenItsOutputCannotBeWritten) {
  const Ran full = hunt({"--format", "ndjson", "--all"}, {{}, {}, "/dev/full", {}});
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr("No space left"));
  EXPECT_EQ(hunt({}, {{}, {}, "/dev/full", {}}).status, 1);
  EXPECT_EQ(hunt({"--explain", kImplant}, {{}, {}, "/dev/full", {}}).status, 1);
  EXPECT_EQ(hunt({"--report", folder_ / "none/r.html"}).status, 1);
  EXPECT_EQ(hunt({"--report", "/dev/full"}).status, 1);
  struct stat device {};
  ASSERT_EQ(stat("/dev/full", &device), 0);
  EXPECT_TRUE(S_ISCHR(device.st_mode)) << "the page took its place";
}

TEST_F(HuntOutput, ColoursOnlyWhereItShould) {
  const auto coloured = [&](std::vector<std::string> arguments,
                            std::map<std::string, std::string> environment) {
    return hunt(std::move(arguments), {{}, std::move(environment), {}, {}}).printed("\x1b[");
  };
  EXPECT_FALSE(coloured({}, {})) << "a file is no terminal";
  EXPECT_TRUE(coloured({}, {{"FORCE_COLOR", "1"}}));
  EXPECT_TRUE(coloured({"--color"}, {}));
  EXPECT_FALSE(coloured({"--no-color"}, {{"FORCE_COLOR", "1"}}));
  EXPECT_FALSE(coloured({}, {{"NO_COLOR", "1"}}));
  EXPECT_FALSE(coloured({"--format", "ndjson"}, {{"FORCE_COLOR", "1"}}));
  EXPECT_FALSE(coloured({"--format", "csv", "--color"}, {}));
}

TEST_F(HuntOutput, FitsTheTerminalItIsTold) {
  for (const char* columns : {"80", "100", "132"}) {
    const Ran ran = hunt({}, {{}, {{"COLUMNS", columns}}, {}, {}});
    EXPECT_THAT(ran.out, HasSubstr("SCORE"));
    EXPECT_THAT(ran.out, HasSubstr("10.0.0.13"));
  }
}

TEST_F(HuntOutput, WritesAPageThatNeedsNoNetwork) {
  const std::string path = folder_ / "r.html";
  ASSERT_EQ(hunt({"--report", path}).status, 0);
  const std::string page = read_file(path);
  EXPECT_THAT(page, HasSubstr("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("http-equiv=\"Content-Security-Policy\""));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  for (const char* load : {"<script", "src=\"", "src='", "url(", "@import", "<link", "<iframe"})
    EXPECT_THAT(page, Not(HasSubstr(load)));
  EXPECT_THAT(page, Not(ContainsRegex("(href|action)=[\"']?https?:")));
  EXPECT_THAT(page, HasSubstr("203.0.113.50"));
  EXPECT_THAT(page, HasSubstr("cdn.rotate.example"));
  EXPECT_THAT(page, HasSubstr("<svg"));
}

TEST_F(HuntOutput, ExplainsAPairByKeyAndByName) {
  const Ran by_key = hunt({"--explain", kImplant});
  EXPECT_EQ(by_key.status, 0);
  for (const char* part : {"10.0.0.13", "203.0.113.50", "sleep 60.0s", "Cobalt-Strike-like",
                           "in one stint", "Timeline", "C100"}) {
    EXPECT_THAT(by_key.out, HasSubstr(part));
  }
  const Ran by_identity = hunt({"--explain", kNamedImplant});
  EXPECT_EQ(by_identity.status, 0);
  EXPECT_THAT(by_identity.out, HasSubstr("203.0.113.64")) << "all its addresses";
  EXPECT_EQ(hunt({"--explain", "cdn.rotate.example"}).out, by_identity.out);
  EXPECT_EQ(hunt({"--explain", "CDN.Rotate.Example"}).out, by_identity.out);
  EXPECT_EQ(hunt({"--explain", "203.0.113.50"}).out, by_key.out);
}

TEST_F(HuntOutput, SuggestsTheNearestKeyForAWrongOne) {
  const Ran wrong = hunt({"--explain", "10.0.0.13->203.0.113.50:444/TCP"});
  EXPECT_EQ(wrong.status, 2);
  EXPECT_EQ(wrong.out, "");
  EXPECT_THAT(wrong.err, HasSubstr("did you mean 10.0.0.13->203.0.113.50:443/TCP?"));
  EXPECT_EQ(hunt({"--explain", "nonsense"}).status, 2);
}

TEST_F(HuntOutput, GivesOneDocumentAsJson) {
  const json report = json::parse(hunt({"--all", "--format", "json"}).out, nullptr, false);
  ASSERT_TRUE(report.is_object());
  EXPECT_EQ(report.at("format"), "beaconry-hunt-report");
  const Hunted hunted = hunt_all({day()});
  ASSERT_EQ(report.at("pairs").size(), hunted.pairs.size());
  for (std::size_t i = 0; i < hunted.pairs.size(); ++i)
    EXPECT_EQ(report.at("pairs")[i], hunted.pairs[i]);
  // Where nothing can be read it is a document all the same.
  const Ran none = beaconry({"hunt", folder_ / "none", "--format", "json"});
  EXPECT_EQ(none.status, 3);
  EXPECT_TRUE(json::parse(none.out, nullptr, false).is_object());
}

}  // namespace
}  // namespace beaconry::cli
