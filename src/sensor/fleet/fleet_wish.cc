#include "sensor/fleet/fleet_wish.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/hex.h"
#include "base/text.h"
#include "bus/topics.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostProblems = 32, kDeepest = 40, kShown = 60;

constexpr std::string_view kTooMany = "it is one too many: a sensor has at most 256 instances";

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void add_problem(std::vector<std::string>& problems, std::string problem) {
  if (problems.size() < kMostProblems) problems.push_back(std::move(problem));
}

Result<InstanceWish> read_instance(const std::string& name, const Json& value) {
  // Parsed alone, so that what is wrong in it is its own. Where it came from is not the server's
  // to say.
  auto state = DesiredState::parse(text_of(Json{{"instances", {{name, value}}}}));
  if (!state) return tl::unexpected<Error>(std::move(state.error()));
  InstanceWish wish = std::move(state->instances.at(name));
  if (!is_lower_hex(wish.image, 64)) {
    return fail(ErrorKind::malformed, "read", "/instances/" + name + "/image",
                "it is no SHA-256 in 64 hex digits");
  }
  wish.source = kFleetSource;
  return wish;
}

bool is_of_fleet(const DesiredState& state, const std::string& name) {
  const auto found = state.instances.find(name);
  return found != state.instances.end() && found->second.source == kFleetSource;
}

// The rest of the wish holds: a stop shall not wait for a configuration that fits.
InstanceWish as_far_as_it_fits(const InstanceWish& wish, const InstanceWish& former,
                               const CheckWish& check, FleetFault& fault) {
  const auto fits = check(wish);
  if (fits) return wish;
  fault.reason = fits.error().message();
  InstanceWish taken = wish;
  taken.config_json = former.config_json;
  fault.of_config = check(taken).has_value();
  if (!fault.of_config) taken.interfaces = former.interfaces;
  return taken;
}

}  // namespace

Result<FleetWish> read_fleet_wish(const std::string& document_json, bool allow_unsigned) {
  const Json document = json_depth(document_json) > kDeepest
                            ? Json(Json::value_t::discarded)
                            : Json::parse(document_json, nullptr, false);
  const auto refuse = [](const char* why) {
    return fail(ErrorKind::malformed, "read", "the server's document", why);
  };
  if (!document.is_object()) return refuse("it is no JSON object");
  const auto instances = document.find("instances");
  if (instances != document.end() && !instances->is_object())
    return refuse("/instances is no object");
  FleetWish fleet;
  for (const auto& [key, value] : document.items()) {
    if (key == "management") {
      auto state = DesiredState::parse(text_of(Json{{"management", value}}));
      if (state) {
        fleet.management = std::move(state->management);
      } else {
        fleet.management_unread = true;
        add_problem(fleet.problems, "the server's document: " + state.error().message() +
                                        "; the management network stays as it was");
      }
    } else if (key != "instances") {
      add_problem(fleet.problems, "the server's document has a part " + in_quotes(key) +
                                      " that this program does not know: update the sensor");
    }
  }
  if (instances == document.end()) return fleet;
  std::size_t count = 0;
  for (const auto& [name, value] : instances->items()) {
    if (++count > kMostInstances) {  // what runs of them runs on
      if (InstanceName::parse(name)) fleet.faults[name] = {std::string(kTooMany)};
      continue;
    }
    auto wish = read_instance(name, value);
    if (!wish) {
      const std::string words = wish.error().message();
      fleet.faults[utf8_valid(name.substr(0, kShown))] = {
          words, words.find("/config") != std::string::npos};
      continue;
    }
    if (wish->allow_unsigned && !allow_unsigned) {
      wish->allow_unsigned = false;
      add_problem(fleet.problems,
                  name +
                      ": that the server allows unsigned code does not hold here; "
                      "sensor.fleet.allow_unsigned in this machine's configuration would let it");
    }
    fleet.instances.emplace(name, std::move(*wish));
  }
  if (count > kMostInstances) {
    add_problem(fleet.problems, "the server's document has " + std::to_string(count) +
                                    " instances: those behind the " +
                                    std::to_string(kMostInstances) + "th are left as they were");
  }
  return fleet;
}

DesiredState merge_fleet(const DesiredState& state, const DesiredState& before,
                         const FleetWish& fleet, const CheckWish& check,
                         std::map<std::string, FleetFault>& faults,
                         std::vector<std::string>& problems) {
  faults.clear();
  problems = fleet.problems;
  DesiredState after;
  after.management = state.management;
  after.management_source = state.management_source;
  if (state.management && state.management_source != kFleetSource) {
    if (fleet.management || fleet.management_unread) {
      add_problem(problems,
                  "management: the server wishes for a network of this machine, too, but one was "
                  "set here, and holds: a desired state without it leaves it to the server");
    }
  } else if (!fleet.management_unread) {
    after.management = fleet.management;
    after.management_source = fleet.management ? kFleetSource : std::string_view();
  }
  for (const auto& [name, wish] : state.instances) {
    if (wish.source != kFleetSource) after.instances.emplace(name, wish);
  }
  const auto is_local = [&](const std::string& name) {
    const auto held = after.instances.find(name);
    if (held == after.instances.end()) return false;
    const std::string& source = held->second.source;
    add_problem(problems, name + ": the server wishes for it, too, but " +
                              (source.empty() ? "it was installed by a command here, and stays as "
                                                "it is: 'beaconry instrument remove " +
                                                    name + "' leaves it to the server"
                                              : "the file " + terminal_safe(source) +
                                                    " of this machine defines it, and holds: "
                                                    "remove it from one of them"));
    return true;
  };
  const auto take = [&](const std::string& name, const InstanceWish& wish) {
    const auto had = before.instances.find(name);
    FleetFault fault;
    const bool is_known = is_of_fleet(before, name) && had->second.image == wish.image;
    after.instances[name] = is_known ? as_far_as_it_fits(wish, had->second, check, fault) : wish;
    if (!fault.reason.empty()) faults[name] = std::move(fault);
  };
  std::vector<const InstanceWish*> news;
  for (const auto& [name, wish] : fleet.instances) {
    if (is_local(name)) continue;
    if (before.instances.contains(name))
      take(name, wish);
    else
      news.push_back(&wish);
  }
  for (const auto& [name, fault] : fleet.faults) {
    if (is_local(name)) continue;
    const bool stays = is_of_fleet(before, name);
    if (stays) after.instances[name] = before.instances.at(name);
    if (stays || faults.size() < kMostInstances) faults[name] = fault;
  }
  // Last, so that there is room for those that are there.
  std::size_t left_out = 0;
  for (const InstanceWish* wish : news) {
    if (after.instances.size() < kMostInstances) {
      take(wish->name, *wish);
    } else {
      ++left_out;
      faults[wish->name] = {std::string(kTooMany)};
    }
  }
  if (left_out != 0) {
    add_problem(problems, "instances of the server's document that are left out: " +
                              std::to_string(left_out) + "; there are " +
                              std::to_string(kMostInstances) + " already, remove some");
  }
  return after;
}

}  // namespace beaconry
