#include "escape/config.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "base/file.h"

namespace beaconry {
namespace {

const std::string kSeed(64, '7');
const std::string kKey = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const std::string kLeast =
    "seed: " + kSeed + "\nhome: {addresses: [203.0.113.10], key: " + kKey + "}\n";

std::string error_of(const std::string& text) {
  const auto config = ProbeConfig::parse(text, "probe.yaml");
  return config ? "" : config.error().message();
}

TEST(ProbeConfig, SeedAndHomeAreEnough) {
  const auto config = ProbeConfig::parse(kLeast, "probe.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->name, "probe");
  EXPECT_EQ(config->seed[31], 0x77);
  EXPECT_EQ(config->home.addresses, std::vector{*IpAddress::parse("203.0.113.10")});
  EXPECT_EQ(config->profile, Profile::ot);
  EXPECT_EQ(config->packets_a_second, 1);
  EXPECT_TRUE(config->long_cycle);
  EXPECT_FALSE(config->end);
  EXPECT_FALSE(config->control);
}

TEST(ProbeConfig, EveryKeyIsTaken) {
  const auto config = ProbeConfig::parse(
      "name: hall 3\n" + kLeast.substr(0, kLeast.find('\n') + 1) +
          "home:\n  addresses: [203.0.113.10, '2001:db8::10']\n  key: " + kKey +
          "\n  zone: T.Example.ORG.\n"
          "profile: lab\nend: 2027-01-31\nshort_period: 10m\nlong_cycle: no\ndhcp: false\n"
          "router_advertisements: false\naddresses: [10.0.1.9/24, '2001:db8:1::9/64']\n"
          "gateways: [10.0.1.1]\nresolvers: [10.0.1.2]\n"
          "budget:\n  packets_a_second: 0.5\n  bytes_a_second: 2000\n  broadcasts_a_minute: 0\n"
          "  forbidden:\n    addresses: [10.0.1.77, 10.0.9.0/24]\n    macs: ['02:00:5e:10:00:01']\n"
          "    methods: [tcp-rst, icmp]\n"
          "neighbours: [10.0.1.50]\nports: [53, 443]\n"
          "control: {destination: 198.51.100.7, port: 8883, transport: TCP, every: 1h}\n"
          "listen: true\npeers: [{name: dmz, address: 10.2.0.9, key: " +
          kKey + ", may_reach: true}]\nevidence: /var/lib/e.log\n",
      "probe.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->name, "hall 3");
  EXPECT_EQ(config->home.zone, "t.example.org");
  EXPECT_EQ(config->profile, Profile::lab);
  EXPECT_EQ(to_rfc3339(*config->end), "2027-01-31T00:00:00.000Z");
  EXPECT_EQ(config->short_period, std::chrono::minutes(10));
  EXPECT_FALSE(config->long_cycle);
  EXPECT_FALSE(config->dhcp);
  EXPECT_FALSE(config->router_advertisements);
  ASSERT_EQ(config->addresses.size(), 2U);
  EXPECT_EQ(config->addresses[0].to_string(), "10.0.1.0/24");
  EXPECT_EQ(config->own_hosts[1].to_string(), "2001:db8:1::9");
  EXPECT_EQ(config->packets_a_second, 0.5);
  EXPECT_EQ(config->broadcasts_a_minute, 0);
  EXPECT_EQ(config->forbidden_addresses.size(), 2U);
  EXPECT_EQ(config->forbidden_macs[0].to_string(), "02:00:5e:10:00:01");
  EXPECT_EQ(config->forbidden_methods, (std::vector{MethodId::tcp_rst, MethodId::icmp}));
  EXPECT_EQ(config->neighbours.size(), 1U);
  EXPECT_EQ(config->ports, (std::vector<std::uint16_t>{53, 443}));
  EXPECT_EQ(config->control->port, 8883);
  EXPECT_TRUE(config->control->tcp);
  EXPECT_EQ(config->control->every, std::chrono::hours(1));
  EXPECT_TRUE(config->listen);
  EXPECT_EQ(config->peers.at(0).name, "dmz");
  EXPECT_TRUE(config->peers[0].may_reach);
  EXPECT_EQ(config->evidence, "/var/lib/e.log");
}

struct Case {
  std::string text;
  std::string_view error;
};

TEST(ProbeConfig, RefusesWithLineAndRemedy) {
  for (const Case& c : {
           Case{"", "probe.yaml: 'seed' is missing; 'beaconry probes add NAME' prints"},
           Case{"seed: " + kSeed + "\n", "'home.addresses' is missing"},
           Case{kLeast + "profil: ot\n", "probe.yaml line 3: unknown key 'profil'; did you mean"},
           Case{kLeast + "profile: brave\n", "line 3: 'profile' must be one of ot, office, lab"},
           Case{kLeast + "ports: [53,\n 0]\n", "line 4: 'ports' holds '0', which is not a port"},
           Case{kLeast + "addresses: [10.0.1.9]\n", "line 3: 'addresses' holds '10.0.1.9'"},
           Case{kLeast + "gateways: [gw]\n", "line 3: 'gateways' holds 'gw'"},
           Case{kLeast + "end: soon\n", "line 3: 'end' must be a date or time"},
           Case{kLeast + "budget: {forbidden: {methods: [ping]}}\n", "--list-methods"},
           Case{kLeast + "budget: {forbidden: {macs: [ping]}}\n", "not an Ethernet address"},
           Case{kLeast + "budget: {packets_a_second: 0}\n", "must be a number from 0.01"},
           Case{kLeast + "control: {port: 4}\n", "line 3: 'control' needs both"},
           Case{kLeast + "control: {destination: a, port: 4}\n", "not an IPv4 or IPv6 address"},
           Case{kLeast + "peers: [{name: a, address: 10.0.0.1}]\n", "key"},
           Case{kLeast + "name: \"a\\nb\"\n", "line 3: 'name' must be 1 to 64 bytes"},
           Case{"home: {addresses: [10.0.0.1], key: " + kKey + ", zone: 'a b'}\nseed: " + kSeed,
                "line 1: 'home.zone' must be a DNS name"},
           Case{"home: {addresses: [h], key: " + kKey + "}\nseed: " + kSeed,
                "line 1: 'home.addresses' holds 'h'"},
       }) {
    EXPECT_NE(error_of(c.text).find(c.error), std::string::npos)
        << c.text << "\nwanted: " << c.error << "\ngot: " << error_of(c.text);
  }
}

TEST(ProbeConfig, NoErrorHoldsTheSeed) {
  const std::string rest = "home: {addresses: [203.0.113.10], key: " + kKey + "}\n";
  for (const std::string& text :
       {"seed: x" + kSeed + "\n" + rest, "seed: " + kSeed + "7\n" + rest,
        "seed: [" + kSeed + "]\n" + rest, kSeed + ": 1\n", "profile: " + kSeed + "\n" + kLeast,
        "gateways: [" + kSeed + "]\n" + kLeast, kSeed, "home: " + kSeed + "\n",
        "seed: " + kSeed + "\nseed: " + kSeed, "? " + kSeed + "\n? " + kSeed,
        "ports: ['" + kSeed + "']\n" + kLeast}) {
    const std::string error = error_of(text);
    EXPECT_FALSE(error.empty()) << text;
    EXPECT_EQ(error.find(kSeed.substr(0, 16)), std::string::npos) << error;
  }
}

rc::Gen<IpAddress> addresses() {
  return rc::gen::map(
      rc::gen::pair(rc::gen::arbitrary<bool>(), rc::gen::container<std::vector<std::uint8_t>>(
                                                    16, rc::gen::arbitrary<std::uint8_t>())),
      [](const auto& drawn) {
        return drawn.first ? IpAddress::v4_bytes(drawn.second.data())
                           : IpAddress::v6_bytes(drawn.second.data());
      });
}

Key32 any_key() {
  Key32 key{};
  for (auto& byte : key)
    byte = *rc::gen::arbitrary<std::uint8_t>();
  key[0] = 1;  // not all zero
  return key;
}

template <class T>
std::vector<T> few(const rc::Gen<T>& gen) {
  return *rc::gen::resize(4, rc::gen::container<std::vector<T>>(gen));
}

ProbeConfig any_config() {
  ProbeConfig config;
  config.name = *rc::gen::element<std::string>("plc-1", "a: b", "\"quoted\" \\ {", "ключ", "null");
  config.seed = any_key();
  config.home.addresses = few(addresses());
  config.home.addresses.push_back(*addresses());
  config.home.addresses.resize(std::min<std::size_t>(config.home.addresses.size(), 8));
  config.home.key = any_key();
  config.home.zone = *rc::gen::element<std::string>("", "t.example.org", "_x.1");
  config.profile = *rc::gen::element(Profile::ot, Profile::office, Profile::lab);
  if (*rc::gen::arbitrary<bool>()) {
    config.end =
        Timestamp(std::chrono::milliseconds(*rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000)));
  }
  config.short_period = std::chrono::seconds(*rc::gen::inRange(1, 604'801));
  config.long_cycle = *rc::gen::arbitrary<bool>();
  config.dhcp = *rc::gen::arbitrary<bool>();
  config.router_advertisements = *rc::gen::arbitrary<bool>();
  for (const IpAddress& host : few(addresses())) {
    config.own_hosts.push_back(host);
    config.addresses.emplace_back(host, *rc::gen::inRange(0U, host.is_v4() ? 33U : 129U));
  }
  config.gateways = few(addresses());
  config.resolvers = few(addresses());
  config.neighbours = few(addresses());
  config.packets_a_second = *rc::gen::inRange(1, 1000) / 7.0;
  config.bytes_a_second = *rc::gen::inRange(64, 1'000'000);
  config.broadcasts_a_minute = *rc::gen::inRange(0, 600) / 10.0;
  for (const IpAddress& address : few(addresses()))
    config.forbidden_addresses.emplace_back(address, *rc::gen::inRange(0U, 33U));
  config.forbidden_macs.push_back({{2, 0, *rc::gen::arbitrary<std::uint8_t>(), 0xff, 0, 1}});
  if (*rc::gen::arbitrary<bool>()) config.forbidden_methods = {MethodId::tcp_rst, MethodId::quic};
  config.ports = few(rc::gen::inRange<std::uint16_t>(1, 65'535));
  if (*rc::gen::arbitrary<bool>()) {
    config.control = ProbeConfig::Control{*addresses(), 8883, *rc::gen::arbitrary<bool>(),
                                          std::chrono::seconds(*rc::gen::inRange(1, 604'801))};
  }
  config.listen = *rc::gen::arbitrary<bool>();
  config.peers.push_back({"dmz #1", *addresses(), any_key(), *rc::gen::arbitrary<bool>()});
  config.evidence = *rc::gen::element<std::string>("", "/var/lib/e.log", "a # b: \"c\"");
  return config;
}

RC_GTEST_PROP(ProbeConfig, ALineSaysAllOfIt, ()) {
  const ProbeConfig config = any_config();
  const std::string line = config.to_line();
  RC_ASSERT(line.find('\n') == std::string::npos);
  const auto back = ProbeConfig::parse(line, "the line");
  if (!back) RC_FAIL(back.error().message() + "\n" + line);
  RC_ASSERT(back->to_line() == line);
  RC_ASSERT(*back == config);
}

TEST(ProbeConfig, DocumentationShowsEveryKey) {
  const auto page = read_small_file(BEACONRY_SOURCE_DIR "/docs/escape.md", 1 << 20);
  ASSERT_TRUE(page) << page.error().message();
  EXPECT_NE(page->find(probe_config_schema().to_markdown()), std::string::npos)
      << "put this into docs/escape.md:\n"
      << probe_config_schema().to_markdown();
}

}  // namespace
}  // namespace beaconry
