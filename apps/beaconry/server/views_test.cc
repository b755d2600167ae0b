#include "server/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kStatus = R"({
  "status": "running", "uptime_seconds": 9000, "events_received": 15432,
  "storage": {"pair_count": 234},
  "analyzer": {"total_beacons_detected": 3, "total_alerts_generated": 5}})";

constexpr const char* kBeacons = R"({"count": 3, "beacons": [
  {"pair_key": "10.0.0.100->203.0.113.50:443/TCP", "src_ip": "10.0.0.100",
   "dst_ip": "203.0.113.50", "dst_port": 443, "protocol": "TCP", "combined_score": 0.942,
   "confidence": "critical", "connection_count": 156,
   "explanation": {"detected_interval_seconds": 60.0}},
  {"pair_key": "10.0.0.101->198.51.100.25:8080/TCP", "src_ip": "10.0.0.101",
   "dst_ip": "198.51.100.25", "dst_port": 8080, "protocol": "TCP", "combined_score": 0.853,
   "confidence": "high", "connection_count": 89,
   "explanation": {"detected_interval_seconds": 30.0}},
  {"pair_key": "10.0.0.102->192.0.2.100:53/UDP", "src_ip": "10.0.0.102", "dst_ip": "192.0.2.100",
   "dst_port": 53, "protocol": "UDP", "combined_score": 0.721, "confidence": "medium",
   "connection_count": 45, "interval_stats": {"median": 300.0}}]})";

// What users of the predecessor know by sight.
TEST(ServerViews, StatusLooksAsItAlwaysDid) {
  const auto text = status_text(kStatus, "localhost:9090", false);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text,
            R"(    ____                               ____       __            __ 
   / __ )___  ____ __________  ____   / __ \___  / /____  _____/ /_
  / __  / _ \/ __ `/ ___/ __ \/ __ \ / / / / _ \/ __/ _ \/ ___/ __/
 / /_/ /  __/ /_/ / /__/ /_/ / / / // /_/ /  __/ /_/  __/ /__/ /_  
/_____/\___/\__,_/\___/\____/_/ /_//_____/\___/\__/\___/\___/\__/  


═══════════════════════════════════════════════════════════════════
  SYSTEM STATUS
═══════════════════════════════════════════════════════════════════


  ✓ LIVE


  Server:                        localhost:9090
  Status:                        Running
  Uptime:                        2.5h
  Events Received:               15,432
  Connection Pairs:              234
  Beacons Detected:              3
  Alerts Generated:              5
)");
}

TEST(ServerViews, StatusTellsTheBeaconsThatAreThereNow) {
  const auto text = status_text(
      R"({"analyzer": {"beacons_detected": 2, "total_beacons_detected": 9}})", "here", false);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("Beacons Detected:              2\n"));
}

TEST(ServerViews, BeaconsLookAsTheyAlwaysDid) {
  const auto text = beacons_text(kBeacons, false);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("  SCORE   SEVERITY    SOURCE IP           DEST IP             PORT "
                               "  PROTO  CONNS     INTERVAL   \n"
                               "  -----   --------    ---------           -------             ---- "
                               "  -----  -----     --------   \n"
                               "  94.2%   CRITICAL    10.0.0.100          203.0.113.50        443  "
                               "  TCP    156       60.0s      \n"
                               "  85.3%   HIGH        10.0.0.101          198.51.100.25       8080 "
                               "  TCP    89        30.0s      \n"
                               "  72.1%   MEDIUM      10.0.0.102          192.0.2.100         53   "
                               "  UDP    45        300.0s     \n"));
}

TEST(ServerViews, ANamedPairShowsItsAddressAndItsName) {
  auto json = nlohmann::json::parse(kBeacons);
  EXPECT_THAT(*beacons_text(json.dump(), false), Not(HasSubstr("NAME")));
  json["beacons"][0]["dst_name"] = "cdn.evil.example";
  const std::string text = *beacons_text(json.dump(), false);
  EXPECT_THAT(text,
              HasSubstr("203.0.113.50        443    TCP    156       60.0s      cdn.evil.ex"));
  EXPECT_THAT(text, HasSubstr("INTERVAL   NAME"));
}

TEST(ServerViews, AnAddressIsNeverCut) {
  auto json = nlohmann::json::parse(kBeacons);
  json["beacons"][0]["src_ip"] = "2001:db8:1111:2222:3333:4444:5555:6666";
  EXPECT_THAT(*beacons_text(json.dump(), false),
              HasSubstr("2001:db8:1111:2222:3333:4444:5555:6666 203.0.113.50"));
}

TEST(ServerViews, SaysWhereThereIsMore) {
  auto json = nlohmann::json::parse(kBeacons);
  json["total"] = 1234;
  EXPECT_THAT(*beacons_text(json.dump(), false), HasSubstr("3 of 1,234 are shown"));
}

TEST(ServerViews, TextFromTheNetworkCannotSteerTheTerminal) {
  auto json = nlohmann::json::parse(kBeacons);
  json["beacons"][0]["dst_name"] = "a\x1b[2Jb";
  EXPECT_THAT(*beacons_text(json.dump(), false), Not(HasSubstr("\x1b")));
}

TEST(ServerViews, FieldsOfOddTypesDoNoHarm) {
  for (const char* text :
       {R"({"beacons": 5})", R"({"beacons": [5, null, {"src_ip": 7, "combined_score": "x"}]})",
        R"({"storage": [], "uptime_seconds": "long"})"}) {
    EXPECT_TRUE(beacons_text(text, true)) << text;
    EXPECT_TRUE(status_text(text, "h", true)) << text;
  }
}

TEST(ServerViews, SaysThatAnotherProgramAnswered) {
  const auto text = beacons_text("<html>", false);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message(), HasSubstr("another program"));
}

TEST(ServerViews, CsvHasAHeaderAndALineABeacon) {
  const auto csv = beacons_csv(kBeacons);
  ASSERT_TRUE(csv);
  EXPECT_THAT(*csv, testing::StartsWith("score,severity,src_ip,dst_ip,"));
  EXPECT_EQ(std::count(csv->begin(), csv->end(), '\n'), 4);
  EXPECT_THAT(*csv, HasSubstr("0.942,critical,10.0.0.100,203.0.113.50,,443,TCP,156,60.0"));
}

TEST(ServerViews, CsvCellsAreNoFormulas) {
  auto json = nlohmann::json::parse(kBeacons);
  json["beacons"][0]["dst_name"] = "=cmd()";
  EXPECT_THAT(*beacons_csv(json.dump()), HasSubstr("'=cmd()"));
}

TEST(ServerViews, AnEdgeShowsTheWorstThatIsToBeSaidOfIt) {
  const auto text = edges_text(R"({"edges": [
    {"name": "a", "id": "0123456789abcdef", "enrolled": true, "enrolments": 1,
     "clock_skew_seconds": -2.5},
    {"name": "b", "enrolled": true, "name_conflict": true},
    {"name": "c", "enrolled": true, "revoked": true, "clock_skew_seconds": null}]})");
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("0123456789ab  enrolled "));
  EXPECT_THAT(*text, HasSubstr("-2.5s"));
  EXPECT_THAT(*text, HasSubstr("name conflict"));
  EXPECT_THAT(*text, HasSubstr("revoked"));
}

TEST(ServerViews, WatchFitsTheScreen) {
  WatchState state;
  state.host = "localhost:9090";
  state.status = kStatus;
  auto beacons = nlohmann::json::parse(kBeacons);
  for (int i = 0; i < 90; ++i)
    beacons["beacons"].push_back(beacons["beacons"][0]);
  state.beacons = beacons.dump();
  auto alerts = nlohmann::json::object();
  for (int i = 0; i < 60; ++i) {
    alerts["alerts"].push_back({{"timestamp", "2026-11-21T18:00:00Z"},
                                {"severity", "HIGH"},
                                {"title", "Beacon " + std::to_string(i)}});
  }
  state.alerts = alerts.dump();
  for (const std::size_t rows : {24U, 40U, 60U}) {
    const std::string text = watch_text(state, Terminal{100, false, true}, rows);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), static_cast<std::ptrdiff_t>(rows))
        << rows;
    EXPECT_THAT(text, HasSubstr("CRITICAL"));
    EXPECT_THAT(text, HasSubstr("Beacon 0"));
  }
}

TEST(ServerViews, WatchSaysWhyItIsNotLive) {
  WatchState state;
  state.problem = "connect localhost:9090: connection refused";
  EXPECT_THAT(watch_text(state, Terminal{}, 24), HasSubstr("✗ connect localhost:9090"));
}

}  // namespace
}  // namespace beaconry
