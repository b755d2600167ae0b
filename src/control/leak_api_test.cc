// Probes, observations and leaks over HTTP, as command line and homes use them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "control/test_server.h"
#include "escape/config.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;
using testing::Not;

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

class LeakApiTest : public test::ServerTest {
 protected:
  std::string settings() const override {
    return "detection:\n  analysis_interval: 3600\nalerting:\n  file:\n    enabled: true\n    "
           "path: " +
           folder_ + "/alerts.jsonl\n";
  }

  // A home that was enrolled and has announced itself.
  void add_home() {
    const auto token = control_->enrolled().make_token("home", "outside",
                                                       now() + std::chrono::hours{1}, "ann", now());
    ASSERT_TRUE(token);
    ASSERT_TRUE(control_->enrolled().enrol(*token, "home", "outside", kHome, "192.0.2.1", now()));
    KeptHome home;
    home.edge = kHome;
    home.name = "outside";
    home.box_public = PartyKeys(PartyKeys::make_seed()).box_public();
    home.addresses = {*IpAddress::parse("203.0.113.10")};
    home.zone = "t.example.org";
    ASSERT_TRUE(control_->homes().announce(home, now()));
  }
  std::string add_probe(const std::string& json) {
    const Json made = ask("POST", "/api/v1/probes", json);
    return made["probe"]["id"];
  }

  static Observation seen(const std::string& probe, std::uint64_t sequence) {
    Observation o;
    o.received = now();
    o.authenticity = Authenticity::authentic;
    o.receiver = "udp";
    o.ping.method = MethodId::udp_port;
    o.ping.cycle = 1;
    o.ping.probe = ProbeId::parse(probe).value();
    o.ping.sequence = sequence;
    o.ping.sent = o.received;
    o.ping.source = *IpAddress::parse("10.0.1.9");
    o.ping.destination = *IpAddress::parse("203.0.113.10");
    o.ping.port = 443;
    o.source = *IpAddress::parse("203.0.113.1");
    o.destination = o.ping.destination;
    o.source_port = 40'000;
    o.destination_port = 443;
    o.protocol = 17;
    o.ttl = 63;
    return o;
  }
  static std::string envelope(std::vector<Observation> observations, const std::string& edge,
                              std::uint64_t sequence) {
    ObservationBatch batch;
    batch.made = now();
    batch.observations = std::move(observations);
    Envelope envelope;
    envelope.edge = edge;
    envelope.edge_name = "outside";
    envelope.incarnation = std::string(32, 'b');
    envelope.sequence = sequence;
    envelope.sent = now();
    envelope.content = encode_observations(batch);
    envelope.content_kind = ContentKind::observations;
    return encode_envelope(envelope);
  }
  // As whoever has no edge's key sends it from this machine.
  int post_without_key(std::vector<Observation> observations, const std::string& edge) {
    return send("POST", "/api/v1/telemetry", envelope(std::move(observations), edge, 1),
                {{"content-type", "application/x-protobuf"}})
        .status;
  }
  // As the edge itself sends it.
  Ingest::Answer post(std::vector<Observation> observations, const std::string& edge,
                      std::uint64_t sequence) {
    return control_->ingest().accept_envelope(envelope(std::move(observations), edge, sequence),
                                              edge, "192.0.2.1", now());
  }

  const std::string kHome = std::string(64, 'a'), kEdge = std::string(64, 'c');
};

TEST_F(LeakApiTest, AProbesLineIsShownOnceAndItsSecretNeverAgain) {
  EXPECT_EQ(send("POST", "/api/v1/probes", R"({"name":"hall"})").status, 400);
  add_home();
  const HttpResponse made =
      send("POST", "/api/v1/probes", R"({"name":"hall","control":"home","notes":"press 4"})");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.header("cache-control"), "no-store");
  const Json answer = Json::parse(made.body);
  const auto config = ProbeConfig::parse(answer["line"].get<std::string>(), "the line");
  ASSERT_TRUE(config) << config.error().message();
  const PartyKeys keys(config->seed);
  EXPECT_EQ(answer["probe"]["id"], keys.id().to_string());
  EXPECT_EQ(answer["probe"]["box_public"], to_hex(keys.box_public()));
  const std::string secret = to_hex(config->seed);
  for (const char* path : {"/api/v1/probes", "/api/v1/probes/hall", "/api/v1/status"})
    EXPECT_THAT(send("GET", path).body, Not(HasSubstr(secret)));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ + "/state")) {
    if (!entry.is_regular_file()) continue;
    std::FILE* file = std::fopen(entry.path().c_str(), "rb");
    ASSERT_NE(file, nullptr);
    std::string bytes(entry.file_size(), '\0');
    bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file));
    std::fclose(file);
    EXPECT_THAT(bytes, Not(HasSubstr(secret))) << entry.path();
    const std::string raw(config->seed.begin(), config->seed.end());
    EXPECT_EQ(bytes.find(raw), std::string::npos) << entry.path();
  }
  EXPECT_EQ(send("POST", "/api/v1/probes", R"({"name":"hall"})").status, 400);

  const Json turned = ask("POST", "/api/v1/probes/hall/rotate", R"({"overlap":"1h"})");
  EXPECT_NE(turned["probe"]["id"], answer["probe"]["id"]);
  EXPECT_EQ(turned["probe"]["control"], "home");
  EXPECT_EQ(turned["probe"]["notes"], "press 4");
  EXPECT_TRUE(turned["old_key_until"].is_string());
  EXPECT_EQ(get("/api/v1/probes")["count"], 2);
  EXPECT_EQ(get("/api/v1/probes/hall")["id"], turned["probe"]["id"]);
  EXPECT_EQ(ask("DELETE", "/api/v1/probes/hall")["keys"], 2);
  EXPECT_EQ(get("/api/v1/probes/hall")["state"], "revoked");
  EXPECT_EQ(send("POST", "/api/v1/probes/hall/rotate").status, 400);
  EXPECT_EQ(send("DELETE", "/api/v1/probes/nobody").status, 404);
}

TEST_F(LeakApiTest, ALineComesWithWhatTheAdministratorMustSee) {
  add_home();
  ask("POST", "/api/v1/probes", R"({"name":"hall"})");
  ask("POST", "/api/v1/probes", R"({"name":"yard","peers":["hall=10.0.1.9"]})");
  const Json turned = ask("POST", "/api/v1/probes/hall/rotate");
  EXPECT_EQ(turned["peers_to_rotate"], Json::array({"yard"}));
  EXPECT_EQ(turned["home_addresses"], Json::array({"203.0.113.10"}));
  EXPECT_EQ(turned["private_addresses"], Json::array());
  KeptHome home = *control_->homes().find(kHome);
  home.addresses = {*IpAddress::parse("192.168.1.2"), *IpAddress::parse("203.0.113.10")};
  ASSERT_TRUE(control_->homes().announce(home, now()));
  const Json made = ask("POST", "/api/v1/probes", R"({"name":"gate"})");
  EXPECT_EQ(made["private_addresses"], Json::array({"192.168.1.2"}));
  EXPECT_EQ(made["peers_to_rotate"], Json::array());
}

TEST_F(LeakApiTest, ARevokedHomeIsNoneAnyMore) {
  add_home();
  ask("DELETE", "/api/v1/edges/" + kHome);
  EXPECT_EQ(get("/api/v1/homes")["count"], 0);
  EXPECT_EQ(send("POST", "/api/v1/probes", R"({"name":"hall"})").status, 400);
}

TEST_F(LeakApiTest, FromAnObservationToALeakItsAlertItsMetricsAndItsReport) {
  add_home();
  const std::string probe = add_probe(R"({"name":"hall"})");
  const auto taken = post({seen(probe, 1), seen(probe, 2)}, kHome, 1);
  ASSERT_EQ(taken.outcome, Ingest::Outcome::accepted) << taken.words;
  EXPECT_EQ(taken.events, 2U);
  EXPECT_EQ(post({seen(probe, 1), seen(probe, 2)}, kHome, 1).outcome, Ingest::Outcome::duplicate);

  const Json leaks = get("/api/v1/leaks");
  ASSERT_EQ(leaks["count"], 1) << leaks.dump();
  const Json leak = leaks["leaks"][0];
  EXPECT_EQ(leak["probe_name"], "hall");
  EXPECT_EQ(leak["method"], "udp-port");
  EXPECT_EQ(leak["state"], "open");
  EXPECT_EQ(leak["count"], 2);
  EXPECT_FALSE(leak["fix"].get<std::string>().empty());
  EXPECT_GE(leak["route"].size(), 2U);
  const std::string id = leak["id"];
  const Json one = get("/api/v1/leaks/" + id);
  EXPECT_EQ(one["observations_kept"], 2);
  EXPECT_EQ(one["observations"][0]["sequence"], 2);
  EXPECT_EQ(send("GET", "/api/v1/leaks/0000000000000000").status, 404);

  const Json alerts = get("/api/v1/alerts?kind=leak.new");
  ASSERT_EQ(alerts["count"], 1);
  EXPECT_EQ(alerts["alerts"][0]["source"], "leaks");
  EXPECT_EQ(alerts["alerts"][0]["subject"], id);
  // And at the sink.
  std::string line;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (line.find(id) == std::string::npos && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
    std::FILE* file = std::fopen((folder_ + "/alerts.jsonl").c_str(), "rb");
    if (file == nullptr) continue;
    char bytes[8192];
    line.assign(bytes, std::fread(bytes, 1, sizeof bytes, file));
    std::fclose(file);
  }
  EXPECT_THAT(line, HasSubstr(id));

  EXPECT_EQ(get("/api/v1/leaks?probe=hall")["count"], 1);
  EXPECT_EQ(get("/api/v1/leaks?probe=yard")["count"], 0);
  EXPECT_EQ(get("/api/v1/leaks?state=closed")["count"], 0);
  EXPECT_EQ(get("/api/v1/leaks?method=udp-port&since=1h&class=fresh")["count"], 1);
  EXPECT_EQ(get("/api/v1/leaks?class=replayed")["count"], 0);
  for (const char* bad : {"state=x", "method=x", "class=x", "path=x", "since=x"})
    EXPECT_EQ(send("GET", "/api/v1/leaks?" + std::string(bad)).status, 400) << bad;
  EXPECT_EQ(get("/api/v1/observations?probe=hall&class=fresh&limit=1")["total"], 2);
  EXPECT_EQ(get("/api/v1/observations")["received"]["fresh"], 2);
  EXPECT_EQ(get("/api/v1/probes/hall")["leaks_open"], 1);
  EXPECT_TRUE(get("/api/v1/probes/hall")["last_heard"].is_string());
  EXPECT_EQ(get("/api/v1/status")["leaks"]["open"], 1);
  const std::string metrics = send("GET", "/api/v1/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("beaconry_leaks_open{ways=\"one\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("beaconry_observations_total{class=\"fresh\"} 2"));
  EXPECT_THAT(metrics, HasSubstr("beaconry_probe_last_heard_seconds{"));

  const HttpResponse page = send("GET", "/api/v1/leaks/report");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(std::string(page.header("content-type")), HasSubstr("text/html"));
  EXPECT_THAT(page.body, HasSubstr("1 open leak"));
  EXPECT_THAT(page.body, HasSubstr(id));
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));

  start();  // and all of it is there after a restart
  EXPECT_EQ(get("/api/v1/leaks/" + id)["count"], 2);
  EXPECT_EQ(get("/api/v1/observations")["total"], 2);
  EXPECT_EQ(get("/api/v1/alerts?kind=leak.new")["count"], 1);
}

TEST_F(LeakApiTest, TriageTakesLeaks) {
  add_home();
  const std::string probe = add_probe(R"({"name":"hall"})");
  post({seen(probe, 1)}, kHome, 1);
  const std::string id = get("/api/v1/leaks")["leaks"][0]["id"];
  const std::string decision =
      R"({"subject":")" + id + R"(","decision":"benign","reason":"known, until June"})";
  ask("POST", "/api/v1/triage", decision);
  EXPECT_EQ(get("/api/v1/leaks/" + id)["triage"], "benign");
  EXPECT_EQ(get("/api/v1/leaks/" + id)["history"][0]["words"], "known, until June");
  ask("DELETE", "/api/v1/triage/" + id);
  EXPECT_TRUE(get("/api/v1/leaks/" + id)["triage"].is_null());
  // By the alert's id it is the same.
  const std::string alert = get("/api/v1/alerts?kind=leak.new")["alerts"][0]["alert_id"];
  ask("POST", "/api/v1/triage",
      R"({"alert_id":")" + alert + R"(","decision":"benign","reason":"known"})");
  EXPECT_EQ(get("/api/v1/leaks/" + id)["triage"], "benign");
}

TEST_F(LeakApiTest, WhoMaySendObservationsIsWhoMaySendFlowsAndNoCollector) {
  add_home();
  const std::string probe = add_probe(R"({"name":"hall"})");
  EXPECT_EQ(post_without_key({seen(probe, 1)}, kHome), 403);  // enrolled: only by its key
  EXPECT_EQ(send("PUT", "/api/v1/homes/self", "{}").status, 403);
  EXPECT_EQ(send("GET", "/api/v1/homes/self/probes").status, 403);
  const std::string collector(64, 'd');
  const auto token = control_->enrolled().make_token("collector", "tap",
                                                     now() + std::chrono::hours{1}, "ann", now());
  ASSERT_TRUE(control_->enrolled().enrol(*token, "collector", "tap", collector, "", now()));
  const auto answer = post({seen(probe, 1)}, collector, 1);
  EXPECT_EQ(answer.outcome, Ingest::Outcome::forbidden) << answer.words;
  EXPECT_EQ(get("/api/v1/leaks")["count"], 0);
  // Whoever was never enrolled is no home, and no probe calls it.
  EXPECT_NE(post_without_key({seen(probe, 1)}, kEdge), 500);
  EXPECT_EQ(get("/api/v1/leaks")["count"], 0);
  EXPECT_EQ(post({seen(probe, 1)}, kHome, 1).outcome, Ingest::Outcome::accepted);
  EXPECT_EQ(get("/api/v1/leaks")["count"], 1);
  EXPECT_EQ(get("/api/v1/homes")["homes"][0]["probes"], 1);
}

TEST_F(LeakApiTest, RefusesWhatIsNoBatchAsAWhole) {
  Envelope envelope;
  envelope.edge = kEdge;
  envelope.incarnation = std::string(32, 'b');
  envelope.sequence = 1;
  envelope.sent = now();
  envelope.content = "garbage";
  envelope.content_kind = ContentKind::observations;
  EXPECT_EQ(send("POST", "/api/v1/telemetry", encode_envelope(envelope),
                 {{"content-type", "application/x-protobuf"}})
                .status,
            400);
  EXPECT_EQ(get("/api/v1/observations")["total"], 0);
}

}  // namespace
}  // namespace beaconry
