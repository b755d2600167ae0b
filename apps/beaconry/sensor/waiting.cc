#include "sensor/waiting.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/text.h"
#include "sensor/views.h"

namespace beaconry {
namespace {

constexpr std::chrono::milliseconds kPause{200};
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
    if (now != told && (!waited.done || !told.empty())) {
      std::fprintf(stderr, "%s: %s\n", terminal_safe(name).c_str(), now.c_str());
      told = now;
    }
    if (waited.done) return {};
    if (!waited.failure.empty()) return fail(ErrorKind::io, "", name, waited.failure);
    if (std::chrono::steady_clock::now() >= until) {
      std::string words = "it is not so after " + std::to_string(patience.count()) + " s: " + now;
      if (instance) {
        const std::string fix = text_at(*instance, "health.fix");
        if (!fix.empty()) words += "; " + fix;
      }
      return fail(ErrorKind::io, "", name, words + "; it goes on without this command");
    }
    std::this_thread::sleep_for(kPause);
  }
}

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
  const std::string state = text_at(instance, "state");
  if (state == "BROKEN" || state == "FINISHED") {
    return {false, state_words(instance) + last_lines(instance)};
  }
  const std::string update = text_at(instance, "update.state");
  const bool is_other = !fingerprint.empty() && text_at(instance, "image") != fingerprint;
  if (is_other && update == "FAILED") {
    return {false,
            "the update failed: " + text_at(instance, "update.reason") + last_lines(instance)};
  }
  return {!is_other && state == "RUNNING" && text_at(instance, "health.state") == "healthy", {}};
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

}  // namespace beaconry
