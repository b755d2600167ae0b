#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "detector/canary_watch.h"
#include "detector/relay.h"
#include "sensor/canary_traffic.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr Timestamp kStart{std::chrono::seconds{1'790'000'000}};

FlowEvent canary(Timestamp time, std::uint16_t port) {
  FlowEvent event;
  event.kind = FlowEventKind::open;
  event.pair = {*IpAddress::parse(kCanarySource), *IpAddress::parse(kCanaryDestination),
                kCanaryPort, Protocol::udp};
  event.source_port = port;
  event.time = time;
  event.bytes_out = 44;
  event.bytes_in = 0;
  return event;
}

FlowEvent other(Timestamp time) {
  FlowEvent event = canary(time, 50'000);
  event.pair.source = *IpAddress::parse("10.0.0.5");
  event.pair.port = 443;
  event.pair.protocol = Protocol::tcp;
  event.server_name = "example.org";
  event.name_kind = NameKind::tls_sni;
  return event;
}

TEST(CanaryWatch, known_traffic_that_comes_back_as_a_beacon_is_health) {
  CanaryWatch watch(10s);
  EXPECT_EQ(watch.health(kStart, kStart).state, HealthState::unknown);
  std::optional<Timestamp> healthy;
  Timestamp now = kStart;
  for (unsigned i = 0; i < 60; ++i, now += 5s) {
    // Sent a little late now and then, as a busy platform does.
    watch.add(canary(now + std::chrono::milliseconds{(i * 37) % 100},
                     static_cast<std::uint16_t>(40'000 + i)),
              now);
    watch.work(now);
    if (!healthy && watch.health(now, kStart).state == HealthState::healthy) healthy = now;
  }
  ASSERT_TRUE(healthy);
  EXPECT_LE(*healthy - kStart, 60s);
  EXPECT_NE(watch.health(now, kStart).evidence.find("every 5.0"), std::string::npos)
      << watch.health(now, kStart).evidence;
  // It stops: the mirror is dead, or the collector.
  EXPECT_EQ(watch.health(now + 40s, kStart).state, HealthState::healthy);
  const Health gone = watch.health(now + 120s, kStart);
  EXPECT_EQ(gone.state, HealthState::failed);
  EXPECT_EQ(gone.cause, "the canary does not come back");
}

TEST(CanaryWatch, traffic_without_its_rhythm_is_not_taken_for_it) {
  CanaryWatch watch(10s);
  Timestamp now = kStart;
  std::uint64_t random = 7;
  for (unsigned i = 0; i < 60; ++i) {
    random = random * 6364136223846793005ULL + 1442695040888963407ULL;
    now += std::chrono::milliseconds{1'100 + (random >> 33) % 20'000};
    watch.add(canary(now, static_cast<std::uint16_t>(40'000 + i)), now);
    watch.work(now);
  }
  const Health health = watch.health(now, kStart);
  EXPECT_EQ(health.state, HealthState::failed);
  EXPECT_EQ(health.cause, "detection does not find the canary");
}

TEST(CanaryWatch, one_that_never_came_is_a_fault_once_it_should_have) {
  CanaryWatch watch(10s);
  watch.work(kStart + 300s);
  const Health health = watch.health(kStart + 300s, kStart);
  EXPECT_EQ(health.state, HealthState::failed);
  EXPECT_NE(health.evidence.find("never"), std::string::npos);
}

std::string batch(const std::vector<FlowEvent>& events) {
  FlowBatchBuilder builder;
  for (const FlowEvent& event : events)
    builder.add(event);
  builder.add_host_name(*IpAddress::parse("10.0.0.5"), "printer", kStart);
  Envelope envelope;
  envelope.edge = std::string(64, 'a');
  envelope.edge_name = "detector_0";
  envelope.incarnation = std::string(32, 'b');
  envelope.sequence = 42;
  envelope.sent = kStart;
  envelope.content = builder.finish(kStart, {{"packets", "mirror", 7}, {"kernel_drops", "", 2}});
  return encode_envelope(envelope);
}

struct Seen : FlowSink {
  void add(const FlowEvent& event) override { names.emplace_back(event.server_name); }
  void add_host_name(const IpAddress&, std::string_view name, Timestamp) override {
    hosts.emplace_back(name);
  }
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
  std::vector<std::string> names, hosts;
};

TEST(Relay, takes_the_canary_out_and_leaves_all_else_as_it_was) {
  const std::string came = batch({canary(kStart, 1), other(kStart), canary(kStart + 5s, 2)});
  const auto filtered = without_canary(came);
  ASSERT_TRUE(filtered) << filtered.error().message();
  EXPECT_EQ(filtered->canary.size(), 2U);
  EXPECT_EQ(filtered->events, 3U);
  const auto envelope = decode_envelope(filtered->envelope);
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->sequence, 42U);
  EXPECT_EQ(envelope->incarnation, std::string(32, 'b'));
  EXPECT_EQ(envelope->edge_name, "detector_0");
  Seen seen;
  const auto content = decode_flow_batch(envelope->content, {}, seen);
  ASSERT_TRUE(content);
  EXPECT_EQ(seen.names, std::vector<std::string>{"example.org"});
  EXPECT_EQ(seen.hosts, std::vector<std::string>{"printer"});
  ASSERT_EQ(content->counters.size(), 2U);
  EXPECT_EQ(content->counters[0].value, 7U);
  const std::string without = batch({other(kStart)});
  EXPECT_EQ(without_canary(without)->envelope, without);
  EXPECT_FALSE(without_canary("nonsense"));
}

struct Uplink : HttpHandler {
  Admission admit(const HttpRequest&) override {
    Admission admission;
    admission.most_body = 32 << 20;
    return admission;
  }
  HttpResponse handle(HttpRequest request) override {
    body = request.body;
    HttpResponse answer;
    answer.status = status;
    answer.body = R"({"status": "accepted"})";
    return answer;
  }
  std::string body;
  int status = 200;
};

TEST(Relay, answers_as_the_uplink_does_and_not_before) {
  std::string folder = ::testing::TempDir() + "relay_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  auto relay = Relay::start(folder + "/in", folder + "/out", [] { return kStart; });
  ASSERT_TRUE(relay) << relay.error().message();
  HttpClient::Options options;
  options.url = "unix:" + folder + "/in";
  auto collector = HttpClient::make(options);
  ASSERT_TRUE(collector);
  HttpRequest request;
  request.method = "POST";
  request.target = "/api/v1/telemetry";
  request.headers = {{"Content-Type", "application/x-protobuf"}};
  request.body = batch({canary(kStart, 1), other(kStart)});
  auto answer = (*collector)->send(request);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_NE((*relay)->status().error, "");
  {
    Uplink uplink;
    HttpServer::Options server;
    server.listen = {"unix:" + folder + "/out"};
    auto listening = HttpServer::start(server, uplink);
    ASSERT_TRUE(listening);
    answer = (*collector)->send(request);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, R"({"status": "accepted"})");
    EXPECT_EQ(decode_envelope(uplink.body)->sequence, 42U);
    request.body = "nonsense";  // is the uplink's to refuse
    uplink.status = 400;
    EXPECT_EQ((*collector)->send(request)->status, 400);
    EXPECT_EQ(uplink.body, "nonsense");
  }
  const Relay::Status status = (*relay)->status();
  EXPECT_EQ(status.batches, 3U);
  EXPECT_EQ(status.malformed, 1U);
  EXPECT_EQ(status.packets, 7U);
  EXPECT_EQ(status.dropped, 2U);
  EXPECT_EQ(status.last, kStart);
  EXPECT_EQ((*relay)->take_canary().size(), 2U);  // it came twice
  request.target = "/api/v1/edges";
  EXPECT_EQ((*collector)->send(request)->status, 404);
  relay->reset();
  fs::remove_all(folder);
}

}  // namespace
}  // namespace beaconry
