#include "control/leak_alert.h"

#include <utility>

#include "base/text.h"
#include "control/answer.h"
#include "control/leak_json.h"
#include "http/certificates.h"
#include "leak/path.h"

namespace beaconry {
namespace {

constexpr std::size_t kIdDigits = 32;

std::string id_of(const std::string& of) {
  return sha256_hex(of).substr(0, kIdDigits);
}

// Which of a leak's changes of this kind it is.
std::string instance_of(const LeakBook::Change& change) {
  const Leak& leak = change.leak;
  // One that was dropped for room may come again as if it were the first time.
  const std::string time = std::to_string(leak.opened.time_since_epoch().count());
  switch (change.kind) {
    case LeakChange::opened:
      return time;
    case LeakChange::two_way:
    case LeakChange::reopened:
    case LeakChange::closed:
      return std::to_string(leak.times_opened) + ' ' + time;
    case LeakChange::widened: {
      std::string what = std::to_string(leak.times_opened);
      for (const auto& [from, to] : leak.ports)
        what += ' ' + std::to_string(from) + '-' + std::to_string(to);
      for (const std::uint8_t variant : leak.variants)
        what += " v" + std::to_string(variant);
      return what;
    }
  }
  return {};
}

std::string_view title_of(LeakChange change) {
  switch (change) {
    case LeakChange::opened:
      return "New leak: ";
    case LeakChange::reopened:
      return "Leak again: ";
    case LeakChange::closed:
      return "Leak closed: ";
    case LeakChange::widened:
      return "Leak wider: ";
    case LeakChange::two_way:
      return "Leak is two-way: ";
  }
  return {};
}

std::string description_of(const LeakBook::Change& change, const LeakWords& words) {
  if (change.kind == LeakChange::closed) {
    return "It was not seen for two complete cycles after having been open for " +
           to_words(open_for(change.leak)) +
           ". Where the probe has no positive control, look whether it still runs: a probe that is "
           "gone finds nothing either. " +
           words.explanation;
  }
  return words.explanation + " " + words.fix;
}

}  // namespace

std::string_view change_word(LeakChange change) {
  switch (change) {
    case LeakChange::opened:
      return "new";
    case LeakChange::reopened:
      return "reopened";
    case LeakChange::closed:
      return "closed";
    case LeakChange::widened:
      return "widened";
    case LeakChange::two_way:
      return "two_way";
  }
  return {};
}

Severity severity_of(const Leak& leak) {
  return leak.two_way ? Severity::critical : Severity::high;
}

Alert leak_alert(const LeakBook::Change& change, std::string_view probe, Timestamp now) {
  const Leak& leak = change.leak;
  const LeakWords words = describe(leak, probe);
  Alert alert;
  alert.kind = "leak." + std::string(change_word(change.kind));
  alert.id = id_of(alert.kind + '\n' + leak.id + '\n' + instance_of(change));
  alert.title = std::string(title_of(change.kind)) + words.title;
  alert.description = description_of(change, words);
  alert.severity = change.kind == LeakChange::closed    ? Severity::low
                   : change.kind == LeakChange::widened ? Severity::medium
                                                        : severity_of(leak);
  alert.source = "leaks";
  alert.subject = leak.id;
  alert.time = now;
  alert.tags = {"leak", std::string(change_word(change.kind)), std::string(to_string(leak.method)),
                std::string(to_string(leak.path))};
  alert.details = json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("change", change_word(change.kind));
    // By these names sinks look for the two ends.
    json.name("src_ip");
    leak.inside.is_unspecified() ? json.null() : json.plain(leak.inside.to_string());
    write_leak(json, leak, probe, {});
    json.end();
  });
  return alert;
}

Alert probe_alert(const LeakBook::ProbeChange& change, std::string_view probe, Timestamp now) {
  using News = LeakBook::ProbeNews;
  const std::string since = to_rfc3339(change.since), name(probe);
  Alert alert;
  std::string instance = std::to_string(change.since.time_since_epoch().count());
  alert.description = change.words;
  switch (change.kind) {
    case News::silent:
      alert.kind = "probe.silent";
      alert.title = "Probe " + name + " is silent";
      alert.severity = Severity::high;
      break;
    case News::heard_again:
      alert.kind = "probe.heard";
      alert.title = "Probe " + name + " is heard again";
      break;
    case News::retired_call:
      alert.kind = "probe.retired_call";
      alert.title = "Retired probe " + name + " calls from " + change.outer_source.to_string();
      alert.severity = Severity::critical;
      instance = outer_network(change.outer_source).to_string();
      break;
  }
  alert.id = id_of(alert.kind + '\n' + change.probe.to_string() + '\n' + instance);
  alert.source = "leaks";
  alert.subject = change.probe.to_string();
  alert.time = now;
  alert.tags = {"probe", alert.kind.substr(6)};
  alert.details = json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("probe", change.probe.to_string());
    json.text("probe_name", name);
    json.plain("since", since);
    json.name("outer_source");
    change.outer_source.is_unspecified() ? json.null()
                                         : json.plain(change.outer_source.to_string());
    json.end();
  });
  return alert;
}

}  // namespace beaconry
