#include "control/control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "control/openapi.h"
#include "control/test_server.h"
#include "uplink/instrument_event_batch.h"
#include "uplink/relayed_batch.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::IsSupersetOf;

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::vector<std::string> keys(const Json& json) {
  std::vector<std::string> all;
  for (const auto& [key, value] : json.items())
    all.push_back(key);
  return all;
}

class ControlTest : public test::ServerTest {
 protected:
  std::string settings() const override { return "detection:\n  analysis_interval: 3600\n"; }

  // The predecessor's simulated data plane: a check-in a minute, until now.
  static Json beacon_batch(int check_ins, const std::string& id = "b1") {
    Json events = Json::array();
    const auto start = now() - std::chrono::minutes{check_ins};
    for (int i = 0; i < check_ins; ++i) {
      const auto at = start + std::chrono::minutes{i};
      events.push_back({{"timestamp_ns", std::chrono::nanoseconds(at.time_since_epoch()).count()},
                        {"timestamp_utc", to_rfc3339(at)},
                        {"src_ip", "10.0.0.100"},
                        {"dst_ip", "203.0.113.50"},
                        {"src_port", 40000 + i},
                        {"dst_port", 443},
                        {"packet_size", 128},
                        {"protocol", 6},
                        {"protocol_name", "TCP"},
                        {"tcp_flags", 2},
                        {"direction", 1},
                        {"node_id", "sim"},
                        {"connection_key", "k"}});
    }
    return {{"batch_id", id},
            {"node_id", "sim"},
            {"events", events},
            {"data_plane_stats", {{"events_dropped_ebpf", 3}, {"events_dropped_overflow", 4}}}};
  }
};

TEST_F(ControlTest, FromTelemetryToABeaconAndItsAlert) {
  const Json taken = post("/api/v1/telemetry", beacon_batch(60).dump());
  EXPECT_EQ(taken, (Json{{"status", "accepted"}, {"batch_id", "b1"}, {"events_received", 60}}));
  const Json run = post("/api/v1/analyze");
  EXPECT_THAT(keys(run), IsSupersetOf({"status", "run", "beacons_found"}));
  EXPECT_THAT(keys(run["run"]),
              IsSupersetOf({"run_id", "start_time", "end_time", "duration_seconds",
                            "pairs_analyzed", "pairs_suppressed", "beacons_detected",
                            "alerts_generated", "pairs_skipped", "errors"}));
  EXPECT_EQ(run["beacons_found"], 1) << run.dump();

  post("/api/v1/analyze");
  const Json analyzer = get("/api/v1/status")["analyzer"];
  EXPECT_EQ(analyzer["beacons_detected"], 1);
  EXPECT_EQ(analyzer["total_beacons_detected"], 1);  // the same one

  const Json beacons = get("/api/v1/beacons");
  ASSERT_EQ(beacons["count"], 1);
  const Json beacon = beacons["beacons"][0];
  EXPECT_THAT(keys(beacon), IsSupersetOf({"pair_key",
                                          "src_ip",
                                          "dst_ip",
                                          "dst_port",
                                          "protocol",
                                          "cv_score",
                                          "periodicity_score",
                                          "jitter_score",
                                          "size_score",
                                          "combined_score",
                                          "is_beacon",
                                          "confidence",
                                          "interval_stats",
                                          "periodicity_result",
                                          "connection_count",
                                          "duration_seconds",
                                          "first_seen",
                                          "last_seen",
                                          "analysis_time",
                                          "explanation"}));
  EXPECT_THAT(keys(beacon["interval_stats"]),
              IsSupersetOf({"count", "mean", "std_dev", "cv", "median", "min_interval",
                            "max_interval", "jitter"}));
  EXPECT_THAT(
      keys(beacon["periodicity_result"]),
      IsSupersetOf({"is_periodic", "dominant_period", "periodicity_score", "frequency_peaks"}));
  EXPECT_THAT(keys(beacon["explanation"]["contributing_signals"][0]),
              IsSupersetOf({"name", "score", "weight", "contribution", "raw_value", "threshold"}));
  EXPECT_EQ(beacon["pair_key"], "10.0.0.100->203.0.113.50:443/TCP");
  EXPECT_NEAR(beacon["explanation"]["detected_interval_seconds"].get<double>(), 60, 0.6);
  EXPECT_EQ(beacon["connection_count"], 60);

  const Json alerts = get("/api/v1/alerts");
  ASSERT_EQ(alerts["count"], 1);  // the first analysis of an empty store: a digest
  EXPECT_EQ(alerts["alerts"][0]["title"],
            "Beacon in the first analysis: 10.0.0.100->203.0.113.50:443/TCP");
  EXPECT_THAT(keys(alerts["alerts"][0]),
              IsSupersetOf({"alert_id", "title", "description", "severity", "source", "details",
                            "timestamp", "tags"}));
  const Json pair = get("/api/v1/pairs/10.0.0.100-%3E203.0.113.50%3A443%2FTCP");
  EXPECT_EQ(pair["series"].size(), 60U);
  EXPECT_GE(pair["history"].size(), 1U);
}

TEST_F(ControlTest, ShowsWhatThePredecessorShowed) {
  post("/api/v1/telemetry", beacon_batch(5).dump());
  EXPECT_EQ(send("GET", "/api/v1/health").body,
            R"({"status":"healthy","alert_queue_fill_percent":0.0,)"
            R"("alert_queue_backpressure":false,"alert_queue_drops":0})");
  const Json status = get("/api/v1/status");
  EXPECT_THAT(
      keys(status),
      IsSupersetOf({"status", "uptime_seconds", "start_time", "requests_received",
                    "batches_processed", "events_received", "alert_queue_drops", "ebpf_drops_total",
                    "buffer_overflow_total", "storage", "analyzer", "alerter", "system"}));
  EXPECT_EQ(status["events_received"], 5);
  EXPECT_EQ(status["ebpf_drops_total"], 3);
  EXPECT_EQ(status["buffer_overflow_total"], 4);
  EXPECT_THAT(keys(status["storage"]),
              IsSupersetOf({"pair_count", "pairs_count", "total_connections", "unique_src_ips",
                            "unique_dst_ips", "unique_dst_ports", "records_added",
                            "records_expired", "batches_received", "retention_seconds"}));
  EXPECT_EQ(status["storage"]["pair_count"], 1);
  EXPECT_THAT(keys(status["analyzer"]),
              IsSupersetOf({"total_beacons_detected", "total_alerts_generated", "beacons_detected",
                            "analysis_runs"}));
  EXPECT_THAT(keys(status["alerter"]), IsSupersetOf({"alerts_sent"}));
  EXPECT_THAT(keys(status["system"]), IsSupersetOf({"cpu_percent", "memory_mb", "open_fds"}));
  const Json connections = get("/api/v1/connections?src_ip=10.0.0.100&limit=10");
  EXPECT_EQ(connections["count"], 1);
  EXPECT_THAT(keys(connections["pairs"][0]),
              IsSupersetOf({"pair_key", "src_ip", "dst_ip", "dst_port", "protocol",
                            "connection_count", "duration_seconds", "first_seen", "last_seen"}));
  EXPECT_EQ(get("/api/v1/connections?src_ip=10.9.9.9")["count"], 0);
  EXPECT_THAT(keys(get("/api/v1/config")),
              IsSupersetOf({"detection", "weights", "alerting", "whitelist"}));
  const HttpResponse metrics = send("GET", "/api/v1/metrics");
  EXPECT_THAT(std::string(metrics.header("content-type")), HasSubstr("text/plain"));
  EXPECT_THAT(std::string(metrics.header("content-type")), HasSubstr("version=0.0.4"));
  EXPECT_THAT(metrics.body,
              HasSubstr("# HELP beacon_detector_events_total Total connection events received "
                        "from all data plane nodes.\n# TYPE beacon_detector_events_total "
                        "counter\nbeacon_detector_events_total 5\n"));
  for (const char* name :
       {"pairs_active gauge", "analysis_duration_seconds gauge", "alerts_total counter",
        "buffer_overflow_total counter", "ebpf_drops_total counter"}) {
    EXPECT_THAT(metrics.body, HasSubstr(std::string("# TYPE beacon_detector_") + name));
  }
}

TEST_F(ControlTest, ADecisionThatIsRefusedMutesNothing) {
  post("/api/v1/telemetry", beacon_batch(60).dump());
  post("/api/v1/analyze");
  const std::string subject = "10.0.0.100->203.0.113.50:443/TCP";
  const auto decide = [&](const std::string& expires, const std::string& of) {
    const Json body = {
        {"subject", of}, {"decision", "benign"}, {"reason", "ours"}, {"expires", expires}};
    return send("POST", "/api/v1/triage", body.dump()).status;
  };
  const std::string before = (*control_->beacons().find(subject))->watch;
  EXPECT_EQ(decide("2020-01-01T00:00:00Z", subject), 400);
  EXPECT_EQ(get("/api/v1/triage")["count"], 0);
  EXPECT_EQ((*control_->beacons().find(subject))->watch, before);
  EXPECT_EQ(decide("1d", "10.0.0.1->203.0.113.1:1/TCP"), 404);
  EXPECT_EQ(get("/api/v1/triage")["count"], 0);
  EXPECT_EQ(decide("1d", subject), 200);
  const Json kept = get("/api/v1/pairs/10.0.0.100-%3E203.0.113.50%3A443%2FTCP")["triage"];
  EXPECT_EQ(kept["decision"], "benign");
}

TEST_F(ControlTest, ARestartForgetsNothingAndTakesNothingTwice) {
  post("/api/v1/telemetry", beacon_batch(60).dump());
  post("/api/v1/analyze");
  start();
  EXPECT_EQ(get("/api/v1/status")["events_received"], 60);
  EXPECT_EQ(get("/api/v1/beacons")["count"], 1);
  const Json again = post("/api/v1/telemetry", beacon_batch(1, "b2").dump());
  EXPECT_EQ(again["events_received"], 1);
  const Json run = post("/api/v1/analyze");
  EXPECT_EQ(run["beacons_found"], 1);
  EXPECT_EQ(run["run"]["alerts_generated"], 0);
}

TEST_F(ControlTest, RefusesInWords) {
  struct Case {
    const char *method, *target, *body;
    int status;
    const char* words;
  };
  for (const Case& c :
       {Case{"GET", "/api/v1/nothing", "", 404, "no such path"},
        Case{"PUT", "/api/v1/beacons", "", 405, "GET"},
        Case{"GET", "/api/v1/beacons?min_score=2", "", 400, "min_score"},
        Case{"GET", "/api/v1/beacons?limit=x", "", 400, "limit"},
        Case{"GET", "/api/v1/connections?src_ip=x", "", 400, "src_ip"},
        Case{"GET", "/api/v1/connections?cursor=x", "", 400, "cursor"},
        Case{"GET", "/api/v1/long-connections?cursor=x", "", 400, "cursor"},
        Case{"POST", "/api/v1/enrollments", R"({"kind":"collector","name":"a"})", 409, "init"},
        Case{"GET", "/api/v1/alerts?severity=loud", "", 400, "severity"},
        Case{"GET", "/api/v1/pairs/nobody", "", 404, "no such pair"},
        Case{"POST", "/api/v1/telemetry", "{", 400, "not JSON at byte"},
        Case{"POST", "/api/v1/config", R"({"detection":{"cv_treshold":1}})", 400, "cv_threshold"},
        Case{"POST", "/api/v1/config", R"({"weights":{"cv":0.9}})", 400, "sum"},
        Case{"DELETE", "/api/v1/alerts/none", "", 404, "no alert"}}) {
    const HttpResponse answer = send(c.method, c.target, c.body);
    EXPECT_EQ(answer.status, c.status) << c.target << ' ' << answer.body;
    const Json json = Json::parse(answer.body, nullptr, false);
    ASSERT_TRUE(json.is_object() && json.contains("error")) << c.target << ' ' << answer.body;
    EXPECT_THAT(json["error"].get<std::string>(), HasSubstr(c.words)) << c.target;
  }
}

TEST_F(ControlTest, TheConfigurationChangesAsAWholeAndComesBack) {
  post("/api/v1/config",
       R"({"detection":{"alert_threshold":0.9},"whitelist":{"destination_ips":["203.0.113.50"]}})");
  EXPECT_EQ(get("/api/v1/config")["detection"]["alert_threshold"], 0.9);
  post("/api/v1/telemetry", beacon_batch(60).dump());
  const Json run = post("/api/v1/analyze");
  EXPECT_EQ(run["beacons_found"], 0);
  start();
  EXPECT_EQ(get("/api/v1/config")["detection"]["alert_threshold"], 0.9);
  const Json history = get("/api/v1/config/history");
  ASSERT_GE(history["count"].get<int>(), 2);
  post("/api/v1/config/rollback", R"({"version":1})");
  EXPECT_EQ(get("/api/v1/config")["detection"]["alert_threshold"], 0.7);
}

TEST_F(ControlTest, FromTheFirstTokenOnNobodyComesWithoutOne) {
  const std::string token =
      post("/api/v1/tokens", R"({"name":"kim","role":"read"})")["token"].get<std::string>();
  EXPECT_EQ(send("GET", "/api/v1/status").status, 401);
  EXPECT_EQ(send("GET", "/api/v1/health").status, 200);
  EXPECT_EQ(send("GET", "/api/v1/status", "", {{"x-api-key", token}}).status, 200);
  EXPECT_EQ(send("POST", "/api/v1/analyze", "", {{"authorization", "Bearer " + token}}).status,
            403);
}

// A sensor's batch over HTTP.
Envelope of_sensor(std::uint64_t sequence, ContentKind kind, std::string content) {
  Envelope envelope;
  envelope.edge = std::string(64, 'd');
  envelope.edge_name = "sensor001";
  envelope.incarnation = std::string(32, '2');
  envelope.sequence = sequence;
  envelope.sent = now();
  envelope.content_kind = kind;
  envelope.content = std::move(content);
  return envelope;
}

TEST_F(ControlTest, EventsOfInstrumentsAreListedAndBecomeAlerts) {
  InstrumentEventBatch batch;
  batch.made = now();
  for (const char* type : {"instruments.beacon.ev.alert", "instruments.beacon.ev.status"}) {
    InstrumentEvent event;
    event.instance = "beacon_0";
    event.uuid = "00000000-0000-4000-8000-00000000000" + std::to_string(batch.events.size());
    event.time = now();
    event.type = type;
    event.message = "a leak";
    event.data_json = R"({"methods": ["dns"]})";
    batch.events.push_back(event);
  }
  const std::string body = encode_envelope(
      of_sensor(1, ContentKind::instrument_events, encode_instrument_events(batch)));
  const HttpHeaders protobuf{{"content-type", "application/x-protobuf"}};
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(send("POST", "/api/v1/telemetry", body, protobuf).status, 200);
  const Json all = get("/api/v1/instrument-events");
  EXPECT_EQ(all["count"], 2);
  EXPECT_EQ(all["received"]["stored"], 2);
  const Json listed =
      get("/api/v1/instrument-events?type=*.ev.alert&instance=beacon_0@sensor001&since=1h");
  ASSERT_EQ(listed["events"].size(), 1U);
  const Json event = listed["events"][0];
  EXPECT_EQ(event["source"], "beacon_0@sensor001");
  EXPECT_EQ(event["data"]["methods"][0], "dns");
  EXPECT_EQ(send("GET", "/api/v1/instrument-events?since=x").status, 400);
  EXPECT_EQ(get("/api/v1/instrument-events?edge=other")["count"], 0);

  const Json alerts = get("/api/v1/alerts?kind=instruments.beacon.ev.alert");
  ASSERT_EQ(alerts["alerts"].size(), 1U);
  EXPECT_EQ(alerts["alerts"][0]["alert_id"], event["alert"]);
  EXPECT_EQ(alerts["alerts"][0]["subject"], "beacon_0@sensor001");
  EXPECT_THAT(send("GET", "/api/v1/metrics").body,
              HasSubstr("beaconry_instrument_events_total{outcome=\"stored\"} 2"));

  // A person says that this instrument's alerts are none.
  post("/api/v1/triage",
       R"({"subject": "beacon_0@sensor001", "decision": "benign", "reason": "a test"})");
  batch.events.resize(1);
  batch.events[0].uuid.back() = '9';
  send("POST", "/api/v1/telemetry",
       encode_envelope(
           of_sensor(2, ContentKind::instrument_events, encode_instrument_events(batch))),
       protobuf);
  EXPECT_EQ(get("/api/v1/alerts?kind=instruments.beacon.ev.alert")["alerts"].size(), 1U);
  EXPECT_EQ(get("/api/v1/instrument-events")["received"]["alerts_muted"], 1);
  EXPECT_EQ(send("DELETE", "/api/v1/triage/beacon_0%40sensor001").status, 200);
}

TEST_F(ControlTest, AnInstrumentThatASensorRelaysIsListedUnderItsName) {
  FlowBatchBuilder builder;
  Envelope inner = of_sensor(1, ContentKind::flows, builder.finish(now(), {}));
  inner.edge = std::string(64, 'a');
  inner.edge_name = "I am another";
  const std::string body = encode_envelope(of_sensor(
      1, ContentKind::relayed, encode_relayed({"detector_0", now(), encode_envelope(inner)})));
  const HttpHeaders protobuf{{"content-type", "application/x-protobuf"}};
  EXPECT_EQ(send("POST", "/api/v1/telemetry", body, protobuf).status, 200);
  const Json edges = get("/api/v1/edges")["edges"];
  ASSERT_EQ(edges.size(), 2U);
  EXPECT_EQ(edges[0]["name"], "detector_0@sensor001");
  EXPECT_EQ(edges[0]["state"], "relayed");
  EXPECT_EQ(edges[0]["kind"], "instrument");
  EXPECT_EQ(edges[0]["via"], std::string(64, 'd'));
  EXPECT_EQ(edges[1]["name"], "sensor001");
  // Nobody else may speak for it now.
  inner.edge = edges[0]["id"].get<std::string>();
  inner.sequence = 2;
  EXPECT_EQ(send("POST", "/api/v1/telemetry", encode_envelope(inner), protobuf).status, 403);
}

TEST_F(ControlTest, DocumentsEveryRoute) {
  const Json document = get("/api/v1/openapi.json");
  EXPECT_EQ(document["openapi"].get<std::string>().substr(0, 2), "3.");
  for (const Resource* resource : resources_table()) {
    for (const Route& route : resource->routes)
      EXPECT_TRUE(document["paths"].contains(std::string(route.path))) << route.path;
  }
  const std::string path = std::string(BEACONRY_SOURCE_DIR) + "/docs/api.md";
  const std::string made = api_markdown(resources_table());
  if (std::getenv("BEACONRY_WRITE_GOLDEN") != nullptr) std::ofstream(path) << made;
  EXPECT_EQ(read_small_file(path, 1 << 20).value(), made)
      << "run with BEACONRY_WRITE_GOLDEN=1 and read the difference";
}

}  // namespace
}  // namespace beaconry
