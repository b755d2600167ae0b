#include "image/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/file.h"

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kWhole = R"(
name: beacon
version: 1.0
description: "Tries every way out"
command: [run, --flag, "it's"]
interfaces:
  - {name: probe, contract: tx, words: "The isolated network"}
  - {name: eth0, optional: true}
relations:
  - {instrument: downloader, find: true, direct_message: yes}
events: [alert, status]
capabilities: [setuid, net_raw]
uplink: true
limits: {memory: 128M, cpu_percent: 25, persistent: 2G, events_per_second: 5}
health: {every: 1m, healthy_within: 90s}
config:
  schema:
    type: object
    properties:
      interface: {type: string, pattern: "^[a-z0-9]+$"}
      ports: {type: array, items: {type: integer, maximum: 65535}}
      label: {type: string, default: "5"}
    required: [interface]
    additionalProperties: false
  defaults: {interface: probe, ports: [80, 443]}
programs: [/usr/sbin/tcpdump]
packages: [python3-minimal]
files: {/etc/beacon.conf: beacon.conf}
)";

Manifest whole() {
  auto manifest = Manifest::parse(kWhole, "manifest.yaml");
  EXPECT_TRUE(manifest) << manifest.error().message();
  return manifest ? *manifest : Manifest{};
}

TEST(Manifest, EveryKeyIsRead) {
  const Manifest manifest = whole();
  EXPECT_EQ(manifest.name, "beacon");
  EXPECT_EQ(manifest.version, "1.0");
  EXPECT_THAT(manifest.command, ElementsAre("/instrument/run", "--flag", "it's"));
  ASSERT_EQ(manifest.interfaces.size(), 2U);
  EXPECT_EQ(manifest.interfaces[0].contract, Direction::transmit);
  EXPECT_EQ(manifest.interfaces[1].contract, Direction::both);
  EXPECT_TRUE(manifest.interfaces[1].optional);
  ASSERT_EQ(manifest.relations.size(), 1U);
  EXPECT_TRUE(manifest.relations[0].direct_message);
  EXPECT_FALSE(manifest.relations[0].events);
  EXPECT_THAT(manifest.event_types, ElementsAre("alert", "status"));
  EXPECT_THAT(manifest.capabilities, ElementsAre("net_raw", "setuid"));
  EXPECT_TRUE(manifest.uplink);
  EXPECT_FALSE(manifest.resources);
  EXPECT_EQ(manifest.limits.memory, 128U << 20);
  EXPECT_EQ(manifest.limits.persistent, 2ULL << 30);
  EXPECT_EQ(manifest.limits.events_per_second, 5U);
  EXPECT_EQ(manifest.health_every, std::chrono::minutes(1));
  EXPECT_EQ(manifest.healthy_within, std::chrono::seconds(90));
  EXPECT_EQ(manifest.config_defaults_json, R"({"interface":"probe","ports":[80,443]})");
  EXPECT_THAT(manifest.config_schema_json, HasSubstr(R"("default":"5")"));
  EXPECT_THAT(manifest.programs, ElementsAre("/usr/sbin/tcpdump"));
  EXPECT_EQ(manifest.files[0].first, "/etc/beacon.conf");
}

TEST(Manifest, WhatIsLeftOutIsAsTheStructSays) {
  const auto manifest = Manifest::parse("name: a\nversion: 1\n", "m");
  ASSERT_TRUE(manifest) << manifest.error().message();
  const Manifest fresh;
  EXPECT_EQ(manifest->limits.memory, fresh.limits.memory);
  EXPECT_EQ(manifest->limits.cpu_percent, fresh.limits.cpu_percent);
  EXPECT_EQ(manifest->limits.processes, fresh.limits.processes);
  EXPECT_EQ(manifest->limits.temporary, fresh.limits.temporary);
  EXPECT_EQ(manifest->limits.persistent, fresh.limits.persistent);
  EXPECT_EQ(manifest->limits.transient, fresh.limits.transient);
  EXPECT_EQ(manifest->limits.events_per_second, fresh.limits.events_per_second);
  EXPECT_EQ(manifest->health_every, fresh.health_every);
  EXPECT_EQ(manifest->health_deadline, fresh.health_deadline);
  EXPECT_EQ(manifest->healthy_within, fresh.healthy_within);
  EXPECT_EQ(manifest->config_defaults_json, fresh.config_defaults_json);
  EXPECT_TRUE(manifest->config_schema_json.empty());
}

TEST(Manifest, ItsJsonIsTheSameManifest) {
  const Manifest manifest = whole();
  const auto again = Manifest::parse(manifest.to_json(), "json");
  ASSERT_TRUE(again) << again.error().message() << manifest.to_json();
  EXPECT_EQ(again->to_json(), manifest.to_json());
  EXPECT_TRUE(widened(manifest, *again).empty());
  EXPECT_TRUE(widened(*again, manifest).empty());
  EXPECT_EQ(permission_digest(*again), permission_digest(manifest));
}

TEST(Manifest, ThePermissionsDigestFollowsPermissionsAlone) {
  const Manifest manifest = whole();
  Manifest other = manifest;
  other.version = "2.0";
  other.description = "other";
  other.config_defaults_json = "{}";
  EXPECT_EQ(permission_digest(other), permission_digest(manifest));
  for (const auto& change : std::vector<std::function<void(Manifest&)>>{
           [](Manifest& m) { m.capabilities.push_back("net_admin"); },
           [](Manifest& m) { m.interfaces[0].contract = Direction::both; },
           [](Manifest& m) { m.relations[0].events = true; }, [](Manifest& m) { m.uplink = false; },
           [](Manifest& m) { m.limits.memory += 1; }, [](Manifest& m) { m.resources = true; }}) {
    Manifest changed = manifest;
    change(changed);
    EXPECT_NE(permission_digest(changed), permission_digest(manifest));
  }
}

struct Wrong {
  const char* added;  // to a manifest of two lines
  const char* words;
};

TEST(Manifest, ErrorsNameTheLineAndWhatWouldBeRight) {
  for (const Wrong& wrong : std::vector<Wrong>{
           {"memroy: 5", "line 3: unknown key 'memroy'"},
           {"limits: {memroy: 5}", "did you mean 'memory'?"},
           {"confg: {}", "did you mean 'config'?"},
           {"capabilities: [cap_net_raw]", "did you mean 'net_raw'?"},
           {"capabilities: [net_row]", "line 3: unknown capability 'net_row'; did you mean"},
           {"capabilities: [sys_admin]", "no instrument may have it"},
           {"capabilities: [CAP_SYS_MODULE]", "no instrument may have it"},
           {"capabilities: [kill, kill]", "twice"},
           {"limits: {memory: much}", "bytes or a size such as 64M"},
           {"limits: {persistent: 5}", "0 or 1M at least"},
           {"limits: {processes: 1}", "from 2 to 512"},
           {"limits: {processes: 513}", "line 3: 'limits.processes' must be"},
           {"interfaces: [{name: lo}]", "interface's name 'lo'"},
           {"interfaces: [{name: averyveryverylongname}]", "15 at most"},
           {"interfaces: [{contract: rx}]", "lacks 'name'"},
           {"interfaces: [{name: a, contract: rxtx}]", "one of rx, tx, both"},
           {"interfaces:\n  - name: a\n  - name: a", "line 5: two interfaces"},
           {"relations: [{instrument: a}, {instrument: a}]", "make them one"},
           {"events: [Alert]", "the event type 'Alert'"},
           {"events: [a.b]", "one word"},
           {"command: [bin/run]", "a file's name in the source folder or a whole path"},
           {"command: [/bin/../x]", "whole path"},
           {"programs: [tcpdump]", "must be a whole path"},
           {"files: {/a: ../b}", "without '..'"},
           {"files: {a: b}", "a whole path in the image"},
           {"packages: [a b]", "no Debian package's name"},
           {"config: {schema: [1]}", "must be a map"},
           {"config: {defaults: {a: 1}}", "say what may be set"},
           {"config: {schema: {type: strng}}", "config.schema"},
           {"config: {shema: {}}", "did you mean 'schema'?"},
           {"config:\n  schema: {properties: {a: {type: integer}}}\n  defaults: {a: x}",
            "line 5: 'config.defaults' do not fit 'config.schema': /a: "},
           {"name: b", "given twice"},
       }) {
    const auto manifest =
        Manifest::parse(std::string("name: a\nversion: 1\n") + wrong.added + '\n', "m.yaml");
    ASSERT_FALSE(manifest) << wrong.added;
    EXPECT_THAT(manifest.error().message(), HasSubstr(wrong.words)) << wrong.added;
    EXPECT_THAT(manifest.error().message(), HasSubstr("m.yaml line ")) << wrong.added;
  }
}

TEST(Manifest, NameAndVersionAreNeeded) {
  for (const char* text : {"", "version: 1", "name: a", "name: A\nversion: 1",
                           "name: a_b\nversion: 1", "name: a-\nversion: 1", "name: 1a\nversion: 1",
                           "name: abcdefghijklmnopqrstuvwxyz\nversion: 1", "name: a\nversion: a/b",
                           "name: a\nversion: .5", "name: a\nversion: a b"})
    EXPECT_FALSE(Manifest::parse(text, "m")) << text;
}

TEST(Manifest, ItsPageHasEveryKeyAsTheSchemaHasIt) {
  const auto page = read_small_file(BEACONRY_SOURCE_DIR "/docs/writing-an-instrument.md", 1 << 20);
  ASSERT_TRUE(page);
  EXPECT_NE(page->find(manifest_keys_markdown()), std::string::npos)
      << "put this into docs/writing-an-instrument.md:\n"
      << manifest_keys_markdown();
}

TEST(Manifest, TheInstrumentsOfThisSourceHaveGoodOnes) {
  for (const char* folder : {"instruments/beacon", "instruments/detector", "instruments/downloader",
                             "instruments/recorder", "examples/python-instrument"}) {
    const std::string file = BEACONRY_SOURCE_DIR "/" + std::string(folder) + "/manifest.yaml";
    const auto text = read_small_file(file, 1 << 20);
    ASSERT_TRUE(text) << text.error().message();
    const auto manifest = Manifest::parse(*text, file);
    EXPECT_TRUE(manifest) << manifest.error().message();
  }
}

TEST(Manifest, DangerousCapabilitiesAreMarked) {
  bool admin = false;
  for (const KnownCapability& each : known_capabilities()) {
    EXPECT_EQ(each.name.find("sys_"), std::string_view::npos);
    if (each.name == "net_admin") admin = each.dangerous;
  }
  EXPECT_TRUE(admin);
}

}  // namespace
}  // namespace beaconry
