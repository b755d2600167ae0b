#include "server/fleet_views.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "hunt/output/terminal.h"
#include "sensor/views.h"
#include "server/words.h"

namespace beaconry {
namespace {

// A cause that meets the whole fleet is still to fit on a screen.
constexpr std::size_t kMostNames = 12;

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

bool flag_at(const Json& json, const char* path) {
  return text_at(json, path) == "true";
}

std::string cause_text(const Json& cause, Timestamp now) {
  const Json& sensors = list_at(cause, "sensors");
  std::string words = text_at(cause, "words");
  if (words.empty()) {
    words = text_at(cause, "cause") + ": " + counted(sensors.size(), "sensor", "sensors");
  }
  std::string text = "  " + wrap(words, 78, 2) + '\n';
  const auto add = [&](const char* name, const std::string& value) {
    text += field_line(std::string("  ") + name, value, 13);
  };
  add("since", since_text(cause, "since", now));
  add("evidence", text_at(cause, "evidence"));
  add("fix", text_at(cause, "fix"));
  if (sensors.size() > 1) add("sensors", names_text(sensors, kMostNames));
  if (const auto count = count_at(cause, "instances"); count > 0) {
    add("meets", counted(count, "instrument", "instruments"));
  }
  return text;
}

// "12 healthy, 1 offline"; what there is none of is not told.
std::string counts_text(const Json& counts) {
  std::string text;
  if (!counts.is_object()) return text;
  for (const auto& [name, value] : counts.items()) {
    if (!value.is_number() || value.get<double>() <= 0) continue;
    text += (text.empty() ? "" : ", ") + with_thousands(value.get<std::uint64_t>()) + ' ' +
            terminal_safe(name);
  }
  return text;
}

Json member_or_empty(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() ? Json() : *found;
}

// In the order in which somebody asks for them.
std::string states_text(const Json& json) {
  constexpr std::array<const char*, 5> kStates = {"unhealthy", "offline", "updating", "healthy",
                                                  "inactive"};
  const Json states = member_or_empty(json, "states");
  std::string text;
  for (const char* state : kStates) {
    if (const auto count = count_at(states, state); count > 0) {
      text += (text.empty() ? "" : ", ") + with_thousands(count) + ' ' + state;
    }
  }
  return text;
}

std::string skew_text(const Json& sensor) {
  if (text_at(sensor, "clock_skew").empty()) return {};
  const double skew = number_at(sensor, "clock_skew");
  const auto length = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::clamp(skew < 0 ? -skew : skew, 0.0, 1e9)));
  if (length < std::chrono::seconds{2}) return "right to 2 s";
  return to_words(length) + (skew < 0 ? " behind the server's" : " ahead of the server's");
}

std::string conflict_text(const Json& conflict, Timestamp now) {
  if (!conflict.is_object()) return {};
  std::string text =
      field_line("CONFLICT",
                 "two systems live with one key, mostly a cloned disk; `beaconry fleet "
                 "revoke` this one, and let each of them join with its own");
  text += field_line("  since", since_text(conflict, "since", now)) +
          field_line("  last", since_text(conflict, "last", now));
  for (const char* name : {"addresses", "machines", "boots"})
    text += field_line(std::string("  ") + name, names_text(list_at(conflict, name), 4));
  return text;
}

// The reported state, whether it comes with its envelope or without.
Json reported_of(const Json& sensor) {
  const Json reported = member_or_empty(sensor, "reported");
  if (!reported.is_object()) return {};
  const auto inner = reported.find("reported");
  return inner != reported.end() && inner->is_object() ? *inner : reported;
}

std::string drift_lines(const Json& sensor, const char* before) {
  std::string text;
  for (const Json& each : list_at(sensor, "drift"))
    text += before + terminal_safe(each.is_string() ? each.get<std::string>() : each.dump()) + '\n';
  return text;
}

std::string version_words(const Json& sensor) {
  const std::string desired = text_at(sensor, "desired_version"),
                    reported = text_at(sensor, "reported_version");
  if (desired.empty() || desired == "0") return "none yet; `beaconry fleet apply` makes one";
  if (desired == reported) return "version " + desired + ", which it follows";
  return "version " + desired + "; it follows " +
         (reported.empty() || reported == "0" ? "none yet" : "version " + reported);
}

}  // namespace

Result<std::string> fleet_text(std::string_view text, Timestamp now) {
  return from(text, [&](const Json& json) {
    const std::uint64_t sensors = count_at(json, "sensors");
    if (sensors == 0) {
      return std::string("No sensor has joined; `beaconry enroll sensor NAME` prints how.\n");
    }
    std::string out;
    for (const Json& cause : list_at(json, "causes"))
      out += cause_text(cause, now) + '\n';
    if (out.empty()) out = "  No sensor tells of a fault.\n\n";
    out += field_line("sensors", with_thousands(sensors) + ": " + states_text(json));
    if (const auto late = count_at(json, "late"); late > 0) {
      out += field_line("late", counted(late, "sensor", "sensors") + ", not heard of for 90 s");
    }
    if (const auto conflicts = count_at(json, "conflicts"); conflicts > 0) {
      out += field_line("conflicts", counted(conflicts, "key is", "keys are") +
                                         " used by two systems; `beaconry fleet sensors`");
    }
    if (const auto drift = count_at(json, "drift"); drift > 0) {
      out += field_line("drift", counted(drift, "sensor is", "sensors are") +
                                     " not as wished; `beaconry fleet diff`");
    }
    const std::uint64_t instances = count_at(json, "instances.total");
    std::string states =
        counts_text(member_or_empty(member_or_empty(json, "instances"), "by_state"));
    out += field_line("instruments",
                      with_thousands(instances) + (states.empty() ? "" : ": " + states));
    if (const std::string rollouts = counts_text(member_or_empty(json, "rollouts"));
        !rollouts.empty()) {
      out += field_line("rollouts", rollouts + "; `beaconry fleet rollout list`");
    }
    return out;
  });
}

Result<std::string> fleet_sensors_text(std::string_view text, Timestamp now) {
  return from(text, [&](const Json& json) {
    Json rows = list_at(json, "sensors");
    if (rows.empty()) return std::string("No sensors.\n");
    for (Json& row : rows) {
      if (!row.is_object()) row = Json::object();
      row["age"] = age_of(row, "since", now);
      row["last"] = age_of(row, "heard", now);
    }
    const std::vector<Column> columns = {
        {"NAME", 18, [](const Json& r) { return text_at(r, "name"); }},
        {"STATE", 11,
         [](const Json& r) {
           return flag_at(r, "conflict") ? std::string("CONFLICT") : text_at(r, "state");
         }},
        {"SINCE", 9, [](const Json& r) { return text_at(r, "age"); }},
        {"HEARD", 9,
         [](const Json& r) { return text_at(r, "last") + (flag_at(r, "late") ? " late" : ""); }},
        {"INSTR", 7, [](const Json& r) { return text_at(r, "instances"); }},
        {"UNWELL", 8,
         [](const Json& r) {
           return count_at(r, "unwell") == 0 ? std::string() : text_at(r, "unwell");
         }},
        {"DRIFT", 7,
         [](const Json& r) {
           return count_at(r, "drift") == 0 ? std::string() : text_at(r, "drift");
         }},
        {"WHY", 5, [](const Json& r) { return text_at(r, "why"); }},
    };
    std::string out = table_of(rows, columns);
    const std::uint64_t total = count_at(json, "total");
    if (total > rows.size()) {
      out += "\n  " + with_thousands(rows.size()) + " of " + with_thousands(total) +
             " are shown; --limit shows more\n";
    }
    return out;
  });
}

Result<std::string> fleet_sensors_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "sensors"), {{"name", "name"},
                                             {"fingerprint", "fingerprint"},
                                             {"state", "state"},
                                             {"since", "since"},
                                             {"why", "why"},
                                             {"late", "late"},
                                             {"heard", "heard"},
                                             {"version", "version"},
                                             {"address", "address"},
                                             {"clock_skew", "clock_skew"},
                                             {"desired_version", "desired_version"},
                                             {"reported_version", "reported_version"},
                                             {"drift", "drift"},
                                             {"conflict", "conflict"},
                                             {"instances", "instances"},
                                             {"unwell", "unwell"},
                                             {"labels", "labels"}});
  });
}

std::string fleet_sensor_text(const Json& sensor, Timestamp now, bool all_health) {
  std::string text = text_at(sensor, "name") + ": " + or_dash(text_at(sensor, "state"));
  if (const std::string since = since_text(sensor, "since", now); !since.empty()) {
    text += " since " + since;
  }
  text += '\n';
  const std::string heard = since_text(sensor, "heard", now);
  text += field_line("why", text_at(sensor, "why"));
  text += conflict_text(member_or_empty(sensor, "conflict"), now);
  text += field_line("heard",
                     heard.empty() ? "never" : heard + (flag_at(sensor, "late") ? ", late" : ""));
  text += field_line("address", text_at(sensor, "address"));
  text += field_line("labels", labels_text(member_or_empty(sensor, "labels")));
  text += field_line("groups", names_text(list_at(sensor, "groups"), kMostNames));
  text += field_line("wish", version_words(sensor));
  text += field_line("rollouts", names_text(list_at(sensor, "rollouts"), kMostNames));
  text += field_line("version", text_at(sensor, "version"));
  text += field_line("clock", skew_text(sensor));
  text += field_line("enrolled", since_text(sensor, "enrolled", now));
  text += field_line("fingerprint", text_at(sensor, "fingerprint"));
  if (const Json& causes = list_at(sensor, "causes"); !causes.empty()) {
    text += "\nWhat is wrong\n";
    for (const Json& cause : causes) {
      const std::string subject = text_at(cause, "subject");
      text += "  " +
              wrap((subject.empty() ? "" : subject + ": ") + text_at(cause, "cause"), 78, 2) +
              '\n' + field_line("  evidence", text_at(cause, "evidence"), 13) +
              field_line("  fix", text_at(cause, "fix"), 13);
    }
  }
  if (const std::string drift = drift_lines(sensor, "  "); !drift.empty()) {
    text += "\nNot as wished (wished -> is)\n" + drift;
  }
  const Json reported = reported_of(sensor);
  if (reported.is_object()) {
    const std::string age = age_of(sensor, "heard", now);
    text += "\nAs it told" + (age.empty() ? "" : ' ' + age + " ago") + '\n' +
            sensor_text(reported, all_health);
  } else {
    text += "\nIt has not told how it is.\n";
  }
  return text;
}

std::string fleet_origin_text(const Json& sensor) {
  const Json desired = member_or_empty(sensor, "desired"),
             origin = member_or_empty(sensor, "origin");
  if (!origin.is_object() || origin.empty()) return "Nothing is wished of it.\n";
  std::string text;
  for (const auto& [pointer, layer] : origin.items()) {
    std::string value = "-";
    try {
      value = desired.at(Json::json_pointer(pointer)).dump();
    } catch (const Json::exception&) {
      // A pointer that leads nowhere is shown for what it is.
    }
    text += terminal_safe(pointer) + ": " + terminal_safe(value) + "    # " +
            terminal_safe(layer.is_string() ? layer.get<std::string>() : layer.dump()) + '\n';
  }
  return text;
}

std::string fleet_drift_text(const Json& sensors) {
  std::string text;
  for (const Json& sensor : sensors) {
    const std::string lines = drift_lines(sensor, "  ");
    if (lines.empty()) continue;
    text += text_at(sensor, "name") + " (" + or_dash(text_at(sensor, "state")) + ")\n" + lines;
  }
  return text.empty() ? "Every sensor is as wished.\n" : text;
}

}  // namespace beaconry
