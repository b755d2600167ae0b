#include "server/rollout_follow.h"

#include <chrono>
#include <thread>

#include "server/clock.h"
#include "server/fleet_views.h"
#include "server/screen.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;

// Events come at most once a second; without any, ages on the screen still grow.
constexpr std::chrono::milliseconds kSoonest{500};
constexpr std::chrono::seconds kLatest{5};

class Follow {
 public:
  Follow(Server& asked, const std::string& path) : asked_(asked), path_(path) {}

  // False: there is nothing more to see.
  bool go_on() { return !screen_.wants_end() && !(known_ && has_rollout_ended(rollout_)); }

  void hear(std::string_view event) {
    if (!event.empty() && event.front() != ':') stale_ = true;
    const auto age = Clock::now() - drawn_;
    if (Screen::was_resized() || age >= kLatest || (stale_ && age >= kSoonest)) draw();
  }

  void draw() {
    auto answer = parsed_answer(asked_.get(path_));
    drawn_ = Clock::now();
    stale_ = false;
    std::string problem;
    if (answer) {
      rollout_ = std::move(*answer);
      known_ = true;
    } else {
      problem = answer.error().message();
    }
    const std::string line = fleet_rollout_line(rollout_) + (problem.empty() ? "" : "; " + problem);
    if (screen_.is_terminal()) {
      screen_.show(fleet_rollout_text(rollout_, clock_now()) + '\n' + problem +
                   "\n  q or Ctrl+C ends; the rollout goes on\n");
    } else if (line != shown_) {
      screen_.show(to_rfc3339(clock_now()) + "  " + line);
    }
    shown_ = line;
  }

  // Between two tries to reach a server that is away.
  void pause() {
    const auto until = Clock::now() + std::chrono::seconds{2};
    while (Clock::now() < until && !screen_.wants_end())
      std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }

  Json take() { return std::move(rollout_); }

 private:
  Server& asked_;
  const std::string path_;
  Screen screen_;
  Json rollout_ = Json::object();
  bool known_ = false, stale_ = false;
  std::string shown_;
  Clock::time_point drawn_{};
};

}  // namespace

Result<Json> follow_rollout(Server& asked, Server& heard, const std::string& path) {
  // Whoever cannot be asked at the start is an error, not a view.
  if (auto first = parsed_answer(asked.get(path)); !first) return first;
  Follow follow(asked, path);
  follow.draw();
  while (follow.go_on()) {
    const auto ended = heard.events("/api/v1/events", [&](std::string_view event) {
      follow.hear(event);
      return follow.go_on();
    });
    if (!follow.go_on()) break;
    if (!ended) follow.pause();
    follow.draw();
  }
  return follow.take();
}

}  // namespace beaconry
