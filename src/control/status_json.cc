#include "control/status_json.h"

#include "beaconry_version.h"
#include "control/control.h"
#include "control/system_usage.h"

namespace beaconry {

void write_storage(JsonWriter& json, const Control& control) {
  const auto c = control.hunt().counters();
  const auto sums = control.ingest().edges().sums();
  const auto config = control.config().current();
  json.begin("storage");
  json.whole("pair_count", c.pairs);
  json.whole("pairs_count", c.pairs);  // what the predecessor's command line reads
  json.whole("total_connections", c.connections);
  json.whole("check_ins", c.check_ins);
  json.whole("unique_src_ips", c.sources);
  json.whole("unique_dst_ips", c.destinations);
  json.whole("unique_dst_ports", c.ports);
  json.whole("records_added", c.events_added);
  json.whole("records_expired", c.check_ins_expired);
  json.whole("records_evicted", c.check_ins_evicted);
  json.whole("records_from_the_future", c.future_refused);
  json.whole("batches_received", sums.batches);
  json.number("retention_seconds",
              config->values.seconds("control_plane.data_retention").value_or(0));
  json.whole("memory_bytes", c.memory_bytes);
  json.whole("journal_bytes", control.journal().bytes());
  json.whole("journal_dropped", control.journal().dropped());
  json.name("oldest");
  c.check_ins == 0 ? json.null() : json.plain(to_rfc3339(c.oldest));
  json.name("newest");
  c.check_ins == 0 ? json.null() : json.plain(to_rfc3339(c.newest));
  json.end();
}

void write_analyzer(JsonWriter& json, const Control& control) {
  const Analysis::Totals totals = control.analysis().totals();
  json.begin("analyzer");
  json.whole("total_runs", totals.runs);
  json.whole("analysis_runs", totals.runs);  // what the predecessor's command line reads
  json.whole("total_pairs_analyzed", totals.pairs_analyzed);
  json.whole("total_pairs_suppressed", totals.suppressed);
  json.whole("total_beacons_detected", totals.beacons);
  json.whole("beacons_detected", totals.last.beacons_detected);
  json.whole("total_alerts_generated", totals.alerts);
  json.whole("errors", totals.errors);
  json.number("last_duration_seconds", totals.last_seconds);
  json.name("last_run");
  totals.runs == 0 ? json.null() : json.plain(to_rfc3339(totals.last.end));
  json.end();
}

void write_alerter(JsonWriter& json, const Control& control) {
  std::uint64_t sent = 0, failed = 0, undeliverable = 0;
  const auto sinks = control.alert_queue().sinks();
  for (const auto& sink : sinks) {
    sent += sink.sent;
    failed += sink.failed_tries;
    undeliverable += sink.undeliverable;
  }
  json.begin("alerter");
  json.whole("alerts_sent", sent);
  json.whole("alerts_generated", control.analysis().totals().alerts);
  json.whole("alerts_kept", control.alerts().count().value_or(0));
  json.whole("failed_tries", failed);
  json.whole("undeliverable", undeliverable);
  json.number("queue_fill_percent", control.alert_queue().fill_percent());
  json.whole("queue_drops", control.alert_queue().drops());
  json.begin_list("sinks");
  for (const auto& sink : sinks) {
    json.begin();
    json.text("name", sink.name);
    json.whole("waiting", sink.waiting);
    json.whole("sent", sink.sent);
    json.whole("failed_tries", sink.failed_tries);
    json.whole("undeliverable", sink.undeliverable);
    json.text_or_null("last_error", sink.last_error);
    json.name("last_success");
    sink.last_success == Timestamp{} ? json.null() : json.plain(to_rfc3339(sink.last_success));
    json.end();
  }
  json.end_list();
  json.end();
}

void write_leaks(JsonWriter& json, const Control& control) {
  std::uint64_t open = 0, two_way = 0, all = 0, probes = 0, heard = 0;
  for (const Leak& leak : control.leaks().list()) {
    ++all;
    if (leak.closed) continue;
    ++open;
    if (leak.two_way) ++two_way;
  }
  for (const KeptProbe& probe : control.probes().list()) {
    if (probe.successor || probe.is_retired(control.now())) continue;
    ++probes;
    if (control.leaks().last_heard(probe.id)) ++heard;
  }
  json.begin("leaks");
  json.whole("open", open);
  json.whole("two_way", two_way);
  json.whole("total", all);
  json.whole("alerts", control.leaks().alerts_made());
  json.whole("of_other_homes", control.leaks().foreign());
  json.whole("probes", probes);
  json.whole("probes_heard", heard);
  json.whole("homes", control.homes().list().size());
  json.begin("observations");
  const Observations::Totals totals = control.leaks().totals();
  for (std::size_t i = 0; i < totals.size(); ++i)
    json.whole(to_string(static_cast<ObservationClass>(i)), totals[i]);
  json.end();
  json.end();
}

void write_status(JsonWriter& json, const Control& control) {
  const auto sums = control.ingest().edges().sums();
  const SystemUsage system = system_usage();
  json.plain("status", "running");
  json.plain("version", BEACONRY_VERSION);
  json.number("uptime_seconds", to_seconds(control.now() - control.started()));
  json.plain("start_time", to_rfc3339(control.started()));
  json.plain("time", to_rfc3339(control.now()));
  json.whole("requests_received", control.http_counters().requests);
  json.whole("batches_processed", sums.batches);
  json.whole("events_received", sums.events);
  json.whole("events_invalid", sums.invalid_events);
  json.whole("batches_duplicate", sums.duplicates);
  json.whole("batches_refused", sums.refused);
  json.whole("batches_storage_full", control.ingest().storage_full());
  json.whole("alert_queue_drops", control.alert_queue().drops());
  json.whole("ebpf_drops_total", sums.dropped_ebpf);
  json.whole("buffer_overflow_total", sums.dropped_overflow);
  json.whole("config_version", control.config().version());
  write_storage(json, control);
  write_analyzer(json, control);
  write_alerter(json, control);
  write_leaks(json, control);
  json.begin("system");
  json.number("cpu_percent", system.cpu_percent);
  json.number("memory_mb", system.memory_mb);
  json.whole("open_fds", system.open_fds);
  json.end();
}

}  // namespace beaconry
