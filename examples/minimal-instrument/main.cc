// The least that is a whole instrument: configured, healthy or not, with events that get through.
#include <nlohmann/json.hpp>

#include "sdk/instrument.h"

using namespace beaconry;

int main() {
  std::chrono::seconds every{60};
  auto next = std::chrono::steady_clock::now();

  sdk::Handlers handlers;
  handlers.configure = [&](sdk::Instrument&, const nlohmann::json& config) -> Result<void> {
    every = std::chrono::seconds{config.value("every", 60)};
    return {};
  };
  handlers.tick = [&](sdk::Instrument& instrument) {
    if (std::chrono::steady_clock::now() < next) return;
    next = std::chrono::steady_clock::now() + every;
    // An error means that it waits for the platform already and is told in the health report.
    if (instrument.emit("beat", "It beats", {{"every", every.count()}})) return;
  };
  handlers.health = [&](sdk::Instrument&) {
    Health health;
    health.state = HealthState::healthy;
    return health;
  };
  return sdk::run(handlers);
}
