#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/simulate/network.h"

namespace beaconry::simulate {

// How an implant reaches its server.
enum class Channel : std::uint8_t {
  https,           // TLS with a server name
  https_nameless,  // TLS without one
  http,            // with a Host
  raw,             // TCP of its own on an uncommon port
  dns,             // queries below a domain of its own, through the resolver
  fronted,         // TLS to a content network that its host also browses, by the same name
};

// One infection: what calls home, how often, and what disturbs the rhythm.
struct ImplantPlan {
  std::string group;  // the class in the truth
  SleepModel model;
  SleepModel second_model;  // of a second implant in the same pair
  bool has_second = false;
  Channel channel = Channel::https;
  double loss = 0;            // share of check-ins that nobody sees
  double stint_hours_on = 0;  // 0: no stints
  double stint_hours_off = 0;
  double from_hour = 0;  // working hours; from == to: all day
  double to_hour = 0;
  int burst_least = 1;  // connections a check-in
  int burst_most = 1;
  int addresses = 1;           // behind its name
  double task_chance = 0.005;  // a check-in that brings a download or takes an upload
  double bytes_out = 420;
  double bytes_in = 260;
  double size_sigma = 0;  // of the logarithm; 0: constant
  int victims = 1;        // hosts infected with the same server
};

// "cobalt-strike:60s:20%", then any of ":loss=30%", ":stints=6h/2h", ":hours=8-18", ":burst=3",
// ":rotate=8", ":victims=2", ":channel=http" (https, https-nameless, http, raw, dns, fronted),
// ":sizes=varying", ":second=300s".
Result<ImplantPlan> parse_implant(std::string_view text);

// Lets the plan's victims call home for as long as the traffic lasts, and records the truth.
void infect(SimulatedNetwork& network, const ImplantPlan& plan, Random random);

}  // namespace beaconry::simulate
