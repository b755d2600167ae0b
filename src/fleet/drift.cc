#include "fleet/drift.h"

#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"
#include "fleet/document_text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

// The one word of both sides, where the sensor's state fits the wish.
std::string running_word(const ReportedInstance& found, bool wished) {
  if (wished) {
    return found.state == "RUNNING" || found.state == "FINISHED" ? "running" : found.state;
  }
  const bool stopped = found.state == "INSTALLED" || found.state == "FINISHED";
  return stopped ? "stopped" : found.state;
}

// Nothing to apply is as good as applied.
std::string config_word(const ReportedInstance& found) {
  const std::string& state = found.config_state;
  return state == "APPLIED" || state == "UNSET" || state.empty() ? "applied" : state;
}

void compare(const DocumentInstance& wished, const ReportedInstance& found,
             std::vector<Difference>& all) {
  const auto add = [&](const char* key, const std::string& shall, const std::string& is) {
    if (shall == is) return;
    all.push_back({Difference::Kind::changed, below(below("/instances", wished.name), key),
                   text_of(shall), text_of(is)});
  };
  if (wished.running) add("config", "applied", config_word(found));
  add("image", wished.image, found.image);
  add("state", wished.running ? "running" : "stopped", running_word(found, wished.running));
}

}  // namespace

std::string Difference::words() const {
  const std::string at = terminal_safe(place) + ": ";
  if (kind == Kind::missing) return at + "removed " + terminal_safe(wished);
  if (kind == Kind::added) return at + "added " + terminal_safe(found);
  return at + terminal_safe(wished) + " -> " + terminal_safe(found);
}

std::vector<Difference> drift(const std::vector<DocumentInstance>& wished,
                              const Reported& reported) {
  std::map<std::string_view, const ReportedInstance*> found;
  for (const ReportedInstance& one : reported.instances)
    found[one.name] = &one;
  std::vector<Difference> all;
  for (const DocumentInstance& one : wished) {
    const auto there = found.find(one.name);
    if (there != found.end()) {
      compare(one, *there->second, all);
      found.erase(there);
      continue;
    }
    Json shall = {{"image", one.image}, {"state", one.running ? "running" : "stopped"}};
    if (one.running) shall["config"] = "applied";
    all.push_back({Difference::Kind::missing, below("/instances", one.name), text_of(shall), {}});
  }
  for (const auto& [name, one] : found) {
    const Json is = {{"image", one->image}, {"state", one->state}};
    all.push_back({Difference::Kind::added, below("/instances", one->name), {}, text_of(is)});
  }
  return all;
}

}  // namespace beaconry
