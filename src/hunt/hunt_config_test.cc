#include "hunt/hunt_config.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace beaconry {
namespace {

Result<HuntConfig> parse(const std::string& text) {
  return HuntConfig::parse(text, "hunt.yaml");
}

std::string error_of(const std::string& text) {
  const auto config = parse(text);
  return config ? "" : config.error().message();
}

PairKey key(const char* text) {
  return *PairKey::parse(text);
}

void expect_defaults(const HuntConfig& config) {
  const DetectionSettings fresh, &read = config.detection;
  EXPECT_EQ(read.cv_threshold, fresh.cv_threshold);
  EXPECT_EQ(read.periodicity_threshold, fresh.periodicity_threshold);
  EXPECT_EQ(read.jitter_threshold_seconds, fresh.jitter_threshold_seconds);
  EXPECT_EQ(read.alert_threshold, fresh.alert_threshold);
  EXPECT_EQ(read.cv_weight, fresh.cv_weight);
  EXPECT_EQ(read.periodicity_weight, fresh.periodicity_weight);
  EXPECT_EQ(read.jitter_weight, fresh.jitter_weight);
  EXPECT_EQ(read.size_weight, fresh.size_weight);
  EXPECT_EQ(read.burst_gap, fresh.burst_gap);
  EXPECT_FALSE(read.gates.min_connections || read.gates.min_duration || read.gates.time_window ||
               read.gates.min_beacon_interval || read.gates.max_beacon_interval);
  EXPECT_TRUE(config.allow.empty());
  EXPECT_NE(config.baseline.match(key("10.0.0.5->203.0.113.9:123/UDP")), nullptr);
  EXPECT_TRUE(config.networks.is_internal(*IpAddress::parse("192.168.1.1")));
  EXPECT_EQ(config.ignored(), "");
}

TEST(HuntConfig, AnEmptyFileIsTheDefaults) {
  expect_defaults(HuntConfig());
  const auto config = parse("");
  ASSERT_TRUE(config);
  expect_defaults(*config);
}

// The shape of the file that the predecessor ships, with every section and key that it knows.
constexpr const char* kPredecessor = R"(
data_plane:
  interface: "eth0"
  export_interval: 60
  ring_buffer_pages: 64
control_plane:
  listen_address: "0.0.0.0"
  listen_port: 9090
  api_key: ""
detection:
  min_connections: 10
  min_duration: 300
  time_window: 3600
  cv_threshold: 0.15
  periodicity_threshold: 0.7
  jitter_threshold: 5.0
  min_beacon_interval: 10
  max_beacon_interval: 3600
  cv_weight: 0.35
  periodicity_weight: 0.35
  jitter_weight: 0.15
  size_weight: 0.15
  alert_threshold: 0.7
  alert_cooldown: 300
  analysis_interval: 60
alerting:
  enabled: true
  syslog: {enabled: true, facility: local0, level: warning}
  webhook: {enabled: false, url: "", headers: {X-A: b}, timeout: 10, retries: 3}
  file_path: "/var/log/beacon-detect/alerts.json"
logging:
  level: INFO
persistence:
  db_path: null
whitelist:
  source_ips: []
  destination_ips:
    - "8.8.8.8"
    - "1.1.1.1"
  ports:
    - 53
    - 123
  destination_ports: [67, 68]
  pairs:
    - "10.0.0.5:169.254.169.254:80"
benign_baseline:
  enabled: true
  patterns:
    - dst_port: 123
      protocol: "UDP"
      label: "NTP"
)";

TEST(HuntConfig, ThePredecessorsFileIsTakenAsItIs) {
  const auto config = parse(kPredecessor);
  ASSERT_TRUE(config) << config.error().message();
  const DetectionGates& gates = config->detection.gates;
  EXPECT_EQ(gates.min_connections, 10U);
  EXPECT_EQ(gates.min_duration, std::chrono::seconds{300});
  EXPECT_EQ(gates.time_window, std::chrono::hours{1});
  EXPECT_EQ(gates.min_beacon_interval, std::chrono::seconds{10});
  EXPECT_EQ(gates.max_beacon_interval, std::chrono::hours{1});
  EXPECT_EQ(config->allow.size(), 7U);
  const auto* found = config->allow.match(key("10.0.0.5->169.254.169.254:80/TCP"), "");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->text, "10.0.0.5:169.254.169.254:80");
  EXPECT_EQ(found->origin, "hunt.yaml line 45");
  EXPECT_EQ(config->allow.match(key("10.0.0.6->169.254.169.254:80/TCP"), ""), nullptr);
  EXPECT_NE(config->allow.match(key("10.0.0.6->8.8.8.8:443/TCP"), ""), nullptr);
  EXPECT_EQ(config->allow.match(key("8.8.8.8->10.0.0.6:443/TCP"), ""), nullptr);
  EXPECT_EQ(config->allow.match(key("10.0.0.6->9.9.9.9:67/UDP"), "")->text, ":67");
  EXPECT_EQ(config->ignored(),
            "the configuration's data_plane, control_plane, alerting, logging, "
            "detection.alert_cooldown, detection.analysis_interval belong to other programs; a "
            "hunt does not use them");
}

TEST(HuntConfig, OurOwnKeysReadBlocksNamesAndIpv6) {
  const auto config = parse(
      "whitelist:\n"
      "  source_ips: [10.9.0.0/16]\n"
      "  names: ['*.example.com']\n"
      "  ports: [53/udp]\n"
      "  pairs: ['[2001:db8::1]:[2001:db8::2]:443', '*:192.0.2.1:*']\n"
      "networks:\n  internal: [198.51.100.0/24, '2001:db8::/32']\n"
      "benign_baseline: {patterns: [{dst_port: 161, protocol: udp, label: SNMP}]}\n"
      "detection: {min_beacon_interval: 5m, burst_gap: 0.5}\n");
  ASSERT_TRUE(config) << config.error().message();
  const AllowList& allow = config->allow;
  EXPECT_NE(allow.match(key("10.9.1.1->203.0.113.9:1/TCP"), ""), nullptr);
  EXPECT_NE(allow.match(key("10.1.1.1->203.0.113.9:1/TCP"), "a.example.com"), nullptr);
  EXPECT_NE(allow.match(key("10.1.1.1->203.0.113.9:53/UDP"), ""), nullptr);
  EXPECT_EQ(allow.match(key("10.1.1.1->203.0.113.9:53/TCP"), ""), nullptr);
  EXPECT_NE(allow.match(key("[2001:db8::1]->[2001:db8::2]:443/TCP"), ""), nullptr);
  EXPECT_NE(allow.match(key("10.1.1.1->192.0.2.1:9/TCP"), ""), nullptr);
  EXPECT_TRUE(config->networks.is_internal(*IpAddress::parse("2001:db8::9")));
  EXPECT_FALSE(config->networks.is_internal(*IpAddress::parse("10.0.0.1")));
  EXPECT_EQ(config->baseline.match(key("10.0.0.5->203.0.113.9:161/UDP"))->label, "SNMP");
  EXPECT_EQ(config->baseline.match(key("10.0.0.5->203.0.113.9:123/UDP")), nullptr);
  EXPECT_EQ(config->detection.gates.min_beacon_interval, std::chrono::minutes{5});
  EXPECT_EQ(config->detection.burst_gap, std::chrono::milliseconds{500});
}

TEST(HuntConfig, ABaselineThatIsDisabledOrEmptyTakesNothingForBenign) {
  for (const char* text :
       {"benign_baseline: {enabled: false}", "benign_baseline: {patterns: []}"}) {
    const auto config = parse(text);
    ASSERT_TRUE(config) << text;
    EXPECT_EQ(config->baseline.match(key("10.0.0.5->203.0.113.9:123/UDP")), nullptr) << text;
  }
}

struct Case {
  const char *text, *message;
};

TEST(HuntConfig, RefusesWithFileLineAndRemedy) {
  for (const Case& c : {
           Case{"detection:\n  cv_treshold: 1\n",
                "read hunt.yaml line 2: unknown key 'cv_treshold' in 'detection'; did you mean "
                "'cv_threshold'?"},
           Case{"cv_threshold: 1\n",
                "read hunt.yaml line 1: unknown key 'cv_threshold'; it belongs under 'detection'"},
           Case{"alerting:\n  webhook:\n    ulr: x\n",
                "read hunt.yaml line 3: unknown key 'ulr' in 'alerting.webhook'; did you mean "
                "'url'?"},
           Case{"data_plane:\n  export_intervall: 5\n",
                "read hunt.yaml line 2: unknown key 'export_intervall' in 'data_plane'; did you "
                "mean 'export_interval'?"},
           Case{"whitelst: {}\n",
                "read hunt.yaml line 1: unknown key 'whitelst'; did you mean 'whitelist'?"},
           Case{"detection:\n  alert_threshold: 70\n",
                "read hunt.yaml line 2: 'detection.alert_threshold' must be a number from 0 to 1, "
                "is '70'"},
           Case{"detection:\n  cv_weight: 0.5\n  size_weight: 0.1\n",
                "read hunt.yaml line 3: cv_weight, periodicity_weight, jitter_weight, size_weight "
                "must sum to 1, sum to 1.1"},
           Case{"detection:\n  min_beacon_interval: 1h\n  max_beacon_interval: 1m\n",
                "read hunt.yaml line 2: min_beacon_interval is above max_beacon_interval: nothing "
                "could pass"},
           Case{"whitelist:\n  pairs:\n  - 10.0.0.5\n",
                "read hunt.yaml line 3: '10.0.0.5' is not a pair; write src:dst:port"},
           Case{"whitelist:\n  ports:\n  - ':53'\n",
                "read hunt.yaml line 3: ':53' is not a port; write 53 or 53/udp"},
           Case{"whitelist:\n  ports:\n  - http\n",
                "read hunt.yaml line 3, ':http': 'http' is not a port; write one from 0 to 65535"},
           Case{"whitelist:\n  source_ips: [host]\n",
                "read hunt.yaml line 2, 'src=host': the source must be an address or a block, not "
                "a name; write 10.0.0.5, 10.0.0.0/8, [2001:db8::1] or *"},
           Case{"benign_baseline:\n  patterns:\n  - {dst_port: 1, protocol: carrier pigeon}\n",
                "read hunt.yaml line 3: 'carrier pigeon' is not a protocol; write TCP, UDP or "
                "ICMP"},
           Case{"networks:\n  internal:\n  - 10/8\n",
                "read hunt.yaml line 3: '10/8' is not a block; write 10.0.0.0/8 or 2001:db8::/32"},
       }) {
    EXPECT_EQ(error_of(c.text), c.message);
  }
}

TEST(HuntConfig, AMissingFileIsNamed) {
  const auto config = HuntConfig::read("/nonexistent/hunt.yaml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message(), "open /nonexistent/hunt.yaml: No such file or directory");
}

// The example on the page must be one that works.
TEST(HuntConfig, TheDocumentationsExampleIsRead) {
  const auto page = read_small_file(BEACONRY_SOURCE_DIR "/docs/configuration.md", 1 << 20);
  ASSERT_TRUE(page);
  const std::string fence = "```yaml\n";
  const auto begin = page->find(fence) + fence.size();
  const auto example = page->substr(begin, page->find("```", begin) - begin);
  EXPECT_EQ(error_of(example), "");
}

}  // namespace
}  // namespace beaconry
