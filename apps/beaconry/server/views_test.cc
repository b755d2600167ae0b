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

TEST(ServerViews, AnEdgesLedgerTellsEveryHopAndUpToWhenItIsComplete) {
  const auto text = edge_text(R"({"name": "office", "id": "00ff", "enrolled": true,
    "complete_up_to": "2026-11-22T02:18:25.000Z", "batches_unexplained": 2, "ledger": [
    {"hop": "capture", "what": "packets seen", "count": 120, "lost": 7, "how": "dropped by the kernel"},
    {"hop": "kept", "what": "events received", "count": 9, "lost": null, "how": ""}]})");
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_THAT(*text, testing::ContainsRegex("capture +packets seen +120 +7 +dropped by"));
  EXPECT_THAT(*text, HasSubstr("Complete up to 2026-11-22T02:18:25.000Z"));
  EXPECT_THAT(*text, HasSubstr("2 batches neither came"));
}

// What follows are answers of a server, as src/control/routes writes them: a field that is read by
// another name shows as an empty cell.
constexpr const char* kRealBeacons =
    R"({"count":1,"total":5,"beacons":[{"pair_key":"10.77.0.5->198.18.77.5:443/TCP",
"identity":"10.77.0.5->cdn.example:443/TCP","kind":"named","src_ip":"10.77.0.5","src_name":null,
"dst_ip":"198.18.77.5","dst_ips":["198.18.77.5"],"server_name":"cdn.example",
"dst_name":"cdn.example","dst_port":443,"protocol":"TCP","cv_score":1.0,"periodicity_score":0.98,
"jitter_score":0.97,"size_score":0.997128,"combined_score":0.999569,"is_beacon":true,
"confidence":"critical","severity":"CRITICAL","interval_stats":{"count":119,"mean":30.0,
"std_dev":0.0,"cv":0.0,"median":30.0,"min_interval":30.0,"max_interval":30.0,"jitter":0.0},
"periodicity_result":{"is_periodic":true,"dominant_period":30.0,"periodicity_score":1.0,
"frequency_peaks":[0.033333]},"jitter_percent":0.0,"connection_count":120,"check_ins":120,
"bytes_out":55200,"bytes_in":36000,"duration_seconds":3570.0,
"first_seen":"2026-11-22T01:18:30.000Z","last_seen":"2026-11-22T02:18:00.000Z",
"analysis_time":"2026-11-22T02:18:28.960Z","hidden":null,"hidden_reason":null,
"explanation":{"summary":"fixed sleep","detected_interval_seconds":30.0,"sleep_model":"fixed",
"contributing_signals":[],"adjustments":[]}}],
"next_cursor":"0.99956925562664489 10.77.0.5->cdn.example:443/TCP"})";

constexpr const char* kRealConnections = R"({"count":1,"total":106,"pairs":[
{"pair_key":"10.10.0.10->192.0.2.16:10000/TCP","src_ip":"10.10.0.10","dst_ip":"192.0.2.16",
"dst_port":10000,"protocol":"TCP","server_name":"cdn.example","connection_count":7,"check_ins":5,
"duration_seconds":90.5,"first_seen":"2026-11-22T01:29:43.261Z",
"last_seen":"2026-11-22T01:31:13.761Z"}],"next_cursor":"10.10.0.10->192.0.2.16:10000/TCP"})";

constexpr const char* kRealLongConnections = R"({"count":1,"min_duration":0.0,"connections":[
{"pair_key":"10.77.0.5->198.18.77.5:443/TCP","src_ip":"10.77.0.5","dst_ip":"198.18.77.5",
"dst_port":443,"protocol":"TCP","src_port":40445,"server_name":"cdn.example","edge":"sensor-1",
"duration_seconds":7300.0,"first_seen":"2026-11-22T01:18:30.000Z",
"last_seen":"2026-11-22T01:18:30.040Z","bytes_out":460,"bytes_in":300}]})";

constexpr const char* kRealAlerts = R"({"count":1,"total":2,"alerts":[
{"alert_id":"ba0969d2726c545a6796a77cc7e5d620","title":"Beacon gone: 10.30.0.10->192.0.2.1:8883/TCP",
"description":"its last check-in was 19m ago","severity":"LOW","source":"hunt","details":{},
"timestamp":"2026-11-22T02:18:28.960Z","tags":["beacon","gone","TCP"],"kind":"beacon.gone",
"subject":"10.30.0.10->192.0.2.1:8883/TCP"}],"next_cursor":"2"})";

constexpr const char* kRealEdges = R"({"count":1,"edges":[{"id":"00ff00ff00ff00ff",
"fingerprint":"00ff00ff00ff00ff","state":"enrolled","name":"sensor-1","kind":"collector",
"enrolled":true,"revoked":false,"enrolments":1,"name_conflict":false,
"enrolled_at":"2026-11-22T02:00:00.000Z","last_seen":"2026-11-22T02:18:25.927Z",
"last_address":"127.0.0.1","clock_skew_seconds":0.5,"incarnation":"i","sequence":41,"batches":31,
"repeated":2,"events":1576,"batches_missing":17,"batches_dropped":19,"counters":{}}]})";

TEST(ServerViews, ARealAnswerFillsEveryColumnOfATable) {
  const auto row_of = [](const Result<std::string>& text) {
    // Behind bars, title, empty line, headings and their underlines.
    std::string rest = text ? *text : text.error().message();
    for (int line = 0; line < 6; ++line)
      rest.erase(0, rest.find('\n') + 1);
    return rest.substr(0, rest.find('\n'));
  };
  using testing::MatchesRegex;
  EXPECT_THAT(row_of(beacons_text(kRealBeacons, false)),
              MatchesRegex("  100.0%  CRITICAL    10.77.0.5  +198.18.77.5  +443    TCP    120  +"
                           "30.0s  +cdn.example  +"));
  EXPECT_THAT(row_of(connections_text(kRealConnections)),
              MatchesRegex("  10.10.0.10  +192.0.2.16  +10000  TCP    7  +90.5s  +"
                           "2026-11-22T01:31:13.761Z +cdn.example  +"));
  EXPECT_THAT(row_of(long_connections_text(kRealLongConnections)),
              MatchesRegex("  2.0h  +10.77.0.5  +198.18.77.5  +443    TCP    460  +300  +"
                           "2026-11-22T01:18:30.000Z +cdn.example  +"));
  EXPECT_THAT(row_of(alerts_text(kRealAlerts, false)),
              MatchesRegex("  2026-11-22T02:18:28.960Z  LOW  +Beacon gone: .*TCP +"));
  EXPECT_THAT(row_of(edges_text(kRealEdges)),
              MatchesRegex("  sensor-1  +collector  00ff00ff00ff  enrolled  +"
                           "2026-11-22T02:18:25.927Z  .0.5s  +31  +17  +19  +- +"));
}

TEST(ServerViews, ARealAnswerFillsEveryColumnOfCsv) {
  const auto csv_row = [](const Result<std::string>& csv) {
    return csv ? csv->substr(csv->find('\n') + 1) : csv.error().message();
  };
  EXPECT_EQ(csv_row(beacons_csv(kRealBeacons)),
            "0.999569,critical,10.77.0.5,198.18.77.5,cdn.example,443,TCP,120,30.0,1.0,0.98,0.97,"
            "0.997128,2026-11-22T01:18:30.000Z,2026-11-22T02:18:00.000Z,"
            "10.77.0.5->198.18.77.5:443/TCP,10.77.0.5->cdn.example:443/TCP,\n");
  EXPECT_EQ(csv_row(connections_csv(kRealConnections)),
            "10.10.0.10,192.0.2.16,10000,TCP,7,90.5,2026-11-22T01:29:43.261Z,"
            "2026-11-22T01:31:13.761Z,10.10.0.10->192.0.2.16:10000/TCP,cdn.example\n");
  EXPECT_EQ(csv_row(long_connections_csv(kRealLongConnections)),
            "7300.0,10.77.0.5,40445,198.18.77.5,cdn.example,443,TCP,460,300,"
            "2026-11-22T01:18:30.000Z,2026-11-22T01:18:30.040Z,10.77.0.5->198.18.77.5:443/TCP\n");
  EXPECT_EQ(csv_row(alerts_csv(kRealAlerts)),
            "ba0969d2726c545a6796a77cc7e5d620,2026-11-22T02:18:28.960Z,LOW,"
            R"("Beacon gone: 10.30.0.10->192.0.2.1:8883/TCP","its last check-in was 19m ago",)"
            "10.30.0.10->192.0.2.1:8883/TCP\n");
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
