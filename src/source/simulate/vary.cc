#include <algorithm>

#include "source/simulate/recipe.h"

namespace beaconry::simulate {
namespace {

using K = SleepKind;

ImplantPlan ordinary(Random& random) {
  ImplantPlan plan;
  static constexpr Channel kChannels[] = {Channel::https, Channel::https_nameless, Channel::http,
                                          Channel::raw};
  static constexpr K kKinds[] = {K::cobalt_strike, K::sliver, K::havoc, K::around};
  plan.channel = kChannels[random.below(4)];
  plan.model = {kKinds[random.below(4)], random.log_uniform(5, 1800), random.uniform(0.05, 0.5)};
  plan.bytes_out = random.log_uniform(60, 4000);
  plan.bytes_in = random.log_uniform(60, 4000);
  plan.size_sigma = random.chance(0.5) ? random.uniform(0.05, 0.7) : 0;
  plan.task_chance = random.log_uniform(0.001, 0.05);
  plan.victims = random.chance(0.12) ? random.between(2, 3) : 1;
  return plan;
}

// One infection of the class `which`.
ImplantPlan infection(std::size_t which, Random& random) {
  ImplantPlan plan = ordinary(random);
  switch (which) {
    case 0:
      plan.group = "fixed";
      plan.model.kind = random.chance(0.3) ? K::clock_locked : K::fixed;
      plan.model.jitter = 0;
      break;
    case 1:
      plan.group = "cobalt-strike";
      plan.model.kind = K::cobalt_strike;
      break;
    case 2:
      plan.group = "high-jitter";
      plan.model.jitter = random.uniform(0.55, 1);
      break;
    case 3:
      plan.group = "around";
      break;
    case 4:
      plan.group = "lossy";
      plan.model.jitter = random.uniform(0, 0.3);
      plan.loss = random.uniform(0.1, 0.5);
      break;
    case 5:
      plan.group = "slow";
      plan.model = {plan.model.kind, random.log_uniform(3600, 6 * 3600), random.uniform(0, 0.3)};
      break;
    case 6:
      plan.group = "stints";
      plan.model.sleep_seconds = random.log_uniform(20, 400);
      if (random.chance(0.5)) {
        plan.from_hour = random.uniform(6, 10);
        plan.to_hour = plan.from_hour + random.uniform(4, 12);
      } else {
        plan.stint_hours_on = random.log_uniform(0.7, 6);
        plan.stint_hours_off = random.log_uniform(0.7, 8);
      }
      break;
    case 7:
      plan.group = "bursty";
      plan.burst_least = random.between(1, 3);
      plan.burst_most = plan.burst_least + random.between(1, 5);
      break;
    case 8:
      plan.group = "rotating";
      plan.addresses = random.between(3, 64);
      plan.channel = random.chance(0.7) ? Channel::https : Channel::http;
      break;
    case 9:
      plan.group = "two-rhythm";
      if (random.chance(0.5)) {
        plan.model.kind = K::alternating;
      } else {
        plan.second_model = {plan.model.kind, plan.model.sleep_seconds * random.log_uniform(2, 12),
                             plan.model.jitter};
        plan.has_second = true;
      }
      break;
    case 10:
      plan.group = "dns";
      plan.channel = Channel::dns;
      plan.model = {K::flat, random.log_uniform(4, 120), random.uniform(0.1, 0.5)};
      break;
    default:
      plan.group = "fronted";
      plan.channel = Channel::fronted;
      break;
  }
  return plan;
}

// A schedule that only a handful of hosts run: hard to tell from an implant.
MachinePlan odd_agent(Random& random) {
  MachinePlan plan;
  plan.group = "odd-agent";
  plan.model = {random.chance(0.5) ? K::fixed : K::around, random.log_uniform(30, 3600),
                random.uniform(0, 0.2)};
  plan.least_clients = random.between(1, 4);
  plan.bytes_out = random.log_uniform(200, 4000);
  plan.bytes_in = random.log_uniform(200, 8000);
  plan.size_sigma = random.uniform(0, 0.5);
  plan.internal = random.chance(0.4);
  return plan;
}

}  // namespace

void vary(Recipe& recipe, std::uint64_t variation) {
  Random random = Random(variation).fork(0x7a31);
  recipe.hosts = static_cast<int>(recipe.hosts * random.log_uniform(0.6, 1.35));
  recipe.start += std::chrono::days{random.between(0, 3) - 3};
  recipe.people.activity *= random.log_uniform(0.6, 1.5);
  recipe.people.streaming_share = random.uniform(0.02, 0.12);
  recipe.people.chat_share = random.uniform(0.1, 0.5);
  recipe.people.sync_share = random.uniform(0.05, 0.3);
  recipe.background.random_pairs_at_800 *= random.log_uniform(0.6, 1.6);
  recipe.background.scanners_at_800 *= random.log_uniform(0.4, 2);
  recipe.background.visitors_at_800 *= random.log_uniform(0.4, 1.6);
  for (MachinePlan& plan : recipe.machines) {
    plan.clients_at_800 *= random.log_uniform(0.5, 1.8);
    plan.model.sleep_seconds *= random.log_uniform(0.4, 2.5);
    plan.model.jitter = std::min(0.4, plan.model.jitter * random.log_uniform(0.3, 3));
    plan.size_sigma = std::min(1.0, plan.size_sigma * random.log_uniform(0.3, 4));
    plan.addresses = std::clamp(plan.addresses * random.between(1, 3), 1, 6);
    plan.servers += random.between(0, 2);
  }
  for (MonitorPlan& plan : recipe.monitors) {
    plan.targets_at_800 *= random.log_uniform(0.5, 1.4);
    plan.period_seconds *= random.log_uniform(0.5, 3);
  }
  const int odd = random.between(1, 4);
  for (int i = 0; i < odd; ++i)
    recipe.machines.push_back(odd_agent(random));

  recipe.implants.clear();
  for (std::size_t which = 0; which < 12; ++which) {
    const int count = random.between(2, 4);
    for (int i = 0; i < count; ++i)
      recipe.implants.push_back(infection(which, random));
  }
}

}  // namespace beaconry::simulate
