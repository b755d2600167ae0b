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
#include "common/child.h"
#include "common/duration.h"
#include "common/interface.h"
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
    line_ = std::move(line);
    patience_ = patience;
    probe_ = std::move(name);
    interface_ = config.value("interface", "probe");
    if (child_) child_->end(kPatienceAtTheEnd);
    child_.reset();
    backoff_.reset();
    fault_.clear();
    tick(instrument);
    return {};
  }

  void tick(sdk::Instrument& instrument) {
    if (line_.empty()) return;
    const auto now = Clock::now();
    if (child_) {
      child_->work([&](std::string_view line) { take(instrument, line, now); });
      if (child_->is_running()) return;
      fault_ = "the probe " + child_->how_it_ended();
      if (!watch_.last_line().empty()) fault_ += "; its last line was: " + watch_.last_line();
      log_error(fault_);
      child_.reset();
      backoff_.ended(now);
    }
    if (backoff_.is_due(now)) start(instrument, now);
  }

  Health health(const sdk::Instrument& instrument) const {
    Health whole;
    whole.name = instrument.identity().instance;
    if (line_.empty()) {
      whole.state = HealthState::failed;
      whole.cause = "no probe configuration";
      whole.evidence = "the configuration has no 'config'";
      whole.fix = "put the line of 'beaconry probes add' there: beaconry instrument config set " +
                  whole.name;
      return whole;
    }
    whole.parts.push_back(interface_health(interface_));
    Health probe;
    probe.name = "probe";
    probe.state = HealthState::healthy;
    probe.evidence = program() + " runs as probe '" + probe_ + '\'';
    if (!child_ || !child_->is_running()) {
      probe.state = HealthState::failed;
      probe.cause = "the probe does not run";
      probe.evidence = fault_;
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

  void stop() {
    if (child_) child_->end(kPatienceAtTheEnd);
  }

 private:
  static std::string program() { return ::access(kFetched, F_OK) == 0 ? kFetched : kPacked; }

  void start(sdk::Instrument& instrument, Clock::time_point now) {
    backoff_.started(now);
    watch_.started(patience_, now);
    // A fetched program that does not run is not replaced by the packed one in silence: the
    // platform sees that, and takes it back.
    auto started = Child::start({{program(), "--interface", interface_, "--config", "-"}, line_});
    if (!started) {
      fault_ = started.error().message();
      log_error(fault_);
      backoff_.ended(now);
      return;
    }
    child_ = std::move(*started);
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

  void take(sdk::Instrument& instrument, std::string_view line, Clock::time_point now) {
    const std::uint64_t tried = watch_.tried();
    const auto answer = watch_.take(line, now);
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

  std::string line_;  // a secret: the probe's configuration
  std::string probe_, interface_ = "probe", fault_ = "it was not started yet";
  std::chrono::seconds patience_{};
  std::unique_ptr<Child> child_;
  Backoff backoff_;
  ProbeWatch watch_;
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
