#include "config/keys.h"

namespace beaconry {
namespace {

constexpr double kDay = 86'400;
constexpr double kYear = 366 * kDay;
constexpr double kKilo = 1024, kMega = kKilo * 1024, kGiga = kMega * 1024;
constexpr double kTera = kGiga * 1024;
constexpr double kMostPort = 65'535;
constexpr ConfigType kBoolean = ConfigType::boolean, kCount = ConfigType::count,
                     kNumber = ConfigType::number, kDuration = ConfigType::duration,
                     kSize = ConfigType::size, kText = ConfigType::text, kTexts = ConfigType::texts,
                     kEntries = ConfigType::entries, kRecords = ConfigType::records;

constexpr ConfigKey choice(std::string_view path, std::string_view choices, std::string_view words,
                           std::string_view fallback = {}) {
  ConfigKey key{path, kText, words, fallback};
  key.choices = choices;
  return key;
}

constexpr ConfigKey secret(std::string_view path, ConfigType type, std::string_view words) {
  ConfigKey key{path, type, words};
  key.secret = true;
  return key;
}

constexpr ConfigKey required(std::string_view path, ConfigType type, std::string_view words,
                             double most = 0) {
  ConfigKey key{path, type, words, {}, 0, most};
  key.required = true;
  return key;
}

// The flat spelling of a nested key.
constexpr ConfigKey spelling(std::string_view path, ConfigType type, std::string_view of) {
  ConfigKey key{path, type, {}};
  key.same_as = of;
  return key;
}

constexpr ConfigKey kKeys[] = {
    {"data_plane.interface", kText,
     "Interface to watch. With `interfaces` unset too, the one of the default route."},
    {"data_plane.interfaces", kTexts, "More than one interface.", "empty"},
    choice("data_plane.mode", "auto|xdp|tc|xdp_generic|af_packet",
           "How packets are got; `auto` takes the best that the interface can do.", "auto"),
    {"data_plane.source", kText,
     "`live`, or logs that grow: `zeek:/nsm/zeek/logs/current`, "
     "`suricata:/var/log/suricata/eve.json`.",
     "live"},
    {"data_plane.track_tcp", kBoolean, "Whether TCP is watched.", "true"},
    {"data_plane.track_udp", kBoolean, "Whether UDP is watched.", "true"},
    {"data_plane.export_interval", kDuration,
     "Between two batches to the server. Longer: less chatter, later verdicts.", "60", 0.1, kDay},
    {"data_plane.max_buffer_size", kCount,
     "Flows that are held at once; beyond it new ones are counted and not watched.", "100000", 16,
     16'777'216},
    {"data_plane.ring_buffer_pages", kCount,
     "4 KiB pages of the kernel's event ring, rounded up to a power of two.", "64", 1, 65'536},
    {"data_plane.flow_timeout", kDuration,
     "A flow that was idle for this long is over; unset: by its protocol.", "", 1, kDay},
    {"data_plane.control_plane_url", kText,
     "The server: `https://host:9090`, `unix:/path`. Wins over host and port; a server that was "
     "joined wins over all."},
    {"data_plane.control_plane_host", kText, "The server, by HTTP.", "127.0.0.1"},
    {"data_plane.control_plane_port", kCount, "Its port.", "9090", 1, kMostPort},
    {"data_plane.connection_timeout", kDuration, "Waiting for a connection to the server.", "10",
     0.1, 3600},
    {"data_plane.token_file", kText, "File that holds a token for the server."},
    {"data_plane.name", kText, "What this collector is called; unset: the host's name."},
    {"data_plane.state_dir", kText, "Its key, its server and its spool.",
     "/var/lib/beaconry-collector"},
    {"data_plane.spool_dir", kText,
     "Batches that wait for the server; unset: `spool` in its state folder."},
    {"data_plane.spool_bytes", kSize, "Disk space for them; beyond it the oldest go, counted.",
     "1G", kMega, 16 * kTera},
    {"data_plane.socket", kText, "Unix socket that answers `beaconry-collector status`.",
     "/run/beaconry-collector/socket"},
    {"data_plane.user", kText,
     "Who the collector becomes once it is attached; unset: the first there is of "
     "`beaconry-collector`, `beaconry`, `nobody`."},

    {"home.interfaces", kTexts, "Where home sniffs; unset: all interfaces but loopback.", "empty"},
    {"home.addresses", kTexts,
     "Home's own addresses as probes reach them; unset: the public ones of its interfaces.",
     "empty"},
    {"home.zone", kText, "The DNS zone that is delegated to home; unset: no DNS server."},
    {"home.dns_port", kCount, "Where home answers for its zone, UDP and TCP.", "53", 1, kMostPort},
    {"home.all_ports", kBoolean,
     "Whether home takes every TCP and UDP port that nobody else uses (eBPF, Linux 5.9).", "true"},
    {"home.ports_left", kTexts, "Ports that home leaves alone though nobody listens there.",
     "empty"},
    {"home.suppress_replies", kBoolean,
     "Whether the kernel is kept from answering pings of probes, stray segments and unknown "
     "protocols (nftables).",
     "true"},
    {"home.max_connections", kCount, "TCP connections at once; 64 of one address.", "4096", 16,
     1e6},
    {"home.server", kText,
     "The server: `https://host:9090`, `unix:/path`; one that was joined wins. Unset and none "
     "joined: observations stay in the spool."},
    {"home.token_file", kText, "File that holds a token for the server."},
    {"home.probes", kText, "File with the probes, as the server gives them, instead of asking it."},
    {"home.name", kText, "What this home is called; unset: the host's name."},
    {"home.state_dir", kText, "Its keys, its server, its probes and its spool.",
     "/var/lib/beaconry-home"},
    {"home.spool_dir", kText,
     "Observations that wait for the server; unset: `spool` in its state folder."},
    {"home.spool_bytes", kSize, "Disk space for them; beyond it the oldest go, counted.", "1G",
     kMega, 16 * kTera},
    {"home.socket", kText, "Unix socket that answers `beaconry home status`.",
     "/run/beaconry-home/socket"},
    {"home.user", kText,
     "Who home becomes once it listens; unset: the first there is of `beaconry-home`, `beaconry`, "
     "`nobody`."},

    {"sensor.name", kText,
     "What this sensor is called: instances are `beacon_0@NAME`; unset: the name that it joined a "
     "server by, else the host's."},
    {"sensor.desired_dir", kText,
     "Folder of the files that define instruments; the command line defines others.",
     "/etc/beaconry/sensor.d"},
    {"sensor.keys_dir", kText,
     "Folder of the minisign keys (`*.pub`) that images and resources may be signed with.",
     "/etc/beaconry/instrument-keys"},
    {"sensor.lxd_socket", kText,
     "LXD's or Incus's Unix socket; unset: the first that answers of the usual ones."},
    {"sensor.pool", kText, "The storage pool that `beaconry sensor setup` makes.", "beaconry"},
    {"sensor.profile", kText, "The profile that it makes.", "beaconry"},
    {"sensor.server", kText,
     "The server: `https://host:9090`, `unix:/path`; one that was joined wins. Unset and none "
     "joined: events stay in the spool."},
    {"sensor.token_file", kText, "File that holds a token for the server."},
    {"sensor.state_dir", kText, "Its key, its server, images, instances' state and the spool.",
     "/var/lib/beaconry-sensor"},
    {"sensor.spool_dir", kText,
     "Events and batches that wait for the server; unset: `spool` in its state folder."},
    {"sensor.spool_bytes", kSize,
     "Disk space, half of it for each of the two; when it is full nothing more is taken until the "
     "server has it, or, without a server, the oldest go.",
     "256M", kMega, 16 * kTera},
    {"sensor.run_dir", kText, "The bus and what else running instruments are given.",
     "/run/beaconry-sensor"},
    {"sensor.socket", kText,
     "Unix socket of its API, for `beaconry instrument` and `beaconry sensor`.",
     "/run/beaconry-sensor/sensor.sock"},
    {"sensor.broken_after", kCount,
     "Failures in a row after which an instrument waits for a person.", "5", 1, 1000},
    {"sensor.fleet.allow_unsigned", kBoolean,
     "Whether what the server wishes may say `allow_unsigned`. Closed: code that the server brings "
     "runs only with a signature of a key of `keys_dir`, also where the server was taken over.",
     "false"},
    {"sensor.user", kText,
     "Who the bus's broker becomes; unset: the first there is of `mosquitto`, `nobody`. The sensor "
     "itself stays root."},

    {"control_plane.listen_address", kText,
     "Where the server listens. Beyond loopback it needs TLS and a token, or `--insecure`.",
     "127.0.0.1"},
    {"control_plane.listen_port", kCount, "0: any that is free.", "9090", 0, kMostPort},
    {"control_plane.listen_socket", kText, "A Unix socket besides."},
    {"control_plane.names", kTexts,
     "Further names of this server: in its certificate, and taken in the Host header.", "empty"},
    {"control_plane.max_connections", kCount,
     "Clients at once; beyond it the longest idle one goes.", "20000", 1, 1e6},
    {"control_plane.max_connections_per_client", kCount,
     "Of them, from one address that is not loopback, without those of enrolled edges; 0: no "
     "limit.",
     "256", 0, 1e6},
    {"control_plane.rate_limit", kNumber,
     "Requests a second from one address that is not loopback, with bursts of ten seconds' worth; "
     "0: no limit.",
     "100", 0, 1e6},
    {"control_plane.max_body", kSize, "Longest telemetry body, as sent.", "32M", kKilo, kGiga},
    {"control_plane.max_decompressed", kSize, "Longest telemetry body, unpacked.", "256M", kKilo,
     4 * kGiga},
    {"control_plane.workers", kCount,
     "Threads that decode and answer; unset: as many as processors.", "", 1, 256},
    {"control_plane.data_retention", kDuration,
     "How long check-ins are kept. A beacon shows after some of its intervals: less forgets slow "
     "ones.",
     "24h", 10, kYear},
    {"control_plane.cleanup_interval", kDuration, "Between two removals of what is too old.", "300",
     1, kDay},
    {"control_plane.memory_limit", kSize,
     "For check-ins and pairs; beyond it the least interesting pairs go, counted.", "1G",
     16 * kMega, 16 * kTera},
    {"control_plane.journal_bytes", kSize,
     "Disk space for batches as they came, from which a restart rebuilds the check-ins.", "4G",
     16 * kMega, 64 * kTera},
    {"control_plane.state_dir", kText, "Certificates, journal, database.", "/var/lib/beaconry"},
    secret("control_plane.api_key", kText,
           "A key that POST and DELETE need, as X-API-Key or Bearer; unset: none."),
    {"control_plane.api_key_file", kText, "The same, read from a file."},
    choice("control_plane.anonymous", "none|loopback-read|loopback",
           "Who may come without a token. Unset: `loopback` while there is none, `loopback-read` "
           "with an api_key, `none` from the first token on."),
    choice("control_plane.tls.mode", "auto|on|off",
           "`auto`: beyond loopback TLS alone, as on loopback where a certificate is named here; "
           "else on "
           "loopback both kinds of clients, once `beaconry-control init` made a certificate.",
           "auto"),
    {"control_plane.tls.certificate", kText,
     "PEM file, chain included; unset: the one that `beaconry-control init` made."},
    {"control_plane.tls.key", kText, "Its key, PEM."},

    {"leaks.most_observations", kCount,
     "Observations of homes that are kept; beyond it the oldest go. Leaks stay.", "1000000", 1000,
     1e9},
    {"leaks.observation_retention", kDuration, "How long observations are kept. Leaks stay.", "90d",
     3600, 10 * kYear},
    {"instrument_events.most", kCount,
     "Events of sensors' instruments that are kept; beyond it the oldest go.", "1000000", 1000,
     1e9},
    {"instrument_events.retention", kDuration, "How long they are kept.", "90d", 3600, 10 * kYear},
    {"instrument_events.retention_of", kEntries,
     "For how long those of some types are kept instead, such as `{'*.ev.status': 7d, "
     "'*.ev.alert': 365d}`; * stands for any characters, and the first that fits counts."},

    {"fleet.images_size", kSize,
     "Instruments' images that the server keeps for its sensors have so much space together.",
     "20G", kMega, 16 * kTera},

    {"detection.cv_threshold", kNumber,
     "Intervals whose coefficient of variation is below this look like a beacon's.", "0.15", 0.001,
     10},
    {"detection.periodicity_threshold", kNumber, "A periodicity above this counts as one.", "0.7",
     0, 1},
    {"detection.jitter_threshold", kDuration,
     "Largest acceptable deviation from the median interval.", "5", 0.001, kYear},
    {"detection.alert_threshold", kNumber, "Combined scores from here on are beacons.", "0.7", 0,
     1},
    {"detection.cv_weight", kNumber,
     "Share of the interval variation in the combined score. The four weights sum to 1.", "0.35", 0,
     1},
    {"detection.periodicity_weight", kNumber, "Share of the periodicity.", "0.35", 0, 1},
    {"detection.jitter_weight", kNumber, "Share of the jitter.", "0.15", 0, 1},
    {"detection.size_weight", kNumber, "Share of the size consistency.", "0.15", 0, 1},
    {"detection.min_connections", kCount,
     "Gate: pairs with fewer check-ins, bursts included, are not listed.", "", 1, 1e9},
    {"detection.min_duration", kDuration, "Gate: pairs seen for a shorter time are not listed.", "",
     0, kYear},
    {"detection.time_window", kDuration,
     "Gate: only check-ins this long before the newest one of the input count.", "", 1, kYear},
    {"detection.min_beacon_interval", kDuration, "Gate: shorter intervals are not listed.", "", 0,
     kYear},
    {"detection.max_beacon_interval", kDuration, "Gate: longer intervals are not listed.", "", 0,
     kYear},
    {"detection.burst_gap", kDuration,
     "Activities of a pair that begin closer together than this are one check-in.", "1", 0.001,
     kDay},
    {"detection.alert_cooldown", kDuration,
     "Between two alerts of one pair; the server's, a hunt does not use it.", "300", 0, kYear},
    {"detection.analysis_interval", kDuration,
     "Between two analyses; the server's, a hunt does not use it.", "60", 1, kYear},

    {"alerting.enabled", kBoolean, "Whether alerts are sent anywhere; they are kept in any case.",
     "true"},
    {"alerting.queue_size", kCount,
     "Waiting alerts that count as a full queue (100 %). Past it they wait on disk.", "1000", 1,
     1e7},
    {"alerting.instrument_events", kEntries,
     "Which events of instruments become alerts, by type, such as `{'*.ev.alert': critical, "
     "'sensor.ev.flooding': none}`: low, medium, high, critical or none. The first that fits "
     "counts, then the defaults: `*.ev.alert`, `sensor.ev.broken` and `sensor.ev.interface_lost` "
     "high, `sensor.ev.tried_to_transmit` critical, `sensor.ev.update_rolled_back`, "
     "`sensor.ev.flooding` and `sensor.ev.retention_overdue` medium."},
    {"alerting.syslog.enabled", kBoolean, "Whether alerts go to syslog.", "false"},
    {"alerting.syslog.address", kText,
     "`/dev/log`, `udp://host:514`, `tcp://host:514`, `tls://host:6514`.", "/dev/log"},
    choice("alerting.syslog.format", "rfc5424|cef",
           "RFC 5424 with structured data, or the same with CEF as its message.", "rfc5424"),
    choice("alerting.syslog.facility",
           "kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local0|local1|local2|"
           "local3|local4|local5|local6|local7",
           "Facility of the messages.", "local0"),
    choice("alerting.syslog.level",
           "emergency|emerg|alert|critical|crit|error|err|warning|warn|notice|info|debug",
           "Severity that every message gets; unset: by the alert's."),
    {"alerting.syslog.ca_file", kText,
     "PEM file that the server's certificate of tls:// must be signed by; unset: the system's."},
    {"alerting.syslog.timeout", kDuration, "For connecting and for sending.", "10", 0.1, 600},
    {"alerting.file.enabled", kBoolean, "Whether alerts go to a file, as JSON lines.", "false"},
    {"alerting.file.path", kText, "The file.", "/var/log/beacon-detect/alerts.json"},
    {"alerting.file.max_size_mb", kCount, "MiB after which it is rotated.", "100", 1, 1e6},
    {"alerting.file.backup_count", kCount, "Rotated files that are kept.", "5", 0, 1000},
    {"alerting.webhook.enabled", kBoolean, "Whether alerts go to a web hook.", "false"},
    secret("alerting.webhook.url", kText, "Where alerts are posted: `https://...`."),
    secret("alerting.webhook.headers", kEntries,
           "Headers to send, such as `{Authorization: Bearer ...}`. A value `file:/path` is read "
           "from that file."),
    {"alerting.webhook.secret_file", kText,
     "File with the key of the signature (HMAC-SHA256) in the header X-Beaconry-Signature."},
    choice("alerting.webhook.template", "json|slack|ecs",
           "The alert as it is, a Slack message, or an Elastic Common Schema document.", "json"),
    {"alerting.webhook.ca_file", kText,
     "PEM file that its certificate must be signed by; unset: the system's."},
    {"alerting.webhook.timeout", kDuration, "For a whole answer.", "10", 0.1, 600},
    {"alerting.webhook.retries", kCount,
     "Quick tries before the pauses between them grow. It is tried until it succeeds.", "3", 0,
     1000},
    spelling("alerting.syslog_enabled", kBoolean, "alerting.syslog.enabled"),
    spelling("alerting.syslog_address", kText, "alerting.syslog.address"),
    spelling("alerting.syslog_facility", kText, "alerting.syslog.facility"),
    spelling("alerting.syslog_level", kText, "alerting.syslog.level"),
    spelling("alerting.file_enabled", kBoolean, "alerting.file.enabled"),
    spelling("alerting.file_path", kText, "alerting.file.path"),
    spelling("alerting.file_max_size_mb", kCount, "alerting.file.max_size_mb"),
    spelling("alerting.file_backup_count", kCount, "alerting.file.backup_count"),
    spelling("alerting.webhook_enabled", kBoolean, "alerting.webhook.enabled"),
    spelling("alerting.webhook_url", kText, "alerting.webhook.url"),
    spelling("alerting.webhook_headers", kEntries, "alerting.webhook.headers"),
    spelling("alerting.webhook_timeout", kDuration, "alerting.webhook.timeout"),
    spelling("alerting.webhook_retries", kCount, "alerting.webhook.retries"),

    choice("logging.level", "debug|info|warning|warn|error|critical",
           "Least weight of the messages that a program writes about itself.", "info"),
    choice("logging.format", "text|json", "As lines of text or as JSON.", "text"),
    {"logging.file", kText, "Where they go; unset: standard error."},
    {"logging.max_size_mb", kCount, "MiB after which that file is rotated.", "100", 1, 1e6},
    {"logging.backup_count", kCount, "Rotated files that are kept.", "5", 0, 1000},

    {"persistence.db_path", kText,
     "The database; unset: `beaconry.db` in the server's state folder where there is one, else in "
     "memory only."},

    {"whitelist.source_ips", kTexts, "Addresses and blocks that are trusted as sources.", "empty"},
    {"whitelist.destination_ips", kTexts,
     "Addresses, blocks and names that are trusted as destinations.", "empty"},
    {"whitelist.ports", kTexts, "Trusted destination ports: `53`, `53/udp`.", "empty"},
    {"whitelist.destination_ports", kTexts, "The same as `ports`; both may be given.", "empty"},
    {"whitelist.pairs", kTexts,
     "Trusted pairs as `src:dst:port`; `*` stands for any, IPv6 in brackets.", "empty"},
    {"whitelist.names", kTexts,
     "Trusted server names: `*.example.com` is every name below it, `.example.com` that and "
     "`example.com` itself.",
     "empty"},

    {"benign_baseline.enabled", kBoolean, "Whether pairs that fit a pattern are taken for benign.",
     "true"},
    {"benign_baseline.patterns", kRecords, "Services that are periodic by nature.",
     "NTP: 123, UDP"},
    required("benign_baseline.patterns[].dst_port", kCount, "Destination port.", kMostPort),
    required("benign_baseline.patterns[].protocol", kText, "TCP, UDP, ICMP or a number."),
    {"benign_baseline.patterns[].label", kText, "What the report calls it.", "benign"},

    {"networks.internal", kTexts, "Blocks that are ours.",
     "private, link-local and loopback addresses"},
};

}  // namespace

ConfigSchema config_schema() {
  return ConfigSchema(kKeys);
}

LogOptions log_options(const ConfigValues& values) {
  LogOptions options;
  const std::string level = *values.text("logging.level");
  if (level == "debug") options.level = LogLevel::debug;
  if (level.starts_with("warn")) options.level = LogLevel::warning;
  if (level == "error" || level == "critical") options.level = LogLevel::error;
  options.json = *values.text("logging.format") == "json";
  options.file = values.text("logging.file").value_or("");
  options.max_bytes = *values.count("logging.max_size_mb") << 20;
  options.backups = static_cast<unsigned>(*values.count("logging.backup_count"));
  return options;
}

}  // namespace beaconry
