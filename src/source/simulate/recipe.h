#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "source/simulate/background.h"
#include "source/simulate/implant.h"
#include "source/simulate/machines.h"
#include "source/simulate/people.h"

namespace beaconry::simulate {

// Everything that a simulation is made of. Change it freely before calling simulate().
struct Recipe {
  std::uint64_t seed = 1;
  Timestamp start{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20}};
  double hours = 24;
  int hosts = 800;
  PeoplePlan people;
  BackgroundPlan background;
  std::vector<MachinePlan> machines;
  std::vector<MonitorPlan> monitors;
  std::vector<ImplantPlan> implants;
};

// "day": a labelled working day of 800 hosts, about 1.2 million connections, 42 infected pairs in
// ten classes. "demo": a few hosts and minutes. "weeks": three quiet weeks with sleeps of 6 to 24
// hours.
std::optional<Recipe> preset(std::string_view name, std::uint64_t seed);

// Draws hosts, activity, harmless schedules and infections anew from wider ranges, by `variation`:
// for days that nobody tuned a detector on.
void vary(Recipe& recipe, std::uint64_t variation);

// The same recipe gives the same traffic, on every machine.
Traffic simulate(const Recipe& recipe);

}  // namespace beaconry::simulate
