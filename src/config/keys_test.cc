#include "config/keys.h"

#include <gtest/gtest.h>

#include <set>

#include "base/file.h"
#include "base/text.h"

namespace beaconry {
namespace {

Result<ConfigValues> read(const std::string& text) {
  const auto document = ConfigDocument::parse(text, "config.yaml");
  if (!document) return tl::unexpected<Error>(document.error());
  return ConfigValues::read(config_schema(), *document);
}

TEST(ConfigKeys, AreWellFormed) {
  std::set<std::string_view> seen;
  const ConfigSchema schema = config_schema();
  for (const ConfigKey& key : schema.keys()) {
    EXPECT_TRUE(seen.insert(key.path).second) << key.path << " is there twice";
    EXPECT_NE(key.path.find('.'), key.path.npos) << key.path;
    EXPECT_EQ(key.path.find('\n'), key.path.npos) << key.path;
    if (key.same_as.empty()) {
      EXPECT_FALSE(key.words.empty()) << key.path;
      EXPECT_LT(key.least, key.type == ConfigType::text ? 1 : key.most) << key.path;
    } else {
      const ConfigKey* holder = schema.find(key.same_as);
      ASSERT_NE(holder, nullptr) << key.path;
      EXPECT_EQ(holder->type, key.type) << key.path;
      EXPECT_TRUE(holder->same_as.empty()) << key.path;
    }
  }
  const ConfigValues defaults(schema);  // throws if a default cannot be read
  EXPECT_EQ(defaults.text("control_plane.listen_address"), "127.0.0.1");
}

TEST(ConfigKeys, ThePredecessorsFlatSpellingsAreTheNestedKeys) {
  const auto values = read(
      "alerting:\n  syslog_enabled: true\n  file_enabled: yes\n  file_path: /tmp/a.json\n"
      "  webhook_enabled: false\n  webhook_url: \"\"\n");
  ASSERT_TRUE(values) << values.error().message();
  EXPECT_TRUE(values->boolean("alerting.syslog.enabled"));
  EXPECT_TRUE(values->boolean("alerting.file.enabled"));
  EXPECT_EQ(values->text("alerting.file.path"), "/tmp/a.json");
  EXPECT_FALSE(values->text("alerting.webhook.url"));
}

// Every key of the predecessor's shipped file, with its defaults.
TEST(ConfigKeys, ThePredecessorsShippedFileIsTaken) {
  const auto values = read(R"(
data_plane: {interface: eth0, export_interval: 60, control_plane_host: 127.0.0.1,
  control_plane_port: 9090, connection_timeout: 10, max_buffer_size: 100000,
  ring_buffer_pages: 64, track_tcp: true, track_udp: true}
control_plane: {listen_address: 0.0.0.0, listen_port: 9090, max_connections: 10,
  data_retention: 7200, cleanup_interval: 300, api_key: ""}
detection: {min_connections: 10, min_duration: 300, time_window: 3600, cv_threshold: .15,
  periodicity_threshold: .7, jitter_threshold: 5, min_beacon_interval: 10,
  max_beacon_interval: 3600, cv_weight: .35, periodicity_weight: .35, jitter_weight: .15,
  size_weight: .15, alert_threshold: .7, alert_cooldown: 300, analysis_interval: 60}
alerting:
  enabled: true
  syslog: {enabled: true, facility: local0, level: WARNING}
  file: {enabled: true, path: /var/log/beacon-detect/alerts.json, max_size_mb: 100, backup_count: 5}
  webhook: {enabled: false, url: null, headers: {}, timeout: 10, retries: 3}
logging: {level: INFO, format: json, file: /var/log/x.log, max_size_mb: 50, backup_count: 3}
persistence: {db_path: null}
whitelist: {source_ips: [], destination_ips: [], ports: [], pairs: []}
benign_baseline: {enabled: true, patterns: [{dst_port: 123, protocol: UDP, label: NTP}]}
)");
  ASSERT_TRUE(values) << values.error().message();
  EXPECT_EQ(values->duration("control_plane.data_retention"), std::chrono::hours{2});
  EXPECT_EQ(values->text("alerting.syslog.level"), "warning");
  EXPECT_FALSE(values->text("persistence.db_path"));
  EXPECT_FALSE(values->text("control_plane.api_key"));
  const LogOptions log = log_options(*values);
  EXPECT_EQ(log.level, LogLevel::info);
  EXPECT_TRUE(log.json);
  EXPECT_EQ(log.file, "/var/log/x.log");
  EXPECT_EQ(log.max_bytes, std::uint64_t{50} << 20);
  EXPECT_EQ(log.backups, 3U);
}

// docs/configuration.md must show exactly the keys that are read, with default and range.
TEST(ConfigKeys, TheDocumentationsTableIsTheSchemas) {
  const auto page = read_small_file(BEACONRY_SOURCE_DIR "/docs/configuration.md", 1 << 20);
  ASSERT_TRUE(page) << page.error().message();
  const std::string table = config_schema().to_markdown();
  EXPECT_NE(page->find(table), std::string::npos) << "put this table into the page:\n" << table;
}

// The file that is installed must be one that works, and must show every key.
TEST(ConfigKeys, TheInstalledFileIsReadAndShowsEveryKey) {
  const auto text = read_small_file(BEACONRY_SOURCE_DIR "/packaging/config.yaml", 1 << 20);
  ASSERT_TRUE(text) << text.error().message();
  const auto values = read(*text);
  ASSERT_TRUE(values) << values.error().message();
  EXPECT_EQ(values->text("control_plane.listen_address"), "127.0.0.1");
  EXPECT_TRUE(values->texts("whitelist.ports")->empty());
  const ConfigSchema schema = config_schema();
  for (const ConfigKey& key : schema.keys()) {
    if (!key.same_as.empty()) continue;
    const std::string word = std::string(key.path.substr(key.path.rfind('.') + 1)) + ':';
    const bool shown = text->find(' ' + word) != text->npos || text->find('{' + word) != text->npos;
    EXPECT_TRUE(shown) << key.path;
  }
}

// What it shows as a comment must be right, too: every commented key with its # taken away.
TEST(ConfigKeys, TheInstalledFilesCommentsAreReadWhenTheyAreSwitchedOn) {
  const auto text = read_small_file(BEACONRY_SOURCE_DIR "/packaging/config.yaml", 1 << 20);
  ASSERT_TRUE(text);
  std::string switched;
  for (auto line : split(*text, '\n')) {
    const auto hash = line.find("# ");
    const bool comment = hash != line.npos && line.find_first_not_of(' ') == hash;
    const std::string_view rest = comment ? line.substr(hash + 2) : line;
    const auto begin = rest.find_first_not_of(' ');
    const auto word = begin == rest.npos
                          ? rest.npos
                          : rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", begin);
    const bool is_key = word != rest.npos && rest[word] == ':' &&
                        (word + 1 == rest.size() || rest[word + 1] == ' ');
    if (comment && !is_key) continue;
    switched += comment ? std::string(line.substr(0, hash)) + std::string(rest) : std::string(line);
    switched += '\n';
  }
  const auto values = read(switched);
  ASSERT_TRUE(values) << values.error().message() << switched;
  EXPECT_EQ(values->text("data_plane.socket"), "/run/beaconry-collector/socket");
  EXPECT_EQ(values->text("control_plane.tls.mode"), "auto");
  EXPECT_EQ(values->text("persistence.db_path"), "/var/lib/beaconry/beaconry.db");
}

}  // namespace
}  // namespace beaconry
