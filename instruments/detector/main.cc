// The detector: runs beaconry-collector on what is mirrored to it, and proves by the platform's
// canary that it detects.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "common/duration.h"
#include "common/interface.h"
#include "common/run_briefly.h"
#include "detector/canary_watch.h"
#include "detector/relay.h"
#include "sdk/child.h"
#include "sdk/instrument.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr const char* kCollector = "/instrument/beaconry-collector";
constexpr const char* kConfig = "/tmp/collector.yaml";
constexpr const char* kRelay = "/tmp/uplink.sock";
constexpr const char* kUplink = "/run/uplink/uplink.sock";
constexpr const char* kState = "/persistent-data/collector";  // its key and its spool
constexpr std::chrono::seconds kPatienceAtTheEnd{5};
constexpr std::chrono::minutes kRememberDrops{5};

Timestamp now() {
  return std::chrono::floor<Duration>(std::chrono::system_clock::now());
}

class Detector {
 public:
  Result<void> configure(const sdk::Instrument& instrument, const json& config) {
    auto every = duration_of(config, "export_interval", std::chrono::seconds{10},
                             std::chrono::seconds{1}, std::chrono::hours{1});
    if (!every) return tl::unexpected<Error>(every.error());
    const std::string interface = config.value("interface", "mirror");
    // JSON is YAML too.
    json settings{{"data_plane",
                   {{"interface", interface},
                    {"mode", "af_packet"},
                    {"export_interval", every->count()},
                    {"control_plane_url", std::string("unix:") + kRelay},
                    {"name", instrument.identity().full_name()},
                    {"user", "nobody"},
                    {"max_buffer_size", config.value("flows", 100'000U)},
                    {"state_dir", kState},
                    {"spool_bytes", "32M"},
                    {"socket", "/tmp/collector.sock"}}}};
    if (config.contains("networks") && !config.at("networks").empty())
      settings["networks"]["internal"] = config.at("networks");
    const std::string text = settings.dump();
    if (auto checked = check(text); !checked) return checked;
    if (!relay_) {
      auto relay = Relay::start(kRelay, kUplink, now);
      if (!relay) return tl::unexpected<Error>(relay.error());
      relay_ = std::move(*relay);
    }
    interface_ = interface;
    every_ = *every;
    canary_.reset();
    if (config.value("canary", true)) canary_ = std::make_unique<CanaryWatch>(every_);
    configured_ = true;
    start();
    return {};
  }

  void tick() {
    if (!configured_) return;
    const auto time = Clock::now();
    for (const FlowEvent& event : relay_->take_canary())
      if (canary_) canary_->add(event, now());
    if (canary_) canary_->work(now());
    const Relay::Status status = relay_->status();
    if (status.dropped > dropped_) dropping_ = time;
    dropped_ = status.dropped;
    child_->work(time);
    // Ended and started again by itself.
    if (child_->is_running() && child_->pid() != pid_) {
      pid_ = child_->pid();
      started_ = now();
    }
  }

  Health health(const sdk::Instrument& instrument) const {
    Health whole;
    whole.name = instrument.identity().instance;
    if (!configured_) {
      whole.cause = "no configuration yet";
      return whole;
    }
    whole.parts.push_back(interface_health(interface_));
    whole.parts.push_back(collector_health());
    if (canary_ && child_->is_running()) whole.parts.push_back(canary_->health(now(), started_));
    whole.state = HealthState::healthy;
    whole.evidence = whole.parts.back().evidence;
    bool is_fault = false;
    for (const Health& part : whole.parts) {
      if (part.state == HealthState::healthy || (is_fault && part.state <= whole.state)) continue;
      is_fault = true;
      whole.state = part.state;
      whole.cause = part.cause;
      whole.evidence = part.evidence;
      whole.fix = part.fix;
    }
    return whole;
  }

  // What it holds of others' traffic is the collector's spool: batches that wait for the uplink.
  // They are the server's to keep or to drop by its own retention; none waits long.
  void stop() { child_.reset(); }

 private:
  static Result<void> check(const std::string& text) {
    if (auto written = replace_file(kConfig, text); !written) return written;
    const auto said = run_briefly({kCollector, "--config", kConfig, "--check"});
    if (!said) return fail(ErrorKind::usage, "configure", "the collector", said.error().cause);
    return {};
  }

  void start() {
    sdk::Child::Options options;
    options.command = {kCollector, "--config", kConfig};
    options.patience = kPatienceAtTheEnd;
    child_ = std::make_unique<sdk::Child>(options, [](std::string_view line) { log_info(line); });
    if (::mkdir(kState, 0700) != 0 && errno != EEXIST)
      log_error(fail_errno("make folder", kState).value().message());
    if (auto started = child_->start(); !started) log_error(started.error().message());
    pid_ = child_->pid();
    started_ = now();
  }

  Health collector_health() const {
    Health part;
    part.name = "collector";
    part.state = HealthState::healthy;
    const Relay::Status status = relay_->status();
    const Timestamp time = now();
    const auto patience = 3 * every_ + std::chrono::seconds{30};
    part.evidence = with_thousands(status.batches) + " batches, " + with_thousands(status.packets) +
                    " packets, " + with_thousands(status.events) + " events";
    if (!child_->is_running()) {
      part.state = HealthState::failed;
      part.cause = "the collector does not run";
      part.evidence = "it ended with " + child_->last_end();
      if (!child_->last_lines().empty())
        part.evidence += ": " + terminal_safe(child_->last_lines().back());
      part.fix = "look at the instrument's log; it is started again by itself";
    } else if (time - std::max(started_, status.last) > patience) {
      part.state = status.error.empty() ? HealthState::failed : HealthState::degraded;
      part.cause = status.error.empty() ? "the collector sends nothing" : "no way to the sensor";
      part.evidence = status.error.empty() ? "no batch for " + to_words(time - status.last)
                                           : status.error + "; batches wait in its spool";
      part.fix = status.error.empty() ? "restart the instrument"
                                      : "look at 'beaconry sensor status': its spool may be full";
    } else if (dropped_ > 0 && Clock::now() - dropping_ <= kRememberDrops) {
      part.state = HealthState::degraded;
      part.cause = "packets are dropped";
      part.evidence = with_thousands(dropped_) + " packets or flows were dropped since its start";
      part.fix = "mirror less, give the instrument more CPU, or raise 'flows'";
    } else if (status.batches == 0) {
      part.state = HealthState::unknown;
      part.cause = "no batch yet";
    }
    return part;
  }

  std::string interface_ = "mirror";
  std::chrono::seconds every_{10};
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<CanaryWatch> canary_;
  int pid_ = 0;
  Timestamp started_{};
  std::uint64_t dropped_ = 0;
  Clock::time_point dropping_{};
  bool configured_ = false;
  std::unique_ptr<sdk::Child> child_;
};

int run_detector() {
  Detector detector;
  sdk::Handlers handlers;
  handlers.configure = [&](sdk::Instrument& instrument, const json& config) {
    return detector.configure(instrument, config);
  };
  handlers.health = [&](sdk::Instrument& instrument) { return detector.health(instrument); };
  handlers.tick = [&](sdk::Instrument&) { detector.tick(); };
  handlers.stop = [&](sdk::Instrument&) { detector.stop(); };
  return sdk::run(handlers);
}

}  // namespace
}  // namespace beaconry

int main() {
  return beaconry::run_detector();
}
