#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "hunt/output/terminal.h"
#include "server/fleet_views.h"
#include "server/words.h"

namespace beaconry {
namespace {

// "3 done, 2 changing, 9 waiting", the troubling ones first.
std::string turns_text(const Json& rollout) {
  constexpr std::array<const char*, 7> kStages = {"failed",  "returning", "returned", "changing",
                                                  "waiting", "done",      "gone"};
  const auto counts = rollout.find("counts");
  if (counts == rollout.end()) return {};
  std::string text;
  for (const char* stage : kStages) {
    if (const auto count = count_at(*counts, stage); count > 0) {
      text += (text.empty() ? "" : ", ") + with_thousands(count) + ' ' + stage;
    }
  }
  return text;
}

std::string seconds_words(const Json& json, const char* path) {
  const double seconds = std::clamp(number_at(json, path), 0.0, 1e9);
  return to_words(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

std::string plan_text(const Json& rollout) {
  const auto plan = rollout.find("plan");
  if (plan == rollout.end() || !plan->is_object()) return {};
  const std::uint64_t canaries = count_at(*plan, "canary"),
                      failures = count_at(*plan, "max_failures");
  return (canaries == 0 ? "no canary, "
                        : counted(canaries, "canary", "canaries") + " first, then ") +
         text_at(*plan, "max_parallel") + " at once; each to be healthy for " +
         seconds_words(*plan, "min_healthy_time") + " within " +
         seconds_words(*plan, "healthy_deadline") + "; " +
         (failures == 0 ? "any failure" : "more than " + counted(failures, "failure", "failures")) +
         " stops it" +
         (text_at(*plan, "auto_revert") == "true" ? " and takes it back" : "; who failed keeps it");
}

// What a person may do about the phase that it is in.
std::string remedy(const Json& rollout) {
  const std::string phase = text_at(rollout, "phase"), command = "`beaconry fleet rollout ",
                    id = text_at(rollout, "id");
  if (phase == "approval") {
    return command + "approve " + id + "` lets it go on, " + command + "abort " + id +
           "` takes it back";
  }
  if (phase == "paused") {
    return command + "resume " + id + "` lets it go on, " + command + "abort " + id +
           "` takes it back";
  }
  return {};
}

// Those that a person asks for first.
int order_of(const std::string& stage) {
  constexpr std::array<const char*, 7> kOrder = {"failed",  "changing", "returning", "returned",
                                                 "waiting", "gone",     "done"};
  const auto found = std::find(kOrder.begin(), kOrder.end(), stage);
  return static_cast<int>(found - kOrder.begin());
}

std::string lines_of(const Json& list, const char* before) {
  std::string text;
  for (const Json& each : list) {
    text += before +
            wrap(terminal_safe(each.is_string() ? each.get<std::string>() : each.dump()), 78, 4) +
            '\n';
  }
  return text;
}

}  // namespace

bool has_rollout_ended(const Json& rollout) {
  const std::string phase = text_at(rollout, "phase");
  return phase == "done" || phase == "reverted" || phase == "aborted";
}

std::string fleet_rollout_line(const Json& rollout) {
  const std::string words = text_at(rollout, "words"), turns = turns_text(rollout);
  return text_at(rollout, "target") + "  " + text_at(rollout, "phase") +
         (turns.empty() ? "" : ": " + turns) + (words.empty() ? "" : " (" + words + ")");
}

Result<std::string> fleet_rollouts_text(std::string_view text, Timestamp now) {
  return from(text, [&](const Json& json) {
    Json rows = list_at(json, "rollouts");
    if (rows.empty()) return std::string("No rollouts.\n");
    for (Json& row : rows) {
      if (!row.is_object()) row = Json::object();
      row["age"] = age_of(row, "started", now);
      row["turns"] = turns_text(row);
    }
    const std::vector<Column> columns = {
        {"ID", 6, [](const Json& r) { return text_at(r, "id"); }},
        {"TARGET", 18, [](const Json& r) { return text_at(r, "target"); }},
        {"PHASE", 11, [](const Json& r) { return text_at(r, "phase"); }},
        {"BEGUN", 9, [](const Json& r) { return text_at(r, "age"); }},
        {"BY", 12, [](const Json& r) { return text_at(r, "who"); }},
        {"SENSORS", 30, [](const Json& r) { return text_at(r, "turns"); }},
        {"WHY", 5, [](const Json& r) { return text_at(r, "words"); }},
    };
    return table_of(rows, columns);
  });
}

std::string fleet_rollout_text(const Json& rollout, Timestamp now) {
  std::string text;
  if (text_at(rollout, "dry_run") == "true") {
    text = "It would go to " + text_at(rollout, "target") +
           (text_at(rollout, "phase") == "approval" ? ", once somebody has approved it\n" : "\n");
  } else {
    text = "Rollout " + text_at(rollout, "id") + " to " + text_at(rollout, "target") + ": " +
           text_at(rollout, "phase");
    const std::string since = since_text(rollout, "since", now);
    text += (since.empty() ? "" : " since " + since) + '\n' +
            field_line("why", text_at(rollout, "words")) + field_line("do", remedy(rollout)) +
            field_line("begun",
                       short_time(text_at(rollout, "started")) + " by " + text_at(rollout, "who"));
  }
  text += field_line("plan", plan_text(rollout));
  text += field_line("sensors", text_at(rollout, "total") + ": " + turns_text(rollout));
  if (const Json& widened = list_at(rollout, "widened"); !widened.empty()) {
    text += "\nIt may do more than before\n" + lines_of(widened, "  ");
  }
  if (const Json& changes = list_at(rollout, "changes"); !changes.empty()) {
    text += "\nWhat changes\n" + lines_of(changes, "  ");
  }
  Json turns = list_at(rollout, "turns");
  if (turns.empty()) return text;
  for (Json& turn : turns) {
    if (!turn.is_object()) turn = Json::object();
    turn["age"] = age_of(turn, "since", now);
  }
  std::stable_sort(turns.begin(), turns.end(), [](const Json& a, const Json& b) {
    return order_of(text_at(a, "stage")) < order_of(text_at(b, "stage"));
  });
  const std::vector<Column> columns = {
      {"SENSOR", 20, [](const Json& r) { return text_at(r, "sensor"); }},
      {"STAGE", 11, [](const Json& r) { return text_at(r, "stage"); }},
      {"SINCE", 9, [](const Json& r) { return text_at(r, "age"); }},
      {"WHY", 5, [](const Json& r) { return text_at(r, "words"); }},
  };
  return text + '\n' + table_of(turns, columns);
}

}  // namespace beaconry
