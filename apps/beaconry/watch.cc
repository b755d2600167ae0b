#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/time.h"
#include "server/access.h"
#include "server/screen.h"
#include "server/views.h"
#include "subcommand.h"
#include "validators.h"

namespace beaconry::subcommands {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  double interval = 5;
};

// Asks for what the screen shows; what fails becomes the state's problem.
void refresh(Server& server, WatchState& state) {
  state.problem.clear();
  const auto ask = [&](const char* path, const Query& query, std::string& to) {
    if (!state.problem.empty()) return;
    auto answer = server.get(path, query);
    if (answer) {
      to = std::move(*answer);
    } else {
      state.problem = answer.error().message();
    }
  };
  ask("/api/v1/status", {}, state.status);
  ask("/api/v1/beacons", {{"limit", "100"}}, state.beacons);
  ask("/api/v1/alerts", {{"limit", "50"}}, state.alerts);
  if (state.problem.empty()) {
    state.updated = to_rfc3339(std::chrono::floor<Duration>(std::chrono::system_clock::now()));
  }
}

class Watch {
 public:
  Watch(Server asked, Server heard, Duration interval)
      : asked_(std::move(asked)), heard_(std::move(heard)), interval_(interval) {
    state_.host = asked_.shown_host();
  }

  // Until somebody ends it. The server may go and come back meanwhile.
  void run() {
    while (!screen_.wants_end()) {
      draw();
      const auto heard = heard_.events("/api/v1/events", [this](std::string_view event) {
        if (!event.empty() && event.front() != ':') stale_ = true;
        if (due()) draw();
        return !screen_.wants_end();
      });
      if (!heard && state_.problem.empty()) state_.problem = heard.error().message();
      pause();
    }
  }

 private:
  // Something happened or the window changed, and the last drawing is long enough ago. Now and then
  // without that, too: uptime and counters go on.
  bool due() {
    if (Screen::was_resized()) return true;
    const auto age = Clock::now() - drawn_;
    return age >= interval_ && (stale_ || age >= 2 * interval_);
  }

  void draw() {
    refresh(asked_, state_);
    screen_.show(watch_text(state_,
                            terminal_of(ColourChoice::automatic, surroundings_of(STDOUT_FILENO)),
                            screen_.rows()));
    drawn_ = Clock::now();
    stale_ = false;
  }

  // Between two tries to reach a server that is away.
  void pause() {
    const auto until = Clock::now() + std::min<Clock::duration>(interval_, std::chrono::seconds{5});
    while (Clock::now() < until && !screen_.wants_end())
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }

  Server asked_, heard_;
  const Duration interval_;
  WatchState state_;
  Screen screen_;
  Clock::time_point drawn_{};
  bool stale_ = false;
};

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--interval", options->interval, "Seconds between two redraws, at least")
      ->capture_default_str()
      ->check(number_between(0.1, 3600));
  const auto access = ServerOptions::add_to(app);
  return [access, options] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      // Whoever cannot be reached at the start, or lets nobody in, is an error, not a view.
      if (auto first = server.get("/api/v1/status"); !first) {
        return tl::unexpected<Error>(std::move(first.error()));
      }
      auto heard = Server::connect(*access);
      if (!heard) return tl::unexpected<Error>(std::move(heard.error()));
      const Duration interval{static_cast<std::int64_t>(options->interval * 1e6)};
      Watch(std::move(server), std::move(*heard), interval).run();
      return {};
    });
  };
}

}  // namespace

extern const Subcommand watch;
constinit const Subcommand watch{"watch", "Show beacons and alerts as they come, full screen",
                                 define};

}  // namespace beaconry::subcommands
