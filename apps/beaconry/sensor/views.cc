#include "sensor/views.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/terminal.h"

namespace beaconry {
namespace {

constexpr std::size_t kWidth = 80;

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

// "2026-11-22 08:00:01" of "2026-11-22T08:00:01.5Z".
std::string time_text(const Json& json, const char* path) {
  std::string time = text_at(json, path);
  if (time.size() < 19) return time;
  time.resize(19);
  std::replace(time.begin(), time.end(), 'T', ' ');
  return time;
}

std::string bytes_at(const Json& json, const char* path) {
  return bytes_in_words(number_at(json, path));
}

void line(std::string& text, std::string_view name, const std::string& value,
          std::size_t width = 14) {
  if (value.empty()) return;
  text += "  " + pad_right(std::string(name), width) + wrap(value, kWidth - 2, width + 2) + '\n';
}

std::string joined(const Json& list, const char* between) {
  std::string text;
  for (const Json& each : list)
    text += (text.empty() ? "" : between) +
            terminal_safe(each.is_string() ? each.get<std::string>() : each.dump());
  return text;
}

// Empty where it is not the sensor's to touch.
std::string management_text(const Json& report) {
  const std::string state = text_at(report, "management.state");
  if (state.empty() || state == "none") return {};
  const auto management = report.find("management");
  std::string text = text_at(report, "management.interface") + ", ";
  const std::string has = joined(list_at(*management, "addresses"), ", ");
  text += has.empty() ? "no address" : has;
  if (state == "trial") {
    text += ": on trial until " + time_text(report, "management.until") +
            "; 'beaconry sensor confirm' keeps it";
  } else {
    text += ", " + state;
  }
  const std::string reason = text_at(report, "management.reason");
  return reason.empty() ? text : text + ": " + reason;
}

std::string health_word(const Json& row) {
  if (text_at(row, "state") == "FINISHED") return "finished";
  return or_dash(text_at(row, "health.state"));
}

// What somebody has to know first: a cause, a wait for approval, an update under way.
std::string note(const Json& row) {
  if (!list_at(row, "wants_approval").empty()) return "wants approval";
  std::string cause = text_at(row, "cause");
  if (cause.empty()) cause = text_at(row, "health.cause");
  if (cause.empty() && text_at(row, "config.state") == "FAILED") {
    cause = "config: " + text_at(row, "config.reason");
  }
  const std::string update = text_at(row, "update.state");
  if (cause.empty() && (update == "DOWNLOADING" || update == "INSTALLING" || update == "FAILED")) {
    cause = text_at(row, "update.what") + ' ' + update;
  }
  for (const Json& each : list_at(row, "resources")) {
    const std::string state = text_at(each, "state");
    if (cause.empty() && (state == "DOWNLOADING" || state == "INSTALLING" || state == "FAILED")) {
      cause = text_at(each, "name") + ' ' + state;
    }
  }
  return cut_end(cause, 28, true);
}

std::string storage_text(const Json& instance, const char* name) {
  const auto at = instance.find(name);
  if (at == instance.end() || count_at(*at, "quota") == 0) return {};
  std::string text = bytes_at(*at, "used") + " of " + bytes_at(*at, "quota");
  const auto days = at->find("days_to_full");
  if (days != at->end() && days->is_number()) {
    text += ", full in " + std::to_string(count_at(*at, "days_to_full")) + " days";
  }
  return text;
}

bool is_healthy(const Json& health) {
  return text_at(health, "state") == "healthy";
}

// Without `all`, parts that are healthy are told in one line.
void add_health(std::string& text, const Json& health, bool all, std::size_t depth = 0) {
  constexpr std::size_t kDeepest = 16;
  if (!health.is_object() || depth > kDeepest) return;
  const std::string indent(2 * depth + 2, ' ');
  std::string head = indent + pad_right(or_dash(text_at(health, "name")), 30 - 2 * depth) + ' ' +
                     pad_right(or_dash(text_at(health, "state")), 10);
  if (const std::string since = time_text(health, "since"); !since.empty()) {
    head += "since " + since;
  }
  text += head + '\n';
  const auto add_words = [&](const char* word, const std::string& words) {
    if (words.empty()) return;
    text +=
        indent + "  " + pad_right(word, 10) + wrap(words, kWidth - 2, indent.size() + 12) + '\n';
  };
  for (const char* word : {"cause", "evidence", "fix"})
    add_words(word, text_at(health, word));
  std::string healthy;
  for (const Json& part : list_at(health, "parts")) {
    if (all || !is_healthy(part)) {
      add_health(text, part, all, depth + 1);
    } else {
      healthy += (healthy.empty() ? "" : ", ") + text_at(part, "name");
    }
  }
  add_words("healthy", healthy);
}

std::string interfaces_text(const Json& list) {
  const std::vector<Column> columns = {
      {"INTERFACE", 13, [](const Json& r) { return text_at(r, "name"); }},
      {"STATE", 9,
       [](const Json& r) {
         const bool present = r.value("present", false), carrier = r.value("carrier", false);
         return std::string(present ? (carrier ? "up" : "no link") : "absent");
       }},
      {"ADDRESS", 20, [](const Json& r) { return text_at(r, "address"); }},
      {"RECEIVED", 11, [](const Json& r) { return text_at(r, "received"); }},
      {"SENT", 9, [](const Json& r) { return text_at(r, "sent"); }},
      {"REFUSED", 9,
       [](const Json& r) {
         return std::to_string(count_at(r, "refused_sent") + count_at(r, "refused_received"));
       }},
  };
  return table_of(list, columns);
}

}  // namespace

std::string resource_words(const Json& resource) {
  std::string words = text_at(resource, "name") + ' ' + or_dash(text_at(resource, "state"));
  if (const std::string version = text_at(resource, "version"); !version.empty()) {
    words += ", has version " + version.substr(0, 12);
  }
  const std::string reason = text_at(resource, "reason");
  return reason.empty() ? words : words + ": " + reason;
}

std::string config_words(const Json& config) {
  const std::string applied = text_at(config, "applied"), wished = text_at(config, "wished");
  if (applied == wished && text_at(config, "state") != "FAILED") return {};
  const std::string reason = text_at(config, "reason");
  const std::string said = "version " + wished + ' ' + or_dash(text_at(config, "state")) +
                           (reason.empty() ? "" : ": " + reason);
  if (applied == wished) return said;
  return said + "; " + (count_at(config, "applied") == 0 ? "none" : "version " + applied) +
         " is in force";
}

std::string state_words(const Json& instance) {
  std::string words = or_dash(text_at(instance, "state"));
  const std::string cause = text_at(instance, "cause");
  if (!cause.empty()) {
    words += ": " + cause;
  } else if (words == "RUNNING") {
    words += ", " + health_word(instance);
    const std::string why = text_at(instance, "health.cause");
    if (!why.empty()) words += ": " + why;
  }
  if (const std::string retry = time_text(instance, "retry"); retry.size() == 19) {
    words += "; again at " + retry.substr(11);
  }
  return words;
}

std::string instances_text(const Json& report) {
  const Json& rows = list_at(report, "instances");
  if (rows.empty()) return "No instruments; 'beaconry instrument install FILE' adds one.\n";
  const std::vector<Column> columns = {
      {"NAME", 17, [](const Json& r) { return text_at(r, "name"); }},
      {"VERSION", 10, [](const Json& r) { return text_at(r, "version"); }},
      {"STATE", 11, [](const Json& r) { return text_at(r, "state"); }},
      {"HEALTH", 10, health_word},
      {"NOTE", 29, note},
  };
  return table_of(rows, columns);
}

std::string health_text(const Json& health, bool all) {
  std::string text;
  add_health(text, health, all);
  return text.empty() ? "Nothing is known of its health yet.\n" : text;
}

std::string instance_text(const Json& instance) {
  std::string text = text_at(instance, "name") + ' ' + text_at(instance, "version") + '\n';
  line(text, "state", state_words(instance));
  line(text, "since", time_text(instance, "since"));
  line(text, "starts",
       text_at(instance, "starts") + " (" + or_dash(text_at(instance, "failures")) +
           " failures in a row)");
  line(text, "image", text_at(instance, "image").substr(0, 12));
  if (text_at(instance, "image") != text_at(instance, "wished_image")) {
    line(text, "wished image", text_at(instance, "wished_image").substr(0, 12));
  }
  if (const Json& more = list_at(instance, "wants_approval"); !more.empty()) {
    line(text, "wants to",
         joined(more, "; ") + " ('beaconry instrument approve " + text_at(instance, "name") +
             "' allows it)");
  }
  if (const std::string update = text_at(instance, "update.state");
      !update.empty() && update != "NONE") {
    std::string words = update + ' ' + text_at(instance, "update.what");
    const std::string reason = text_at(instance, "update.reason");
    if (!reason.empty()) words += ": " + reason;
    line(text, "update", words);
  }
  for (const Json& each : list_at(instance, "resources"))
    line(text, "resource", resource_words(each));
  if (const std::string config = text_at(instance, "config.state"); !config.empty()) {
    std::string words = config + ", version " + text_at(instance, "config.applied");
    if (text_at(instance, "config.applied") != text_at(instance, "config.wished")) {
      words += " (wished " + text_at(instance, "config.wished") + ")";
    }
    const std::string reason = text_at(instance, "config.reason");
    if (!reason.empty()) words += ": " + reason;
    line(text, "config", words);
  }
  line(text, "persistent", storage_text(instance, "persistent"));
  line(text, "transient", storage_text(instance, "transient"));
  if (const std::string answered = time_text(instance, "retention.answered"); !answered.empty()) {
    line(text, "retention",
         "all before " + time_text(instance, "retention.before") + " is gone (" +
             text_at(instance, "retention.items") + " items, " +
             bytes_at(instance, "retention.bytes") + ", told " + answered + ")");
  }
  if (instance.contains("retention") && instance["retention"].is_object() &&
      instance["retention"].value("overdue", false)) {
    line(text, "overdue",
         "it has not answered the command to delete; " + text_at(instance, "retention.error"));
  }
  line(text, "events",
       or_dash(text_at(instance, "events.stored")) + " stored, " +
           or_dash(text_at(instance, "events.duplicates")) + " repeated, " +
           or_dash(text_at(instance, "events.refused")) + " refused, " +
           or_dash(text_at(instance, "events.malformed")) + " malformed");
  if (count_at(instance, "memory") > 0) {
    line(text, "memory",
         bytes_at(instance, "memory") + ", " + text_at(instance, "processes") + " processes");
  }
  if (const Json& interfaces = list_at(instance, "interfaces"); !interfaces.empty()) {
    text += '\n' + interfaces_text(interfaces);
    for (const Json& each : interfaces) {
      const std::string cause = text_at(each, "cause");
      if (cause.empty()) continue;
      line(text, text_at(each, "name"),
           cause + ": " + text_at(each, "evidence") + "; " + text_at(each, "fix"));
    }
  }
  if (instance.contains("health")) text += "\nHealth\n" + health_text(instance["health"], false);
  if (const std::string log = text_at(instance, "last_log"); !log.empty()) {
    text += "\nIts last lines\n";
    const Json& raw = instance["last_log"];
    const std::string lines = raw.is_string() ? raw.get<std::string>() : std::string();
    for (const auto each : split(lines, '\n'))
      if (!each.empty()) text += "  " + terminal_safe(each) + '\n';
  }
  return text;
}

namespace {

// What is heard of the server's wishes: docs/formats/sensor-state.md.
void add_fleet(std::string& text, const Json& report) {
  const std::string server = text_at(report, "fleet.server");
  if (server.empty() && count_at(report, "fleet.version") == 0) return;
  std::string words = or_dash(server);
  if (text_at(report, "fleet.key").empty()) {
    words += ": it cannot manage this sensor until that joins it again";
  } else {
    words += report["fleet"].value("connected", false) ? ", connected" : ", not connected";
    const std::string why = text_at(report, "fleet.error");
    if (!why.empty()) words += ": " + why;
  }
  const std::string heard = time_text(report, "fleet.heard");
  words += heard.empty() ? "; not heard yet" : "; last heard " + heard;
  line(text, "fleet", words);
  const std::uint64_t version = count_at(report, "fleet.version");
  line(text, "document",
       version == 0 ? "none yet"
                    : "version " + std::to_string(version) + ", taken " +
                          or_dash(time_text(report, "fleet.taken")));
  std::string refused;
  const auto fleet = report.find("fleet");
  if (fleet != report.end() && fleet->contains("refused") && (*fleet)["refused"].is_object()) {
    for (const auto& [reason, count] : (*fleet)["refused"].items())
      refused += (refused.empty() ? "" : ", ") + count.dump() + " " + terminal_safe(reason);
  }
  const std::string why = text_at(report, "fleet.refusal");
  line(text, "refused", why.empty() ? refused : refused + "; the last: " + why);
}

}  // namespace

std::string sensor_text(const Json& report, bool all) {
  std::string text = "Sensor " + text_at(report, "name") + '\n';
  line(text, "version", text_at(report, "version"));
  line(text, "started", time_text(report, "started"));
  const std::string fault = text_at(report, "runtime_fault");
  line(text, "runtime", fault.empty() ? or_dash(text_at(report, "runtime")) : "away: " + fault);
  const std::string bus = text_at(report, "bus_fault");
  line(text, "bus",
       bus.empty() ? "up, started again " + or_dash(text_at(report, "bus_restarts")) + " times"
                   : "away: " + bus);
  if (count_at(report, "pool.total") > 0) {
    std::string pool = bytes_at(report, "pool.used") + " of " + bytes_at(report, "pool.total");
    const auto days = report.find("days_to_full");
    if (days != report.end() && days->is_number()) {
      pool += ", full in " + std::to_string(count_at(report, "days_to_full")) + " days";
    }
    line(text, "pool", pool);
  }
  const std::string server = text_at(report, "uplink.server");
  std::string uplink = "no server; 'beaconry-sensor join' names one";
  if (!server.empty()) {
    const auto state = report.find("uplink");
    uplink = server + (state->value("connected", false) ? ", connected" : ", not connected");
    const std::string why = text_at(report, "uplink.error");
    if (!why.empty()) uplink += ": " + why;
  }
  uplink += "; " + or_dash(text_at(report, "uplink.waiting")) + " batches wait";
  if (count_at(report, "uplink.dropped") > 0) {
    uplink += ", " + text_at(report, "uplink.dropped") + " were dropped";
  }
  line(text, "uplink", uplink);
  add_fleet(text, report);
  line(text, "management", management_text(report));
  line(text, "desired", "version " + or_dash(text_at(report, "desired_version")));
  for (const Json& problem : list_at(report, "problems"))
    line(text, "problem", problem.is_string() ? terminal_safe(problem.get<std::string>()) : "");
  if (report.contains("health")) text += "\nHealth\n" + health_text(report["health"], all);
  return text + '\n' + instances_text(report);
}

std::string sensor_events_text(const Json& events) {
  const Json& list = list_at(events, "events");
  if (list.empty()) return "No events.\n";
  constexpr std::size_t kLeast = 13, kMost = 28;
  std::size_t width = kLeast;
  for (const Json& each : list)
    width = std::min(std::max(width, display_width(text_at(each, "instance"))), kMost);
  std::string text;
  for (auto at = list.rbegin(); at != list.rend(); ++at) {
    const std::string instance = text_at(*at, "instance");
    const std::string head = time_text(*at, "timestamp") + "  " +
                             pad_right(instance.empty() ? "sensor" : instance, width) + ' ' +
                             text_at(*at, "type");
    text += head + '\n';
    const std::string words = text_at(*at, "message");
    if (!words.empty()) text += std::string(21, ' ') + wrap(words, kWidth - 2, 21) + '\n';
  }
  return text;
}

std::string origin_text(const Json& answer) {
  const auto origin = answer.find("origin");
  if (origin == answer.end() || !origin->is_object() || origin->empty())
    return "Nothing is wished of this sensor.\n";
  std::size_t width = 0;
  for (const auto& [pointer, layer] : origin->items())
    width = std::min<std::size_t>(std::max(width, display_width(terminal_safe(pointer))), 60);
  std::string text;
  for (const auto& [pointer, layer] : origin->items())
    text += pad_right(terminal_safe(pointer), width) + "  " +
            terminal_safe(layer.is_string() ? layer.get<std::string>() : layer.dump()) + '\n';
  return text;
}

std::string document_versions_text(const Json& answer) {
  Json rows = list_at(answer, "versions");
  std::sort(rows.begin(), rows.end(), [](const Json& a, const Json& b) {
    return count_at(a, "version") > count_at(b, "version");
  });
  if (rows.empty()) return "No versions.\n";
  const std::vector<Column> columns = {
      {"VERSION", 9, [](const Json& r) { return text_at(r, "version"); }},
      {"TIME", 21, [](const Json& r) { return time_text(r, "time"); }},
      {"WHO", 18, [](const Json& r) { return text_at(r, "who"); }},
      {"HOW", 18, [](const Json& r) { return text_at(r, "how"); }},
  };
  return table_of(rows, columns);
}

}  // namespace beaconry
