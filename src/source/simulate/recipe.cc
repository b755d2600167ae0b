#include "source/simulate/recipe.h"

#include <algorithm>

namespace beaconry::simulate {
namespace {

using K = SleepKind;

// Ten classes of infection, 42 in all, as an ordinary bad day would have them.
std::vector<ImplantPlan> day_implants(Random random) {
  std::vector<ImplantPlan> plans;
  const auto add = [&plans, &random](const char* group, SleepModel model) -> ImplantPlan& {
    plans.emplace_back();
    ImplantPlan& plan = plans.back();
    plan.group = group;
    plan.model = model;
    plan.bytes_out = random.log_uniform(180, 1200);
    plan.bytes_in = random.log_uniform(120, 900);
    static constexpr Channel kChannels[] = {Channel::https, Channel::https, Channel::https_nameless,
                                            Channel::http, Channel::raw};
    plan.channel = kChannels[random.below(5)];
    plan.size_sigma = random.chance(0.3) ? random.uniform(0.05, 0.35) : 0;
    return plan;
  };
  for (const double sleep : {10.0, 30.0, 60.0})
    add("fixed", {K::fixed, sleep, 0});
  for (const double sleep : {300.0, 900.0})
    add("fixed", {K::clock_locked, sleep, 0});
  for (const double jitter : {0.2, 0.25, 0.3, 0.37, 0.5}) {
    add("cobalt-strike", {K::cobalt_strike, random.log_uniform(30, 600), jitter});
  }
  plans.back().victims = 2;
  for (const double jitter : {0.6, 0.7, 0.8, 0.9}) {
    const K kind = random.chance(0.5) ? K::cobalt_strike : K::around;
    add("high-jitter", {kind, random.log_uniform(45, 600), jitter});
  }
  add("around", {K::sliver, 60, 0.5});
  add("around", {K::havoc, 120, 0.2});
  add("around", {K::around, 180, 0.15});
  add("around", {K::around, 45, 0.3});
  for (const double loss : {0.1, 0.2, 0.35, 0.5}) {
    add("lossy", {K::cobalt_strike, random.log_uniform(60, 600), 0.1}).loss = loss;
  }
  for (const double sleep : {3600.0, 5400.0, 7200.0, 14400.0}) {
    add("slow", {K::cobalt_strike, sleep, 0.1});
  }
  for (const double on : {2.0, 4.0}) {
    ImplantPlan& plan = add("stints", {K::around, random.log_uniform(60, 300), 0.1});
    plan.stint_hours_on = on;
    plan.stint_hours_off = on * random.uniform(0.5, 1.5);
  }
  for (const double jitter : {0.05, 0.25}) {
    ImplantPlan& plan = add("stints", {K::havoc, random.log_uniform(60, 300), jitter});
    plan.from_hour = 8;
    plan.to_hour = 17;
  }
  for (const int burst : {2, 3, 4, 6}) {
    ImplantPlan& plan = add("bursty", {K::cobalt_strike, random.log_uniform(60, 900), 0.1});
    plan.burst_least = burst == 6 ? 1 : burst;
    plan.burst_most = burst;
    plan.task_chance = 0.03;
  }
  for (const int addresses : {4, 10, 24, 60}) {
    ImplantPlan& plan = add("rotating", {K::cobalt_strike, random.log_uniform(60, 300), 0.15});
    plan.addresses = addresses;
    plan.channel = Channel::https;
  }
  for (const double sleep : {11.5, 60.0}) {
    add("two-rhythm", {K::alternating, sleep, 0}).channel = Channel::raw;
  }
  {
    ImplantPlan& plan = add("two-rhythm", {K::cobalt_strike, 60, 0.1});
    plan.second_model = {K::cobalt_strike, 600, 0.1};
    plan.has_second = true;
  }
  return plans;
}

Recipe day(std::uint64_t seed) {
  Recipe recipe;
  recipe.seed = seed;
  recipe.machines = usual_machines();
  recipe.monitors = {{100, 60, 9100, Protocol::tcp}, {80, 300, 161, Protocol::udp}};
  recipe.implants = day_implants(Random(seed).fork(0x1a9));
  return recipe;
}

Recipe demo(std::uint64_t seed) {
  Recipe recipe = day(seed);
  recipe.hosts = 14;
  recipe.hours = 0.5;
  recipe.start += std::chrono::hours{10};
  recipe.background = {400, 130, 2000};
  recipe.implants.clear();
  recipe.implants.push_back({});
  recipe.implants.back().group = "cobalt-strike";
  recipe.implants.back().model = {K::cobalt_strike, 15, 0.2};
  recipe.implants.push_back({});
  recipe.implants.back().group = "njrat";
  recipe.implants.back().model = {K::alternating, 11.5, 0};
  recipe.implants.back().channel = Channel::raw;
  return recipe;
}

Recipe weeks(std::uint64_t seed) {
  Recipe recipe = day(seed);
  recipe.hosts = 40;
  recipe.hours = 21 * 24;
  recipe.people.activity = 0.25;
  recipe.background = {600, 20, 600};
  for (MachinePlan& plan : recipe.machines)
    plan.model.sleep_seconds *= 6;
  recipe.monitors = {{100, 1800, 9100, Protocol::tcp}};
  recipe.implants.clear();
  for (const double hours : {6.0, 12.0, 24.0}) {
    for (const double jitter : {0.05, 0.3}) {
      ImplantPlan plan;
      plan.group = "very-slow";
      plan.model = {jitter < 0.1 ? K::around : K::cobalt_strike, hours * 3600, jitter};
      recipe.implants.push_back(plan);
    }
  }
  return recipe;
}

}  // namespace

std::optional<Recipe> preset(std::string_view name, std::uint64_t seed) {
  if (name == "day") return day(seed);
  if (name == "demo") return demo(seed);
  if (name == "weeks") return weeks(seed);
  return std::nullopt;
}

Traffic simulate(const Recipe& recipe) {
  Traffic traffic;
  traffic.start = recipe.start;
  traffic.end = recipe.start + from_seconds(recipe.hours * 3600);
  const Random random(recipe.seed);
  SimulatedNetwork network(traffic, std::max(1, recipe.hosts), random.fork(1));
  std::uint64_t tag = 0;
  for (const ImplantPlan& plan : recipe.implants) {
    infect(network, plan, random.fork(2).fork(++tag));
  }
  machines(network, recipe.machines, recipe.hosts, random.fork(3));
  monitors(network, recipe.monitors, recipe.hosts, random.fork(4));
  people(network, recipe.people, random.fork(5));
  background(network, recipe.background, recipe.hosts, random.fork(6));
  lookups(network, random.fork(7));
  traffic.sort();
  return traffic;
}

}  // namespace beaconry::simulate
