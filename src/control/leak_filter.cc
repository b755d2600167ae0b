#include "control/leak_filter.h"

#include <algorithm>

#include "base/text.h"
#include "control/observations.h"

namespace beaconry {
namespace {

bool has_class(const Leak& leak, ObservationClass what) {
  switch (what) {
    case ObservationClass::fresh:
      return leak.count > leak.late;
    case ObservationClass::duplicate:
      return leak.duplicates > 0;
    case ObservationClass::late:
      return leak.late > 0;
    case ObservationClass::replayed:
      return leak.replayed > 0;
    case ObservationClass::unknown_key:
    case ObservationClass::retired:
    case ObservationClass::unconfirmed:
      break;
  }
  return false;
}

}  // namespace

std::optional<Timestamp> read_since(Query& query, Timestamp now, std::string_view name) {
  const auto text = query.text(name);
  if (!text) return std::nullopt;
  constexpr double kLongest = 100 * 366 * 86'400.0;
  if (const auto seconds = parse_duration_seconds(*text); seconds && *seconds <= kLongest) {
    return now - std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
  }
  const auto time = parse_rfc3339(*text);
  if (!time) {
    query.refuse(std::string(name) +
                 " must be a time such as 2026-12-01T00:00:00Z, or a length: 24h");
  }
  return time;
}

LeakFilter LeakFilter::read(Query& query, Timestamp now) {
  LeakFilter filter;
  filter.probe = query.text("probe").value_or("");
  filter.since = read_since(query, now);
  if (const auto state = query.text("state")) {
    if (*state != "open" && *state != "closed") query.refuse("state must be open or closed");
    filter.open = *state == "open";
  }
  if (const auto method = query.text("method")) {
    filter.method = parse_method(*method);
    if (!filter.method) query.refuse("no method is called '" + terminal_safe(*method) + '\'');
  }
  if (const auto path = query.text("path")) {
    filter.path = *path;
    if (!parse_path_kind(*path)) query.refuse("no path is called '" + terminal_safe(*path) + '\'');
  }
  if (const auto what = query.text("class")) {
    filter.what = parse_observation_class(*what);
    if (!filter.what) query.refuse("no class is called '" + terminal_safe(*what) + '\'');
  }
  return filter;
}

bool LeakFilter::fits(const KeptProbe& each) const {
  return probe.empty() || each.name == probe || each.id.to_string() == probe;
}

std::vector<Leak> LeakFilter::apply(std::vector<Leak> leaks, const Probes& probes) const {
  std::erase_if(leaks, [&](const Leak& leak) {
    const bool is_its =
        probe.empty() || leak.probe.to_string() == probe || probes.name_of(leak.probe) == probe;
    return !is_its || (since && leak.last < *since) || (open && *open == leak.closed.has_value()) ||
           (method && leak.method != *method) || (!path.empty() && to_string(leak.path) != path) ||
           (what && !has_class(leak, *what));
  });
  return leaks;
}

std::string LeakFilter::words() const {
  std::string text;
  const auto add = [&](const std::string& word) { text += (text.empty() ? "" : ", ") + word; };
  if (open) add(*open ? "open" : "closed");
  if (!probe.empty()) add("of probe " + probe);
  if (method) add("by " + std::string(to_string(*method)));
  if (!path.empty()) add("path " + path);
  if (what) add("with " + std::string(to_string(*what)) + " observations");
  if (since) add("seen since " + to_rfc3339(*since));
  return text;
}

}  // namespace beaconry
