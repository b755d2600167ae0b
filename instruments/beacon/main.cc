// The beacon: runs beaconry-escape on the instrument's interface and tells how it is.
#include <unistd.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "beacon/probe_watch.h"
#include "common/duration.h"
#include "common/interface.h"
#include "sdk/child.h"
#include "sdk/instrument.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

// The platform keeps the first one fresh; the second came with the image.
constexpr const char* kFetched = "/resources/beaconry-escape";
constexpr const char* kPacked = "/instrument/beaconry-escape";
constexpr std::uint64_t kLongestProgram = 32 << 20;
constexpr std::chrono::seconds kPatienceAtTheEnd{4};

class Beacon {
 public:
  Result<void> configure(sdk::Instrument& instrument, const json& config) {
    std::string line;
    std::chrono::seconds patience{};
    std::string name;
    if (const auto given = config.find("config"); given != config.end() && !given->is_null()) {
      auto probe = ProbeConfig::parse(
          given->is_string() ? given->get<std::string>() : given->dump(), "'config'");
      if (!probe) return tl::unexpected<Error>(probe.error());
      if (config.contains("profile")) {
        const auto word = config.at("profile").get<std::string>();
        const auto profile = parse_profile(word);
        if (!profile)
          return fail(ErrorKind::usage, "use", "'profile'", "it is one of ot, office and lab");
        probe->profile = *profile;
      }
      probe->evidence.clear();  // nothing is stored here: what home saw is what counts
      patience = ProbeWatch::patience(*probe);
      name = probe->name;
      line = probe->to_line();
    }
    ResourceWish wish;
    if (const auto update = config.find("update"); update != config.end() && update->is_object()) {
      auto every = duration_of(*update, "every", std::chrono::hours{1}, std::chrono::seconds{10},
                               std::chrono::hours{24 * 30});
      if (!every) return tl::unexpected<Error>(every.error());
      wish.name = "beaconry-escape";
      wish.url = update->value("url", "");
      wish.every = *every;
      wish.most_bytes = kLongestProgram;
      wish.sha256 = update->value("sha256", "");
      wish.executable = true;
      wish.restart = true;
      if (auto wanted = instrument.want(wish); !wanted) return wanted;
    }
    // From here on nothing fails: the running probe is only replaced by one that can start.
    configured_ = true;
    line_ = std::move(line);
    patience_ = patience;
    probe_ = std::move(name);
    interface_ = config.value("interface", "probe");
    child_.reset();
    if (!line_.empty()) start(instrument);
    return {};
  }

  void tick(sdk::Instrument& instrument) {
    if (!child_) return;
    child_->work();
    // Ended and started again by itself.
    if (child_->is_running() && child_->pid() != pid_) note_start(instrument);
  }

  Health health(const sdk::Instrument& instrument) const {
    Health whole;
    whole.name = instrument.identity().instance;
    if (!configured_) {
      whole.state = HealthState::unknown;
      whole.cause = "starting";
      whole.evidence = "its configuration has not come yet";
      return whole;
    }
    if (line_.empty()) {
      whole.state = HealthState::failed;
      whole.cause = "no probe configuration";
      whole.evidence = "the configuration has no 'config'";
      whole.fix = "put the line of 'beaconry probes add' there: beaconry instrument config " +
                  whole.name + " set FILE";
      return whole;
    }
    whole.parts.push_back(interface_health(interface_));
    Health probe;
    probe.name = "probe";
    probe.state = HealthState::healthy;
    probe.evidence = program() + " runs as probe '" + probe_ + '\'';
    if (!child_->is_running()) {
      probe.state = HealthState::failed;
      probe.cause = "the probe does not run";
      probe.evidence = "it ended with " + child_->last_end();
      if (!child_->last_lines().empty())
        probe.evidence += "; its last line was: " + terminal_safe(child_->last_lines().back());
      probe.fix = "look at the instrument's log; the probe is started again by itself";
    }
    const bool runs = probe.state == HealthState::healthy;
    whole.parts.push_back(std::move(probe));
    if (runs) whole.parts.push_back(watch_.attempts(Clock::now()));
    // As its worst part; that it has not tried anything yet outweighs only being well.
    for (const Health& part : whole.parts) {
      if (part.state == HealthState::healthy) continue;
      if (whole.state == HealthState::unknown || part.state > whole.state) {
        whole.state = part.state;
        whole.cause = part.cause;
        whole.evidence = part.evidence;
        whole.fix = part.fix;
      }
    }
    if (whole.cause.empty()) {
      whole.state = HealthState::healthy;
      whole.evidence = whole.parts.back().evidence;
    }
    return whole;
  }

  void stop() { child_.reset(); }

 private:
  static std::string program() { return ::access(kFetched, F_OK) == 0 ? kFetched : kPacked; }

  void start(sdk::Instrument& instrument) {
    sdk::Child::Options options;
    // A fetched program that does not run is not replaced by the packed one in silence: the
    // platform sees that, and takes it back.
    options.command = {program(), "--interface", interface_, "--config", "-"};
    options.input = line_;
    options.patience = kPatienceAtTheEnd;
    child_ = std::make_unique<sdk::Child>(
        options, [this, &instrument](std::string_view line) { take(instrument, line); });
    if (auto started = child_->start(); !started)
      log_error(started.error().message());  // and is tried again
    else
      note_start(instrument);
  }

  void note_start(sdk::Instrument& instrument) {
    pid_ = child_->pid();
    watch_.started(patience_, Clock::now());
    log_info("Started " + program() + " on " + interface_ + " as probe '" + terminal_safe(probe_) +
             '\'');
    const json data{
        {"probe", utf8_valid(probe_)}, {"interface", interface_}, {"program", program()}};
    if (auto told =
            instrument.emit("started", "The probe '" + terminal_safe(probe_) + "' runs", data);
        !told) {
      log_warning(told.error().message());
    }
  }

  void take(sdk::Instrument& instrument, std::string_view line) {
    const std::uint64_t tried = watch_.tried();
    const auto answer = watch_.take(line, Clock::now());
    if (watch_.tried() == tried) log_info(line);  // attempts would fill the log
    if (!answer) return;
    const json data{{"probe", utf8_valid(probe_)},
                    {"method", answer->method},
                    {"destination", answer->destination},
                    {"line", answer->line}};
    if (auto told =
            instrument.emit("alert",
                            "Home answered " + answer->method + " to " + answer->destination +
                                ": a way out of the segment is open in both directions",
                            data);
        !told) {
      log_warning(told.error().message());
    }
  }

  bool configured_ = false;
  std::string line_;  // a secret: the probe's configuration
  std::string probe_, interface_ = "probe";
  std::chrono::seconds patience_{};
  ProbeWatch watch_;
  int pid_ = 0;
  std::unique_ptr<sdk::Child> child_;
};

int run_beacon() {
  Beacon beacon;
  sdk::Handlers handlers;
  handlers.configure = [&](sdk::Instrument& instrument, const json& config) {
    return beacon.configure(instrument, config);
  };
  handlers.health = [&](sdk::Instrument& instrument) { return beacon.health(instrument); };
  handlers.tick = [&](sdk::Instrument& instrument) { beacon.tick(instrument); };
  handlers.stop = [&](sdk::Instrument&) { beacon.stop(); };
  handlers.resource = [](sdk::Instrument&, const to_instrument::ResourceState& state) {
    log_info("Update of " + state.name + ": " + state.state +
             (state.reason.empty() ? "" : ", " + state.reason));
  };
  // No handler for retention: the beacon stores nothing, which is what the platform is told then.
  return sdk::run(handlers);
}

}  // namespace
}  // namespace beaconry

int main() {
  return beaconry::run_beacon();
}
