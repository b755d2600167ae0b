// The downloader: fetches for the platform what other instruments wish for. It judges nothing: size
// and signature are the platform's to check.
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "common/duration.h"
#include "common/interface.h"
#include "downloader/fetch_queue.h"
#include "downloader/url.h"
#include "sdk/instrument.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr const char* kFolder = "/transient-data/downloads";
constexpr std::uint64_t kMostBytes = 224 << 20;  // of the manifest's 256 MiB
constexpr std::size_t kMostUrls = 64;
constexpr std::chrono::seconds kTidyEvery{10};

// How fetching one file has gone.
struct Source {
  std::optional<Clock::time_point> succeeded;
  Clock::time_point tried{};
  std::string outcome, fault;  // words of the last success; why the last try failed
};

class Downloader {
 public:
  Downloader() : queue_({kFolder, kMostBytes}) {}

  Result<void> configure(const json& config) {
    FetchSettings settings;
    settings.ca_pem = config.value("ca", "");
    auto stall = duration_of(config, "stall", settings.stall, std::chrono::seconds{1},
                             std::chrono::seconds{3600});
    if (!stall) return tl::unexpected<Error>(stall.error());
    auto longest = duration_of(config, "longest", settings.longest, std::chrono::seconds{10},
                               std::chrono::hours{24});
    if (!longest) return tl::unexpected<Error>(longest.error());
    settings.stall = *stall;
    settings.longest = *longest;
    settings.redirections = config.value("redirections", settings.redirections);
    if (auto opened = open_ ? Result<void>() : queue_.open(); !opened) return opened;
    open_ = true;
    interface_ = config.value("interface", "uplink");
    // The one HTTP client goes by the environment, which nobody may read while it changes.
    queue_.start(settings, [&] {
      const json proxy = config.value("proxy", json::object());
      for (const auto& [key, variable] :
           {std::pair{"http", "http_proxy"}, std::pair{"https", "https_proxy"},
            std::pair{"except", "no_proxy"}}) {
        ::setenv(variable, proxy.value(key, "").c_str(), 1);
      }
    });
    return {};
  }

  void order(const FetchOrder& order) {
    const auto url = parse_fetch_url(order.url);
    log_info("Ordered: " + (url ? url->without_query() : std::string("what is no address")));
    queue_.add(order);
  }

  void tick(sdk::Instrument& instrument) {
    const auto now = Clock::now();
    for (const FetchQueue::Done& done : queue_.take_done()) {
      note(done, now);
      instrument.fetched(done.result);
    }
    if (now - tidied_ < kTidyEvery) return;
    tidied_ = now;
    queue_.tidy(now);
  }

  Health health(const sdk::Instrument& instrument) const {
    Health whole;
    whole.name = instrument.identity().instance;
    whole.parts.push_back(interface_health(interface_));
    const auto now = Clock::now();
    for (const auto& [name, source] : sources_) {
      Health part;
      part.name = "fetch " + name;
      const std::string last =
          source.succeeded
              ? "last fetched " +
                    to_words(std::chrono::floor<std::chrono::seconds>(now - *source.succeeded)) +
                    " ago, " + source.outcome
              : "never fetched";
      if (source.fault.empty()) {
        part.state = HealthState::healthy;
        part.evidence = last;
      } else {
        part.state = HealthState::degraded;
        part.cause = "cannot fetch " + name;
        part.evidence = source.fault + "; " + last;
        part.fix = "look at the address, the interface's resolvers and gateway, and the proxies";
      }
      whole.parts.push_back(std::move(part));
    }
    whole.state = HealthState::healthy;
    whole.evidence = sources_.empty() ? "nothing was ordered yet"
                                      : std::to_string(sources_.size()) + " files are kept fresh";
    for (const Health& part : whole.parts) {
      if (part.state <= whole.state) continue;
      whole.state = part.state;
      whole.cause = part.cause;
      whole.evidence = part.evidence;
      whole.fix = part.fix;
    }
    return whole;
  }

  void stop() { queue_.stop(); }

 private:
  void note(const FetchQueue::Done& done, Clock::time_point now) {
    const auto url = parse_fetch_url(done.order.url);
    const std::string name = url ? url->without_query() : "what is no address";
    if (sources_.count(name) == 0 && sources_.size() >= kMostUrls) {
      auto oldest = sources_.begin();
      for (auto at = sources_.begin(); at != sources_.end(); ++at)
        if (at->second.tried < oldest->second.tried) oldest = at;
      sources_.erase(oldest);
    }
    Source& source = sources_[name];
    source.tried = now;
    if (done.result.state == "failed") {
      source.fault = done.result.reason;
      log_warning("Not fetched: " + source.fault);
      return;
    }
    source.fault.clear();
    source.succeeded = now;
    source.outcome = done.result.state == "unchanged"
                         ? "unchanged"
                         : bytes_in_words(static_cast<double>(done.result.bytes)) +
                               (done.result.signature_path.empty() ? ", unsigned" : ", signed");
    log_info(name + ": " + source.outcome);
  }

  FetchQueue queue_;
  std::map<std::string, Source> sources_;
  std::string interface_ = "uplink";
  Clock::time_point tidied_{};
  bool open_ = false;
};

int run_downloader() {
  Downloader downloader;
  sdk::Handlers handlers;
  handlers.configure = [&](sdk::Instrument&, const json& config) {
    return downloader.configure(config);
  };
  handlers.health = [&](sdk::Instrument& instrument) { return downloader.health(instrument); };
  handlers.tick = [&](sdk::Instrument& instrument) { downloader.tick(instrument); };
  handlers.fetch = [&](sdk::Instrument&, const FetchOrder& order) { downloader.order(order); };
  handlers.stop = [&](sdk::Instrument&) { downloader.stop(); };
  // No handler for retention: what is fetched is no data, and lies here for ten minutes.
  return sdk::run(handlers);
}

}  // namespace
}  // namespace beaconry

int main() {
  return beaconry::run_downloader();
}
