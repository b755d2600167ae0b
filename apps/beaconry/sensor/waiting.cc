#include "sensor/waiting.h"

#include <cstdio>
#include <thread>

#include "base/text.h"
#include "sensor/views.h"

namespace beaconry {
namespace {

constexpr std::chrono::milliseconds kPause{200};

// Without when it tries again, which is another time at each failure.
std::string steady_words(Json instance) {
  instance.erase("retry");
  return state_words(instance);
}

}  // namespace

Result<void> wait_for(SensorClient& sensor, const std::string& name, std::chrono::seconds patience,
                      const std::function<Waited(const Json& instance)>& look) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::string told;
  while (true) {
    auto instance = sensor.instance(name);
    if (!instance && instance.error().kind != ErrorKind::not_found) {
      return tl::unexpected<Error>(std::move(instance.error()));
    }
    const Waited waited = look(instance ? *instance : Json());
    const std::string now = instance ? state_words(*instance) : "not there";
    const std::string steady = instance ? steady_words(*instance) : now;
    // What it comes to in the end is told by the command itself.
    const bool goes_on = !waited.done && waited.failure.empty();
    if (goes_on && steady != told) {
      std::fprintf(stderr, "%s: %s\n", terminal_safe(name).c_str(), now.c_str());
      told = steady;
    }
    if (waited.done) return {};
    if (!waited.failure.empty()) return fail(ErrorKind::io, "", name, waited.failure);
    if (std::chrono::steady_clock::now() >= until) {
      return fail(ErrorKind::io, "", name,
                  "it is not so after " + std::to_string(patience.count()) +
                      " s, and goes on without this command: " + now +
                      (instance ? late_words(*instance) : std::string()));
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace beaconry
