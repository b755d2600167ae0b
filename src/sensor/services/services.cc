#include "sensor/services.h"

#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "bus/topics.h"
#include "sensor/services/bus_services.h"
#include "spool/disk.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestState = 4 << 20;

void collect_texts(const nlohmann::json& json, std::set<std::string>& texts) {
  if (json.is_string()) texts.insert(json.get<std::string>());
  if (!json.is_structured()) return;
  for (const nlohmann::json& part : json)
    collect_texts(part, texts);
}

// The defaults are the image's author's words, not the administrator's.
std::set<std::string> written_texts(const Services::Instance& instance) {
  std::set<std::string> texts;
  const auto json = nlohmann::json::parse(instance.config_json, nullptr, false);
  const auto defaults =
      nlohmann::json::parse(instance.manifest.config_defaults_json, nullptr, false);
  if (!json.is_discarded() && json != defaults) collect_texts(json, texts);
  return texts;
}

void log_fault(const Result<void>& result, const std::string& what) {
  if (!result) log_error(what + ": " + result.error().message());
}

}  // namespace

Result<std::unique_ptr<Services>> Services::open(const Options& options) {
  auto services = std::make_unique<BusServices>(options);
  const auto begun = services->begin();
  if (!begun) return tl::unexpected<Error>(begun.error());
  return std::unique_ptr<Services>(std::move(services));
}

BusServices::BusServices(const Options& options)
    : options_(options), run_(options.run_folder), accounts_(options.folder + "/accounts.json") {}

BusServices::~BusServices() {
  if (!intake_) return;
  for (auto& [name, member] : members_)
    keep(*member);
  write_slow_state();
}

Result<void> BusServices::open_spools() {
  Spool::Options spool;
  // What was acknowledged is not given up while a server is to have it: instruments keep the rest.
  spool.when_full = options_.uplink ? Spool::WhenFull::refuse : Spool::WhenFull::drop_oldest;
  spool.most_bytes = options_.spool_bytes / 2;
  spool.folder = options_.spool_folder + "/events";
  auto opened = Spool::open(spool);
  if (!opened) return tl::unexpected<Error>(opened.error());
  events_spool_ = std::move(*opened);
  spool.folder = options_.spool_folder + "/relayed";
  opened = Spool::open(spool);
  if (!opened) return tl::unexpected<Error>(opened.error());
  relayed_spool_ = std::move(*opened);
  return {};
}

Result<void> BusServices::begin() {
  now_ = options_.clock();
  steady_ = steady_time_.at(now_);
  for (const char* folder : {"", "/configs", "/retention", "/bus"}) {
    const auto made = make_folder(options_.folder + folder);
    if (!made) return made;
  }
  if (auto opened = run_.open(); !opened) return opened;
  if (auto opened = open_spools(); !opened) return opened;
  intake_ = std::make_unique<EventIntake>(*events_spool_, options_.folder + "/recent_events");
  intake_->open();
  read_told();
  auto senders = UplinkSenders::start(options_.uplink, *events_spool_, *relayed_spool_,
                                      options_.spool_folder, options_.clock);
  if (!senders) return tl::unexpected<Error>(senders.error());
  senders_ = std::move(*senders);
  relay_ = std::make_unique<Relay>(*relayed_spool_, options_.uplink ? options_.spool_bytes / 2 : 0,
                                   options_.clock, [this] { senders_->wake_relayed(); });
  if (auto read = accounts_.read(); !read) return read;
  Broker::Options broker;
  broker.folder = run_.bus();
  broker.state_folder = options_.folder + "/bus";
  broker.program = options_.broker_program;
  broker.plugin = options_.broker_plugin;
  broker.user = options_.broker_user;
  broker.clock = options_.clock;
  auto started = Broker::start(broker, accounts_.all());
  if (!started) return tl::unexpected<Error>(started.error());
  broker_ = std::move(*started);
  resources_ = std::make_unique<Resources>(resource_options());
  return resources_->open();
}

Resources::Options BusServices::resource_options() {
  Resources::Options options;
  options.folder = options_.folder + "/resources";
  options.keys_folder = options_.keys_folder;
  options.order = [this](const std::string& downloader, const FetchOrder& order) {
    return say(downloader, to_instrument::Fetch{order});
  };
  options.state = [this](const std::string& instance, const to_instrument::ResourceState& state) {
    say(instance, state);
  };
  options.tell = [this](const std::string& instance, const std::string& word,
                        const std::string& message,
                        const std::string& data) { tell(instance, word, message, data); };
  options.restart = options_.restart;
  options.pull = options_.pull;
  options.is_healthy_since = [this](const std::string& instance, Timestamp steady) {
    return is_healthy_since_steady(instance, steady);
  };
  options.is_written = [this](const std::string& instance, const std::string& text) {
    const auto at = members_.find(instance);
    return at != members_.end() && at->second->written.count(text) != 0;
  };
  options.downloader = [this] {
    for (const auto& [name, one] : members_) {
      if (one->running && one->there && one->instance.manifest.downloads) return name;
    }
    return std::string();
  };
  return options;
}

std::string BusServices::file_of(const char* kind, const std::string& instance) const {
  return options_.folder + "/" + kind + "/" + instance + ".json";
}

Member& BusServices::member(const Instance& instance) {
  auto& place = members_[instance.name];
  if (!place) {
    place = std::make_unique<Member>(instance, options_.sensor);
    if (const auto kept = read_small_file(file_of("configs", instance.name), kLongestState)) {
      place->config.restore(*kept);
    }
    if (const auto kept = read_small_file(file_of("retention", instance.name), kLongestState)) {
      place->retention.restore(*kept);
    }
    const auto told = told_.find(instance.name);
    if (told != told_.end()) place->told = told->second;
    told_.erase(instance.name);
  }
  place->instance = instance;
  place->health.set(instance.manifest.health_every, instance.manifest.health_deadline);
  place->retention.set(instance.retention);
  place->talk.set(instance.manifest.limits.events_per_second);
  return *place;
}

void BusServices::keep(Member& member) {
  const std::string& name = member.instance.name;
  if (member.config.take_changed()) {
    log_fault(replace_file(file_of("configs", name), member.config.kept()),
              "configuration of " + name);
  }
  if (member.retention.take_changed()) {
    log_fault(replace_file(file_of("retention", name), member.retention.kept()),
              "retention of " + name);
  }
  if (member.retention.take_overdue()) {
    const std::string message =
        "retention of " + name + " is overdue: " + member.retention.report().error;
    log_warning(message);
    tell(name, "retention_overdue", message, "{}");
  }
}

Result<void> BusServices::follow_accounts(const std::string& concerned) {
  std::map<std::string, const Manifest*> manifests;
  for (const auto& [name, one] : members_)
    manifests[name] = &one->instance.manifest;
  return accounts_.follow(manifests, concerned, *broker_);
}

Result<void> BusServices::give(const Instance& instance, Timestamp now) {
  Member& one = member(instance);
  if (auto written = written_texts(instance); written != one.written) {
    one.written = std::move(written);
    resources_->configured(instance.name, steady_);
  }
  const Manifest& manifest = instance.manifest;
  one.config.wish(instance.config_json, instance.config_version, manifest.version,
                  !manifest.config_schema_json.empty(), now);
  keep(one);
  intake_->set_source(instance.name, manifest);
  const auto password = accounts_.password(instance.name);
  if (!password) return tl::unexpected<Error>(password.error());
  if (auto written = run_.write_identity(instance.name, options_.sensor, manifest, *password);
      !written) {
    return written;
  }
  if (auto followed = follow_accounts(instance.name); !followed) return followed;
  if (!manifest.uplink) {
    relay_->close(instance.name);
    return {};
  }
  if (auto made = run_.make_uplink(instance.name); !made) return made;
  return relay_->open(instance.name, run_.uplink(instance.name));
}

Result<std::vector<ContainerSpec::Folder>> BusServices::prepare(const Instance& instance) {
  if (auto given = give(instance, options_.clock()); !given) {
    return tl::unexpected<Error>(given.error());
  }
  Member& one = *members_[instance.name];
  if (!one.prepared) one.prepared = turns_;
  std::vector<ContainerSpec::Folder> folders{{run_.bus(), "/run/bus", false},
                                             {run_.of(instance.name), "/run/instrument", false}};
  if (instance.manifest.uplink) {
    folders.push_back({run_.uplink(instance.name), "/run/uplink", false});
  }
  if (instance.manifest.resources) {
    auto files = resources_->prepare(instance.name, steady_, now_);
    if (!files) return tl::unexpected<Error>(files.error());
    folders.push_back({*files, "/resources", false});
  }
  return folders;
}

void BusServices::started(const Instance& instance, Timestamp now) {
  log_fault(give(instance, now), "services of " + instance.name);
  Member& one = *members_[instance.name];
  one.running = true;
  one.observed.state = InstanceState::running;
  const bool taken_over = !one.prepared || *one.prepared == turns_;
  one.prepared.reset();
  if (!taken_over) one.told = {};
  // It may have been quicker than the news of its start. One that ran on said hello to the platform
  // before this one, and perhaps to nobody again.
  const bool said_hello = one.there;
  one.there = said_hello || taken_over;
  one.config.started(taken_over);
  if (said_hello) one.config.heard(true, steady_);
  one.health.started(steady_, said_hello);
  one.retention.started(steady_);
  if (instance.manifest.resources) {
    resources_->started(instance.name, taken_over, instance.manifest.healthy_within, steady_, now);
  }
  // What was kept of one that starts now, a former run said.
  const auto early = early_.extract(instance.name);
  if (early.empty() || !taken_over) return;
  for (const std::string& payload : early.mapped().payloads)
    take(MqttClient::Message{topics::from_instrument(instance.name), payload});
}

void BusServices::stopping(const std::string& instance) {
  const auto at = members_.find(instance);
  if (at == members_.end() || !at->second->running) return;
  at->second->config.stopping();
  resources_->stopping(instance);
  say(instance, to_instrument::Stop{});
}

void BusServices::stopped(const std::string& instance, Timestamp) {
  const auto at = members_.find(instance);
  if (at == members_.end()) return;
  Member& one = *at->second;
  one.running = one.there = false;
  one.prepared.reset();
  one.observed.interfaces.clear();  // given back
  if (one.observed.state == InstanceState::running) one.observed.state = InstanceState::installed;
  one.config.stopped();
  one.health.stopped();
  one.retention.stopped();
  resources_->stopped(instance, steady_, now_);
  if (auto news = one.config.take_news()) tell(instance, "config_failed", *news, "{}");
  keep(one);
}

void BusServices::removed(const std::string& instance) {
  relay_->close(instance);
  intake_->remove_source(instance);
  resources_->removed(instance);
  members_.erase(instance);
  early_.erase(instance);
  told_.erase(instance);
  log_fault(accounts_.remove(instance, *broker_), "bus account of " + instance);
  log_fault(follow_accounts({}), "bus accounts");  // others lose what they could say to it
  run_.remove(instance);
  for (const char* kind : {"configs", "retention"})
    ::unlink(file_of(kind, instance).c_str());
}

void BusServices::changed(const Instance& instance, Timestamp now) {
  log_fault(give(instance, now), "services of " + instance.name);
}

void BusServices::observe(const std::string& instance,
                          const std::vector<InterfaceReport>& interfaces,
                          const InstanceReport::Storage& persistent,
                          const InstanceReport::Storage& transient) {
  const auto at = members_.find(instance);
  if (at == members_.end()) return;
  at->second->observed.interfaces = interfaces;
  at->second->observed.persistent = persistent;
  at->second->observed.transient = transient;
}

void BusServices::observe(const std::string& instance, InstanceState state,
                          const std::string& cause) {
  const auto at = members_.find(instance);
  if (at == members_.end()) return;
  at->second->observed.state = state;
  at->second->observed.cause = cause;
}

}  // namespace beaconry
