#include "sensor/waited.h"

#include "base/text.h"
#include "sensor/views.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostLines = 10;

std::string last_lines(const Json& instance) {
  const auto at = instance.find("last_log");
  if (at == instance.end() || !at->is_string()) return {};
  const std::string log = at->get<std::string>();
  auto lines = split(trim(log), '\n');
  if (lines.size() > kMostLines) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMostLines));
  }
  std::string text;
  for (const auto each : lines)
    if (!each.empty()) text += "\n  | " + std::string(each);
  return text;
}

bool is_under_way(const std::string& update) {
  return update == "PENDING" || update == "INSTALLING";
}

}  // namespace

Waited is_well(const Json& instance, const std::string& fingerprint) {
  if (!instance.is_object()) return {};
  if (const Json& more = list_at(instance, "wants_approval"); !more.empty()) {
    std::string words;
    for (const Json& each : more)
      words += "\n  " + (each.is_string() ? each.get<std::string>() : each.dump());
    return {false, "the new image may do more than the one before:" + words +
                       "\n'beaconry instrument approve " + text_at(instance, "name") +
                       "' allows it; until then the one before goes on"};
  }
  const std::string wished = text_at(instance, "wished_image");
  if (!fingerprint.empty() && !wished.empty() && wished != fingerprint) {
    return {false, "another image is wished for by now: " + wished.substr(0, 12)};
  }
  const std::string update = text_at(instance, "update.state");
  if (!fingerprint.empty() && update == "FAILED") {
    return {false,
            "the update failed: " + text_at(instance, "update.reason") + last_lines(instance)};
  }
  const std::string state = text_at(instance, "state");
  const bool is_other = !fingerprint.empty() && text_at(instance, "image") != fingerprint;
  // The new one of an instrument that does its work and ends.
  if (state == "FINISHED" && update == "INSTALLED" && !is_other) return {true, {}};
  if (state == "BROKEN" || state == "FINISHED") {
    return {false, state_words(instance) + last_lines(instance)};
  }
  if (is_other) return {};
  // One that shall not run has nothing to prove before it is started.
  if (!instance.value("wished_running", true)) return {state == "INSTALLED", {}};
  const bool waits = !fingerprint.empty() && is_under_way(update);
  return {!waits && state == "RUNNING" && text_at(instance, "health.state") == "healthy", {}};
}

Waited has_looked(const Json& before, const Json& instance) {
  if (!instance.is_object()) return {};
  std::string failures;
  for (const Json& each : list_at(instance, "resources")) {
    const std::string name = text_at(each, "name"), state = text_at(each, "state");
    std::string looked;
    for (const Json& old : list_at(before, "resources")) {
      if (text_at(old, "name") == name) looked = text_at(old, "looked");
    }
    const bool ended = state == "INSTALLED" || state == "FAILED";
    if (!ended || text_at(each, "looked") == looked) return {};
    if (state == "FAILED") failures += (failures.empty() ? "" : "\n") + resource_words(each);
  }
  return {failures.empty(), failures};
}

Waited is_stopped(const Json& instance) {
  const std::string state = instance.is_object() ? text_at(instance, "state") : std::string();
  return {state == "INSTALLED" || state == "FINISHED" || state == "BROKEN", {}};
}

Waited has_config(const Json& instance, std::uint64_t version) {
  if (!instance.is_object() || count_at(instance, "config.wished") < version) return {};
  const std::string state = text_at(instance, "config.state");
  if (state == "FAILED") {
    return {false, "the configuration failed: " + text_at(instance, "config.reason") +
                       "; the one before goes on"};
  }
  return {state == "APPLIED" && count_at(instance, "config.applied") >= version, {}};
}

std::string late_words(const Json& instance) {
  if (!instance.is_object()) return {};
  const std::string fix = text_at(instance, "health.fix");
  std::string words = fix.empty() || fix.starts_with("none yet") ? std::string() : "; " + fix;
  if (count_at(instance, "failures") > 0) words += last_lines(instance);
  return words;
}

}  // namespace beaconry
