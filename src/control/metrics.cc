#include "control/metrics.h"

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <initializer_list>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

#include "control/control.h"

namespace beaconry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// In the order of LoginOutcome.
constexpr std::array<const char*, 5> kLoginOutcomes = {"done", "refused", "code_needed", "limited",
                                                       "busy"};

class Families {
 public:
  void begin(const char* name, const char* help, MetricType type) {
    all_.push_back({name, help, type, {}});
  }
  void value(double value, Labels labels = {}) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (all_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    all_.back().metric.push_back(std::move(metric));
  }
  void counter(const char* name, const char* help, std::uint64_t count) {
    begin(name, help, MetricType::Counter);
    value(static_cast<double>(count));
  }
  void gauge(const char* name, const char* help, double number) {
    begin(name, help, MetricType::Gauge);
    value(number);
  }
  void histogram(const char* name, const char* help, const prometheus::Histogram& histogram) {
    begin(name, help, MetricType::Histogram);
    all_.back().metric.push_back(histogram.Collect());
  }
  std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, all_);
    return std::move(out).str();
  }

 private:
  std::vector<MetricFamily> all_;
};

void add_edges(Families& families, const Control& control) {
  const auto edges = control.ingest().edges().edges();
  const auto each = [&](const char* name, const char* help, auto member) {
    families.begin(name, help, MetricType::Counter);
    for (const EdgeTotals& edge : edges) {
      families.value(static_cast<double>(edge.*member), {{"edge", edge.id}, {"name", edge.name}});
    }
  };
  each("beaconry_edge_events_total", "Events accepted, by edge.", &EdgeTotals::events);
  each("beaconry_edge_batches_total", "Batches accepted, by edge.", &EdgeTotals::batches);
  each("beaconry_edge_duplicates_total", "Batches that had been accepted before, by edge.",
       &EdgeTotals::duplicates);
  each("beaconry_edge_refused_total", "Batches refused as malformed, by edge.",
       &EdgeTotals::refused);
  each("beaconry_edge_invalid_events_total", "Single events that were skipped, by edge.",
       &EdgeTotals::invalid_events);
  each("beaconry_edge_batches_dropped_total", "Batches that an edge's spool had to drop.",
       &EdgeTotals::batches_dropped);
  each("beaconry_edge_kernel_drops_total", "Events and packets that an edge's kernel dropped.",
       &EdgeTotals::dropped_ebpf);
  each("beaconry_edge_overflow_total", "What an edge's own buffers dropped.",
       &EdgeTotals::dropped_overflow);
  families.begin("beaconry_edge_counter", "Everything an edge counts, as it last told.",
                 MetricType::Gauge);
  for (const EdgeTotals& edge : edges) {
    for (const EdgeCounter& counter : edge.counters) {
      families.value(static_cast<double>(counter.value), {{"edge", edge.id},
                                                          {"name", edge.name},
                                                          {"counter", counter.name},
                                                          {"place", counter.place}});
    }
  }
}

void add_sinks(Families& families, const Control& control) {
  const auto sinks = control.alert_queue().sinks();
  const auto each = [&](const char* name, const char* help, MetricType type, auto member) {
    families.begin(name, help, type);
    for (const auto& sink : sinks)
      families.value(static_cast<double>(sink.*member), {{"sink", sink.name}});
  };
  using Status = AlertQueue::SinkStatus;
  each("beaconry_sink_sent_total", "Alerts delivered, by sink.", MetricType::Counter,
       &Status::sent);
  each("beaconry_sink_failed_tries_total", "Deliveries that failed and are tried again.",
       MetricType::Counter, &Status::failed_tries);
  each("beaconry_sink_undeliverable_total", "Alerts that a sink will never take.",
       MetricType::Counter, &Status::undeliverable);
  each("beaconry_sink_waiting", "Alerts that wait for a sink.", MetricType::Gauge,
       &Status::waiting);
  families.gauge("beaconry_alert_queue_fill_percent", "Fill of the alert queue.",
                 control.alert_queue().fill_percent());
  families.counter("beaconry_alert_queue_drops_total", "Alerts that the queue could not keep.",
                   control.alert_queue().drops());
}

void add_instrument_events(Families& families, const Control& control) {
  const auto totals = control.instrument_events().totals();
  if (!totals) return;
  families.begin("beaconry_instrument_events_total",
                 "Events of sensors' instruments, by what became of them.", MetricType::Counter);
  families.value(static_cast<double>(totals->stored), {{"outcome", "stored"}});
  families.value(static_cast<double>(totals->repeated), {{"outcome", "repeated"}});
  families.begin("beaconry_instrument_alerts_total",
                 "Alerts of such events, by what became of them.", MetricType::Counter);
  families.value(static_cast<double>(totals->alerts), {{"outcome", "made"}});
  families.value(static_cast<double>(totals->muted), {{"outcome", "muted"}});
  families.value(static_cast<double>(totals->limited), {{"outcome", "limited"}});
}

void add_fleet(Families& families, const Control& control) {
  const Fleet& fleet = control.fleet();
  const Timestamp now = control.now();
  std::map<SensorState, std::size_t> states;
  for (const SensorState state : kSensorStates)
    states[state] = 0;
  std::size_t late = 0, drifting = 0;
  for (const Fleet::Found& sensor : fleet.sensors()) {
    const SensorStanding standing = fleet.stand(*sensor, now);
    ++states[standing.state];
    late += standing.late ? 1 : 0;
    drifting += sensor->drift > 0 ? 1 : 0;
  }
  families.begin("beaconry_fleet_sensors", "Sensors of the fleet, by state.", MetricType::Gauge);
  for (const auto& [state, count] : states)
    families.value(static_cast<double>(count), {{"state", state_word(state)}});
  families.gauge("beaconry_fleet_sensors_late", "Sensors that are late, and not yet offline.",
                 static_cast<double>(late));
  families.gauge("beaconry_fleet_sensors_drifting", "Sensors that are not what they shall be.",
                 static_cast<double>(drifting));
  families.gauge("beaconry_fleet_streams", "Sensors that have their stream open.",
                 static_cast<double>(fleet.lines().count()));
  const Fleet::Counters counters = fleet.counters();
  families.counter("beaconry_fleet_documents_pushed_total",
                   "Signed documents that went down a sensor's stream.", counters.pushed);
  families.begin("beaconry_fleet_reports_total", "Reports of sensors, by what became of them.",
                 MetricType::Counter);
  families.value(static_cast<double>(counters.taken), {{"outcome", "taken"}});
  families.value(static_cast<double>(counters.stale), {{"outcome", "stale"}});
  families.value(static_cast<double>(counters.refused), {{"outcome", "refused"}});
  families.counter("beaconry_fleet_conflicts_total",
                   "Reports of two systems that speak with one sensor's key.", counters.conflicts);
}

void add_leaks(Families& families, const Control& control) {
  std::uint64_t open = 0, two_way = 0, closed = 0;
  for (const Leak& leak : control.leaks().list()) {
    if (leak.closed) {
      ++closed;
    } else {
      ++(leak.two_way ? two_way : open);
    }
  }
  families.begin("beaconry_leaks_open", "Leaks that are open.", MetricType::Gauge);
  families.value(static_cast<double>(open), {{"ways", "one"}});
  families.value(static_cast<double>(two_way), {{"ways", "two"}});
  families.gauge("beaconry_leaks_closed", "Leaks that were seen once and are closed.",
                 static_cast<double>(closed));
  families.counter("beaconry_leak_alerts_total", "Alerts of leaks and probes since startup.",
                   control.leaks().alerts_made());
  families.begin("beaconry_observations_total", "Observations of homes, by class.",
                 MetricType::Counter);
  const Observations::Totals totals = control.leaks().totals();
  for (std::size_t i = 0; i < totals.size(); ++i) {
    families.value(static_cast<double>(totals[i]),
                   {{"class", std::string(to_string(static_cast<ObservationClass>(i)))}});
  }
  const Timestamp now = control.now();
  const auto probes = control.probes().list();
  const auto ages = [&](const char* name, const char* help, const auto& last_of) {
    families.begin(name, help, MetricType::Gauge);
    for (const KeptProbe& probe : probes) {
      const auto last = last_of(probe);
      if (!last || probe.is_retired(now)) continue;
      families.value(to_seconds(std::max(Duration{0}, now - *last)),
                     {{"probe", probe.id.to_string()}, {"name", probe.name}});
    }
  };
  ages("beaconry_probe_last_heard_seconds", "Time since a probe's newest ping arrived.",
       [&](const KeptProbe& probe) { return control.leaks().last_heard(probe.id); });
  ages("beaconry_probe_last_control_seconds", "Time since a probe's newest positive control.",
       [&](const KeptProbe& probe) { return control.leaks().last_control(probe.id); });
}

void add_drops(Families& families, const Control& control) {
  const auto hunt = control.hunt().counters();
  const auto http = control.http_counters();
  const auto sums = control.ingest().edges().sums();
  families.begin("beaconry_drops_total",
                 "Everything that was refused, dropped or forgotten, by cause.",
                 MetricType::Counter);
  const std::pair<const char*, std::uint64_t> causes[] = {
      {"batch_duplicate", sums.duplicates},
      {"batch_malformed", sums.refused},
      {"batch_storage_full", control.ingest().storage_full()},
      {"event_invalid", sums.invalid_events},
      {"event_from_the_future", hunt.future_refused},
      {"check_in_expired", hunt.check_ins_expired},
      {"check_in_evicted", hunt.check_ins_evicted},
      {"leg_evicted", hunt.legs_evicted},
      {"open_flow", hunt.open_flows_dropped},
      {"packet_flow_evicted", control.ingest().packet_flows().evicted()},
      {"journal_dropped", control.journal().dropped()},
      {"journal_damaged", control.journal().damaged() + control.ingest().replay_damaged()},
      {"leak_refused", control.leaks().refused()},
      {"observation_of_another_home", control.leaks().foreign()},
      {"http_connection_refused", http.refused_connections},
      {"http_connection_evicted", http.evicted},
      {"http_rate_limited", http.rate_limited},
      {"http_timed_out", http.timed_out},
      {"http_malformed", http.malformed},
      {"http_overloaded", http.overloaded},
      {"http_stream_cut", http.streams_cut},
      {"tls_failure", http.tls_failures},
  };
  for (const auto& [cause, count] : causes)
    families.value(static_cast<double>(count), {{"cause", cause}});
}

}  // namespace

struct Metrics::Parts {
  prometheus::Histogram ingest{{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5}};
  prometheus::Histogram analysis{{0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}};
  std::array<std::atomic<std::uint64_t>, kLoginOutcomes.size()> logins{};
};

Metrics::Metrics() : parts_(std::make_unique<Parts>()) {}
Metrics::~Metrics() = default;

void Metrics::ingested(double seconds) {
  parts_->ingest.Observe(seconds);
}

void Metrics::analyzed(double seconds) {
  parts_->analysis.Observe(seconds);
}

void Metrics::login(LoginOutcome outcome) {
  parts_->logins[static_cast<std::size_t>(outcome)].fetch_add(1, std::memory_order_relaxed);
}

std::string Metrics::text(const Control& control) const {
  const auto sums = control.ingest().edges().sums();
  const auto hunt = control.hunt().counters();
  const auto analysis = control.analysis().totals();
  Families families;
  families.counter("beacon_detector_events_total",
                   "Total connection events received from all data plane nodes.", sums.events);
  families.gauge("beacon_detector_pairs_active", "Connection pairs currently in storage.",
                 static_cast<double>(hunt.pairs));
  families.gauge("beacon_detector_analysis_duration_seconds",
                 "Wall-clock duration of the last analysis run.", analysis.last_seconds);
  families.counter("beacon_detector_alerts_total", "Beacon alerts generated since startup.",
                   analysis.alerts);
  families.counter("beacon_detector_buffer_overflow_total",
                   "Events discarded by the data-plane buffer.", sums.dropped_overflow);
  families.counter("beacon_detector_ebpf_drops_total", "Events dropped by the eBPF ring buffer.",
                   sums.dropped_ebpf);

  families.histogram("beaconry_ingest_seconds", "Time to take one batch in, journal included.",
                     parts_->ingest);
  families.histogram("beaconry_analysis_seconds", "Time of one analysis.", parts_->analysis);
  families.counter("beaconry_batches_total", "Batches accepted.", sums.batches);
  families.counter("beaconry_analyses_total", "Analyses since startup.", analysis.runs);
  families.gauge("beaconry_beacons", "Pairs that the last analysis called beacons.",
                 static_cast<double>(analysis.last.beacons_detected));
  families.gauge("beaconry_check_ins", "Check-ins that are kept.",
                 static_cast<double>(hunt.check_ins));
  families.gauge("beaconry_series_bytes", "Memory of all series.",
                 static_cast<double>(hunt.memory_bytes));
  families.gauge("beaconry_journal_bytes", "Size of the ingest journal.",
                 static_cast<double>(control.journal().bytes()));
  families.gauge("beaconry_http_connections", "Connections open.",
                 static_cast<double>(control.http_counters().open));
  families.gauge("beaconry_event_listeners", "Clients of the event stream.",
                 static_cast<double>(control.events().listeners()));
  families.begin("beaconry_logins_total", "Passwords that were shown, by what became of them.",
                 MetricType::Counter);
  for (std::size_t i = 0; i < kLoginOutcomes.size(); ++i) {
    families.value(static_cast<double>(parts_->logins[i].load(std::memory_order_relaxed)),
                   {{"outcome", kLoginOutcomes[i]}});
  }
  families.gauge("beaconry_sessions", "Users who are logged in, by session.",
                 static_cast<double>(control.sessions().count(control.now())));
  add_edges(families, control);
  add_leaks(families, control);
  add_fleet(families, control);
  add_instrument_events(families, control);
  add_sinks(families, control);
  add_drops(families, control);
  return families.text();
}

}  // namespace beaconry
