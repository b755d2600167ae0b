#include "control/control.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "config/keys.h"
#include "control/answer.h"
#include "control/api.h"
#include "control/fleet_join.h"
#include "fleet/image_store.h"
#include "hunt/hunt_config.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kLeastSegment = 1 << 20, kMostSegment = 64 << 20;
constexpr unsigned kMostAwaitTheDisk = 64;  // batches

template <class T>
Result<void> put(Result<std::unique_ptr<T>> made, std::unique_ptr<T>& into) {
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  into = std::move(*made);
  return {};
}

LiveHunt::Settings hunt_settings(const HuntConfig& config, unsigned threads) {
  LiveHunt::Settings settings;
  settings.hunt.detection = config.detection;
  settings.hunt.networks = config.networks;
  settings.hunt.baseline = config.baseline;
  settings.hunt.threads = threads;
  settings.hunt.memory_limit =
      static_cast<std::size_t>(config.values.size("control_plane.memory_limit").value());
  settings.retention = config.values.duration("control_plane.data_retention").value();
  return settings;
}

Leaks::Settings leak_settings(const HuntConfig& config) {
  Leaks::Settings settings;
  settings.most_observations = config.values.count("leaks.most_observations").value();
  settings.observation_retention = config.values.duration("leaks.observation_retention").value();
  return settings;
}

unsigned processors() {
  return std::max(1U, std::thread::hardware_concurrency());
}

Result<InstrumentEvents::Settings> event_settings(const HuntConfig& config) {
  InstrumentEvents::Settings settings;
  auto rules = InstrumentRules::from(config.values);
  if (!rules) return tl::unexpected<Error>(std::move(rules.error()));
  settings.rules = std::move(*rules);
  settings.most = config.values.count("instrument_events.most").value();
  settings.retention = config.values.duration("instrument_events.retention").value();
  auto retention = EventRetention::from(config.values);
  if (!retention) return tl::unexpected<Error>(std::move(retention.error()));
  settings.retention_of = std::move(*retention);
  return settings;
}

// Configurations are only taken if sinks and rules can be made of them.
Result<void> check_settings(const HuntConfig& config) {
  if (auto events = event_settings(config); !events) {
    return tl::unexpected<Error>(std::move(events.error()));
  }
  auto sinks = make_sinks(config.values);
  if (!sinks) return tl::unexpected<Error>(std::move(sinks.error()));
  return {};
}

std::string words(Anonymous anonymous) {
  switch (anonymous) {
    case Anonymous::none:
      return "nobody without a token or logging in";
    case Anonymous::loopback_read:
      return "without a token, this machine may read";
    case Anonymous::loopback:
      return "without a token, this machine may do everything";
  }
  return {};
}

}  // namespace

Control::Control(Options options)
    : clock_(std::move(options.clock)),
      proceed_(std::move(options.proceed)),
      file_(std::move(options.file)),
      insecure_(options.insecure),
      started_(clock_()) {}

Control::~Control() {
  stop();
  if (sessions_ != nullptr) {
    if (auto saved = sessions_->save(clock_()); !saved) log_warning(saved.error().message());
  }
  // What is told to the edges' table outlives the journal's letting go of it.
  if (edges_ != nullptr) {
    if (auto saved = edges_->save(clock_()); !saved) log_warning(saved.error().message());
  }
  fleet_.reset();
  instrument_events_.reset();
  leaks_.reset();
  alert_queue_.reset();
  ingest_.reset();
  journal_.reset();
  if (!scratch_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(scratch_, ignored);
  }
}

Result<void> Control::open_state(const ConfigValues& values) {
  // A server without a state folder makes one where it may: what is accepted must survive.
  const std::string folder = values.text("control_plane.state_dir").value_or("");
  std::error_code failed;
  if (!folder.empty() && !std::filesystem::exists(folder, failed)) {
    std::filesystem::create_directories(folder, failed);
    if (!failed) ::chmod(folder.c_str(), 0700);
  }
  paths_ = StatePaths::of(values);
  if (paths_.is_there && ::access(paths_.folder.c_str(), W_OK) == 0) {
    if (paths_.database.empty()) paths_.database = paths_.file("beaconry.db");
    return {};
  }
  const char* const base = std::getenv("TMPDIR");
  scratch_ = std::string(base != nullptr ? base : "/tmp") + "/beaconry-control-XXXXXX";
  if (::mkdtemp(scratch_.data()) == nullptr) {
    const auto error = fail_errno("make a folder", scratch_);
    scratch_.clear();
    return error;
  }
  log_warning("the state folder " + folder +
              " cannot be written: what is kept in memory ends with this program; make the folder "
              "or name another in control_plane.state_dir");
  paths_.folder = scratch_;
  return {};
}

Result<void> Control::open_parts() {
  if (auto done = put(Database::open(paths_.database), database_); !done) return done;
  if (auto done = put(ConfigHistory::open(*database_, file_, started_, check_settings), config_);
      !done) {
    return done;
  }
  for (const std::string& warning : config_->warnings())
    log_warning(warning);
  if (auto done = put(Tokens::open(*database_), tokens_); !done) return done;
  if (auto done = put(Users::open(*database_), users_); !done) return done;
  if (auto done = put(Sessions::open(*database_, started_), sessions_); !done) return done;
  if (auto done = put(Audit::open(*database_), audit_); !done) return done;
  if (auto done = put(Edges::open(*database_), edges_); !done) return done;
  if (auto done = put(Beacons::open(*database_), beacons_); !done) return done;
  if (auto done = put(Alerts::open(*database_), alerts_); !done) return done;
  if (auto done = put(Triage::open(*database_), triage_); !done) return done;
  if (auto done = put(Probes::open(*database_), probes_); !done) return done;
  if (auto done = put(Homes::open(*database_), homes_); !done) return done;
  if (auto done = put(Coverage::open(*database_), coverage_); !done) return done;
  events_ = std::make_unique<EventHub>();
  metrics_ = std::make_unique<Metrics>();
  AlertQueue::Options queue;
  queue.folder = paths_.file("alerts");
  queue.queue_size =
      static_cast<std::size_t>(config_->current()->values.count("alerting.queue_size").value());
  if (auto done = put(AlertQueue::open(queue, clock_), alert_queue_); !done) return done;
  const Leaks::Parts parts{*database_, *probes_, *triage_, *alerts_, *alert_queue_, *events_};
  auto done = put(Leaks::open(parts, leak_settings(*config_->current()), started_), leaks_);
  if (!done) return done;
  const InstrumentEvents::Parts told{*database_, *triage_, *leaks_, *events_};
  return put(InstrumentEvents::open(told), instrument_events_);
}

Result<void> Control::open_fleet() {
  auto key = fleet_key(paths_, *database_);
  if (!key) return tl::unexpected<Error>(std::move(key.error()));
  auto images = ImageStore::open(*database_, paths_.file("fleet/images"), started_);
  if (auto done = put(std::move(images), images_); !done) return done;
  const auto tell = [this](std::string_view json) { events_->publish("fleet", json); };
  auto done = put(Fleet::open({*database_, std::move(*key), tell}, started_), fleet_);
  if (!done) return done;
  return settle_fleet(*fleet_, *edges_, started_);
}

void Control::take_observations(Ingest::Options& ingest) {
  ingest.observe = [this](Ingest::Observed observed) {
    Leaks::Batch batch;
    const Envelope& envelope = observed.envelope;
    batch.source = {envelope.edge, envelope.incarnation, envelope.sequence, observed.accepted};
    batch.clock_skew = envelope.sent - observed.accepted;
    batch.observations = std::move(observed.observations);
    batch.replayed = observed.replayed;
    return leaks_->take(std::move(batch), observed.accepted);
  };
  ingest.may_observe = [this](const std::string& edge) {
    const auto known = edges_->find(edge);
    return !known || !known->enrolled || known->kind == "home";
  };
}

void Control::take_events(Ingest::Options& ingest) {
  ingest.tell = [this](Ingest::Told told) {
    const Envelope& envelope = told.envelope;
    const auto known = edges_->find(envelope.edge);
    InstrumentEvents::Batch batch;
    batch.edge = envelope.edge;
    batch.sensor = known && known->enrolled ? known->name : terminal_safe(envelope.edge_name);
    batch.incarnation = envelope.incarnation;
    batch.sequence = envelope.sequence;
    batch.events = std::move(told.events);
    batch.replayed = told.replayed;
    return instrument_events_->take(batch, told.accepted);
  };
  ingest.is_sensor = [this](const std::string& edge) {
    const auto known = edges_->find(edge);
    return !known || !known->enrolled || known->kind == "sensor";
  };
}

Result<void> Control::open_series() {
  const auto config = config_->current();
  const ConfigValues& values = config->values;
  workers_ = static_cast<unsigned>(values.count("control_plane.workers").value_or(processors()));
  hunt_ = std::make_unique<LiveHunt>(hunt_settings(*config, workers_));

  Spool::Options journal;
  journal.folder = paths_.file("journal");
  journal.most_bytes = values.size("control_plane.journal_bytes").value();
  // Past its own bound the oldest go, which the series still hold: refusing would stop everything
  // for what only a restart needs. A full disk refuses all the same.
  journal.when_full = Spool::WhenFull::drop_oldest;
  journal.segment_bytes = std::clamp(journal.most_bytes / 32, kLeastSegment, kMostSegment);
  if (auto done = put(Spool::open(journal), journal_); !done) return done;

  Ingest::Options ingest;
  ingest.packet_flows.networks = config->networks;
  ingest.packet_flows.burst_gap = config->detection.burst_gap;
  const auto unpacked =
      static_cast<std::size_t>(values.size("control_plane.max_decompressed").value());
  ingest.flow_batch.most_bytes = unpacked;
  ingest.predecessor.most_bytes = unpacked;
  ingest.heard = [this](const Ingest::Heard& heard) { hear(heard); };
  ingest.refused = [this](const std::string& edge, const std::string& incarnation,
                          std::uint64_t sequence) { edges_->refuse(edge, incarnation, sequence); };
  constexpr std::uint64_t kSegmentRoom = 4096;  // for what is around a record
  ingest.longest_record = std::min(journal.longest_record,
                                   journal.most_bytes - std::min(journal.most_bytes, kSegmentRoom));
  ingest.needs_key = [this](const std::string& edge) { return edges_->needs_key(edge); };
  take_observations(ingest);
  take_events(ingest);
  ingest.event_batch.most_bytes = unpacked;
  ingest_ = std::make_unique<Ingest>(
      std::move(ingest), *journal_,
      [this](const std::string& edge, Timestamp now) { return hunt_->sink(edge, now); });
  journal_->release_before(started_ -
                           config->values.duration("control_plane.data_retention").value());
  const std::uint64_t records = journal_->next() - journal_->first();
  if (records > 0) log_info("reading " + with_thousands(records) + " batches of the journal");
  return ingest_->replay(started_, [this](double) { return !proceed_ || proceed_(); });
}

void Control::hear(const Ingest::Heard& heard) {
  const EdgeLedger::Batch& batch = heard.batch;
  std::string name = batch.name.empty() ? "unnamed" : batch.name;
  if (!heard.relayed_by.empty()) {  // a sensor is called what it was enrolled as
    const auto sensor = edges_->find(heard.relayed_by);
    if (sensor && sensor->enrolled) name = name.substr(0, name.find('@') + 1) + sensor->name;
  }
  // Who is not enrolled is told apart by the key that it names: two collectors with one name are
  // two.
  const std::string id = batch.predecessor ? Edges::unenrolled_id(name) : batch.id;
  Edges::News news;
  news.name = name;
  news.address = heard.address;
  news.via = heard.relayed_by;
  news.seen = batch.received;
  if (!batch.predecessor) news.clock_skew = batch.clock_skew;
  if (!heard.repeated) news.events = batch.events;
  if (!batch.predecessor && !heard.repeated) news.dropped = batch.batches_dropped;
  if (!batch.counters.empty()) {
    news.counters = json_text([&](JsonWriter& json) {
      json.begin();
      const std::size_t kept = std::min(batch.counters.size(), EdgeLedger::kMostCounters);
      for (const EdgeCounter& counter : std::span(batch.counters).first(kept)) {
        const std::string place = counter.place.empty() ? "" : '.' + counter.place;
        json.key(counter.name + place);
        json.whole(counter.value);
      }
      json.end();
    });
  }
  // A predecessor's batches have no numbers; what the journal tells again was told before, unless
  // a crash came first.
  const auto known = edges_->find(id);
  const bool numbered = !heard.incarnation.empty();
  const std::string incarnation = numbered ? heard.incarnation : "predecessor";
  const std::uint64_t sequence =
      numbered ? heard.sequence : (known ? known->sequence : 0) + (heard.repeated ? 0 : 1);
  const bool told = known && known->last_seen >= batch.received;
  if (heard.address.empty() && told) return;
  if (edges_->claim(id, incarnation, sequence) == Edges::Claim::fresh) {
    BatchStream::Batch one{sequence, batch.made, {}};
    if (!batch.predecessor && !heard.repeated) one.dropped = batch.batches_dropped;
    edges_->settle(id, incarnation, one, true, batch.received);
  }
  edges_->note(id, news);
}

Result<std::unique_ptr<Control>> Control::open(Options options) {
  std::unique_ptr<Control> control(new Control(std::move(options)));
  auto values = ConfigValues::read(config_schema(), control->file_);
  if (!values) return tl::unexpected<Error>(std::move(values.error()));
  control->analysis_ = std::make_unique<Analysis>(*control);
  Result<void> done = control->open_state(*values);
  if (done) done = control->open_parts();
  if (done) done = control->open_fleet();
  if (done) done = control->open_series();
  if (done) done = control->apply_config();
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return control;
}

Result<void> Control::apply_config() {
  const std::lock_guard lock(apply_mutex_);
  const auto config = config_->current();
  hunt_->set_settings(hunt_settings(*config, workers_));
  leaks_->set_settings(leak_settings(*config));
  auto events = event_settings(*config);
  if (!events) return tl::unexpected<Error>(std::move(events.error()));
  instrument_events_->set_settings(*events);
  images_->set_most_bytes(config->values.size("fleet.images_size").value());
  std::string key = config->values.text("control_plane.api_key").value_or("");
  if (const auto file = config->values.text("control_plane.api_key_file")) {
    constexpr std::size_t kLongestKey = 4096;
    auto text = read_small_file(*file, kLongestKey);
    if (!text) return tl::unexpected<Error>(std::move(text.error()));
    key = std::string(trim(*text));
  }
  tokens_->set_api_key(key);
  auto sinks = make_sinks(config->values);
  if (!sinks) return tl::unexpected<Error>(std::move(sinks.error()));
  alert_queue_->set_sinks(std::move(*sinks));
  return {};
}

AccessRules Control::access_rules() const {
  AccessRules rules = AccessRules::from(config_->current()->values);
  rules.has_tokens = tokens_->ever_made();
  rules.has_api_key = tokens_->has_api_key();
  rules.has_users = users_->any();
  rules.insecure = insecure_;
  rules.names = names_;
  return rules;
}

Result<std::vector<std::string>> Control::start() {
  const auto config = config_->current();
  const ConfigValues& values = config->values;
  auto certificate = server_certificate(values, now());
  if (!certificate && certificate.error().kind != ErrorKind::not_found) {
    return tl::unexpected<Error>(std::move(certificate.error()));
  }
  auto plan = listen_plan(values, tokens_->ever_made() || tokens_->has_api_key() || users_->any(),
                          certificate.has_value(), insecure_);
  if (!plan) return tl::unexpected<Error>(std::move(plan.error()));

  HttpServer::Options options;
  options.listen = plan->listen;
  options.listen.push_back("unix:" + paths_.file("control.sock"));
  if (certificate) {
    ca_pem_ = certificate->ca_pem;
    ca_fingerprint_ = certificate->ca_fingerprint;
  }
  tls_ = plan->tls || plan->tls_beside;
  if (tls_) {
    HttpServer::Tls tls;
    tls.or_plain = tls_beside_ = plan->tls_beside;
    served_chain_ = certificate->chain_pem;
    tls.certificate_pem = certificate->chain_pem;
    tls.key_pem = certificate->key_pem;
    options.tls = std::move(tls);
  }
  names_ = server_names(values);
  // Whoever waits for an analysis holds a worker, and so does each batch that waits for the disk:
  // as many more, so that none is missed. One flush serves all batches that wait for it.
  options.workers = workers_ + Analysis::kMostCallers + kMostAwaitTheDisk;
  // A fleet that comes back at once has a stream and a report each.
  options.most_queued = 4096;
  options.most_connections =
      static_cast<std::size_t>(values.count("control_plane.max_connections").value());
  options.most_connections_a_client =
      static_cast<std::size_t>(values.count("control_plane.max_connections_per_client").value());
  options.requests_a_second_a_client = values.number("control_plane.rate_limit").value();
  api_ = std::make_unique<Api>(
      *this, static_cast<std::size_t>(values.size("control_plane.max_body").value()));
  if (auto done = put(HttpServer::start(options, *api_), server_); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  analysis_->start();
  leaks_->start(clock_);
  fleet_->start(clock_);

  std::vector<std::string> said;
  if (!plan->warning.empty()) log_warning(plan->warning);
  for (const std::string& endpoint : server_->endpoints())
    said.push_back("listening on " + endpoint);
  said.push_back("who may come: " + words(access_rules().anonymous()) +
                 "; by the local socket this user and root");
  if (insecure_) said.push_back("--insecure: whoever reaches a listener counts as this machine");
  return said;
}

Result<void> Control::renew_certificate() {
  const std::lock_guard lock(apply_mutex_);
  if (!tls_ || server_ == nullptr) return {};
  auto certificate = server_certificate(config_->current()->values, now());
  if (!certificate) return tl::unexpected<Error>(std::move(certificate.error()));
  if (certificate->chain_pem == served_chain_) return {};
  HttpServer::Tls tls;
  tls.or_plain = tls_beside_;
  tls.certificate_pem = certificate->chain_pem;
  tls.key_pem = certificate->key_pem;
  if (auto done = server_->set_tls(tls); !done) return done;
  served_chain_ = std::move(certificate->chain_pem);
  log_info("serving with another certificate, valid until " + to_rfc3339(certificate->expires));
  return {};
}

void Control::stop() {
  if (events_ != nullptr) events_->close();
  if (analysis_ != nullptr) analysis_->stop();
  if (leaks_ != nullptr) leaks_->stop();
  if (fleet_ != nullptr) fleet_->stop();
  if (server_ != nullptr) server_->stop(std::chrono::seconds{5});
  server_.reset();
}

std::string Control::read_at_start(const HuntConfig& before, const HuntConfig& after) {
  std::string keys;
  for (const char* key : {"alerting.queue_size", "networks.internal", "detection.burst_gap"}) {
    if (before.values.to_json(key, true) == after.values.to_json(key, true)) continue;
    keys += (keys.empty() ? "" : ", ") + std::string(key);
  }
  return keys;
}

Result<std::vector<std::string>> Control::reload(ConfigDocument file) {
  const auto before = config_->current();
  auto version = config_->reload(std::move(file), now());
  if (!version) return tl::unexpected<Error>(std::move(version.error()));
  if (auto applied = apply_config(); !applied) {
    return tl::unexpected<Error>(std::move(applied.error()));
  }
  std::vector<std::string> said = config_->warnings();
  if (auto renewed = renew_certificate(); !renewed) said.push_back(renewed.error().message());
  said.push_back("configuration version " + std::to_string(*version) + " holds");
  const auto after = config_->current();
  std::string restart = read_at_start(*before, *after);
  for (const ConfigKey& key : after->values.schema().keys()) {
    constexpr std::string_view kSections[] = {"control_plane.", "persistence.", "logging."};
    const bool ours = std::any_of(std::begin(kSections), std::end(kSections), [&](auto section) {
      return key.path.substr(0, section.size()) == section;
    });
    if (!ours || key.path == "control_plane.data_retention" ||
        key.path == "control_plane.cleanup_interval" || key.path == "control_plane.memory_limit" ||
        key.path == "control_plane.api_key" || key.path == "control_plane.api_key_file" ||
        key.path == "control_plane.anonymous") {
      continue;
    }
    if (before->values.to_json(key.path, true) != after->values.to_json(key.path, true)) {
      restart += (restart.empty() ? "" : ", ") + std::string(key.path);
    }
  }
  if (!restart.empty()) said.push_back("these changes need a restart: " + restart);
  return said;
}

std::string Control::url() const {
  for (const std::string& endpoint : endpoints()) {
    if (endpoint.rfind("unix:", 0) == 0) continue;
    const std::size_t scheme = endpoint.find("://");
    const std::string place = scheme == std::string::npos ? endpoint : endpoint.substr(scheme + 3);
    const std::string port = place.substr(place.rfind(':') + 1);
    // What listens on loopback is not reached by this machine's name.
    const std::string at = place.substr(0, place.rfind(':'));
    const auto address =
        IpAddress::parse(at.starts_with('[') && at.size() > 2 ? at.substr(1, at.size() - 2) : at);
    std::string host = names_.empty() ? "localhost" : names_.front();
    if (address && address->is_loopback()) host = address->to_string();
    if (host.find(':') != std::string::npos) host = '[' + host + ']';
    return (tls_ ? "https://" : "http://") + host + ':' + port;
  }
  return {};
}

std::vector<std::string> Control::endpoints() const {
  return server_ == nullptr ? std::vector<std::string>{} : server_->endpoints();
}

HttpServer::Counters Control::http_counters() const {
  return server_ == nullptr ? HttpServer::Counters{} : server_->counters();
}

}  // namespace beaconry
