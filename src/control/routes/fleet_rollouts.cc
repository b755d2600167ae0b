#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/document_history.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/fleet_json.h"
#include "control/route.h"
#include "control/widening.h"
#include "fleet/document_text.h"
#include "fleet/image_store.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using Stage = Rollout::Stage;

constexpr Stage kStages[] = {Stage::waiting,   Stage::changing, Stage::done, Stage::failed,
                             Stage::returning, Stage::returned, Stage::gone};
constexpr std::size_t kMostBody = kLongestFleetDocument + 4096;
constexpr std::string_view kSensor = "sensor:";

std::string name_of(const Fleet& fleet, const std::string& fingerprint) {
  const Fleet::Found sensor = fleet.find(fingerprint);
  return sensor ? sensor->name : fingerprint;
}

std::string shown_target(const Fleet& fleet, const std::string& target) {
  if (!target.starts_with(kSensor)) return target;
  return std::string(kSensor) + name_of(fleet, target.substr(kSensor.size()));
}

// People know sensors by their names, the rollout by the beginnings of their keys.
std::string shown_words(const Fleet& fleet, std::string words) {
  constexpr std::string_view kFirst = "the first of them ";
  constexpr std::size_t kShownKey = 16;
  const std::size_t found = words.find(kFirst);
  if (found == std::string::npos) return words;
  const std::size_t at = found + kFirst.size();
  const std::string key = words.substr(at, kShownKey);
  for (const Fleet::Found& sensor : fleet.sensors()) {
    if (sensor->fingerprint.starts_with(key)) return words.replace(at, key.size(), sensor->name);
  }
  return words;
}

void write_summary(JsonWriter& json, const Fleet& fleet, const FleetRollouts::Summary& rollout) {
  json.whole("id", rollout.id);
  json.text("target", shown_target(fleet, rollout.target));
  json.plain("phase", to_string(rollout.phase));
  json.text("words", shown_words(fleet, rollout.words));
  json.plain("since", to_rfc3339(rollout.since));
  json.plain("started", to_rfc3339(rollout.started));
  json.text("who", rollout.who);
  json.whole("total", rollout.total);
  json.begin("counts");
  for (const Stage stage : kStages)
    json.whole(to_string(stage), rollout.count(stage));
  json.end();
  write_texts(json, "widened", rollout.widened);
}

void write_plan(JsonWriter& json, const RolloutPlan& plan) {
  const auto seconds = [](Duration time) {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(time).count());
  };
  json.begin("plan");
  json.whole("canary", plan.canary);
  json.whole("max_parallel", plan.max_parallel);
  json.whole("max_failures", plan.max_failures);
  json.whole("min_healthy_time", seconds(plan.min_healthy_time));
  json.whole("healthy_deadline", seconds(plan.healthy_deadline));
  json.flag("auto_revert", plan.auto_revert);
  json.end();
}

std::string detail_text(const Fleet& fleet, const FleetRollouts::Detail& detail) {
  const RolloutPlan& plan = detail.rollout.plan();
  return json_text([&](JsonWriter& json) {
    json.begin();
    write_summary(json, fleet, detail.summary);
    write_plan(json, plan);
    json.begin_list("turns");
    for (const std::string& sensor : plan.sensors) {
      const auto turn = detail.rollout.turns().find(sensor);
      if (turn == detail.rollout.turns().end()) continue;
      json.begin();
      json.text("sensor", name_of(fleet, sensor));
      json.plain("stage", to_string(turn->second.stage));
      json.plain("since", to_rfc3339(turn->second.since));
      json.text("words", turn->second.words);
      json.end();
    }
    json.end_list();
    const std::string& before = detail.before.empty() ? "{}" : detail.before;
    write_texts(json, "changes", json_diff(before, detail.after));
    json.end();
  });
}

std::optional<std::uint64_t> id_of(const RouteCall& call) {
  std::uint64_t id = 0;
  const char* const end = call.argument.data() + call.argument.size();
  const auto read = std::from_chars(call.argument.data(), end, id);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return id;
}

HttpResponse no_such_rollout() {
  return error_answer(404, "there is no rollout of this number");
}

HttpResponse shown(Control& control, std::uint64_t id, int status = 200) {
  const auto detail = control.fleet().rollouts().show(id);
  if (!detail) return error_answer(detail.error());
  return json_answer(detail_text(control.fleet(), *detail), status);
}

HttpResponse list(Control& control, const RouteCall&) {
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.begin_list("rollouts");
    for (const FleetRollouts::Summary& each : control.fleet().rollouts().list()) {
      json.begin();
      write_summary(json, control.fleet(), each);
      json.end();
    }
    json.end_list();
    json.end();
  }));
}

HttpResponse show(Control& control, const RouteCall& call) {
  const auto id = id_of(call);
  return id ? shown(control, *id) : no_such_rollout();
}

struct Wanted {
  Fleet::Edit edit;
  RolloutPlan plan;
};

Result<Wanted> read_wanted(const RouteCall& call) {
  const auto body = parse_object(call.request.body, "the body", kMostBody);
  if (!body) return tl::unexpected<Error>(body.error());
  const auto refuse = [](std::string words) {
    return fail(ErrorKind::usage, "read", "the body", std::move(words));
  };
  Wanted wanted;
  wanted.edit.who = call.who;
  for (const auto& [key, value] : body->items()) {
    const auto count = [&, &value = value](std::size_t& into) {
      if (value.is_number_unsigned()) into = value.get<std::size_t>();
      return value.is_number_unsigned();
    };
    const auto length = [&, &value = value](Duration& into) {
      constexpr double kLongest = 3600.0 * 24 * 365;
      if (!value.is_number() || value.get<double>() < 0 || value.get<double>() > kLongest)
        return false;
      into = Duration{std::llround(value.get<double>() * 1e6)};
      return true;
    };
    bool right = true;
    if (key == "target") {
      right = value.is_string();
      if (right) wanted.edit.target = value.get<std::string>();
    } else if (key == "document" || key == "patch") {
      right = value.is_object() && wanted.edit.document.empty();
      wanted.edit.document = text_of(value);
      wanted.edit.is_patch = key == "patch";
    } else if (key == "expected_version") {
      std::size_t version = 0;
      right = count(version);
      wanted.edit.expected = version;
    } else if (key == "dry_run" || key == "auto_revert") {
      right = value.is_boolean();
      if (right) (key == "dry_run" ? wanted.edit.dry_run : wanted.plan.auto_revert) = value;
    } else if (key == "canary") {
      right = count(wanted.plan.canary);
    } else if (key == "max_parallel") {
      right = count(wanted.plan.max_parallel);
    } else if (key == "max_failures") {
      right = count(wanted.plan.max_failures);
    } else if (key == "min_healthy_time") {
      right = length(wanted.plan.min_healthy_time);
    } else if (key == "healthy_deadline") {
      right = length(wanted.plan.healthy_deadline);
    } else {
      return refuse('\'' + terminal_safe(key) +
                    "' is none of target, document, patch, expected_version, canary, "
                    "max_parallel, max_failures, min_healthy_time, healthy_deadline, auto_revert, "
                    "dry_run");
    }
    if (!right) return refuse('\'' + key + "' is of another type, or given twice");
  }
  if (wanted.edit.target.empty() || wanted.edit.document.empty())
    return refuse("'target' and 'document' or 'patch' are required");
  return wanted;
}

// What would be: nothing is kept of it.
HttpResponse trial_answer(Control& control, const Wanted& wanted, const Fleet::Edited& edited,
                          const std::vector<std::string>& widened) {
  const Timestamp now = control.now();
  FleetRollouts::Summary summary;
  summary.target = wanted.edit.target;
  summary.who = wanted.edit.who;
  summary.started = summary.since = now;
  summary.phase = widened.empty() ? Rollout::Phase::running : Rollout::Phase::approval;
  summary.total = summary.counts[0] = edited.sensors;
  summary.widened = widened;
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_summary(json, control.fleet(), summary);
    write_plan(json, wanted.plan);
    json.begin_list("turns");
    json.end_list();
    write_texts(json, "changes", json_diff(edited.before, edited.after));
    json.flag("dry_run", true);
    json.end();
  }));
}

HttpResponse start(Control& control, const RouteCall& call) {
  auto wanted = read_wanted(call);
  if (!wanted) return error_answer(wanted.error());
  Fleet& fleet = control.fleet();
  Fleet::Edit trial = wanted->edit;
  trial.dry_run = true;
  const auto edited = fleet.edit(trial, control.now());
  if (!edited) return error_answer(edited.error());
  auto widened = widened_by(fleet, control.images(), wanted->edit.target, edited->after);
  if (!widened) return error_answer(widened.error());
  if (auto right = wanted->plan.check(); !right) return error_answer(right.error());
  call.note.object = wanted->edit.target;
  if (wanted->edit.dry_run) {
    call.note.object += " (a trial)";
    return trial_answer(control, *wanted, *edited, *widened);
  }
  wanted->plan.widened = std::move(*widened);
  // What was looked at is what goes out, whatever others do meanwhile.
  wanted->edit.document = edited->after;
  wanted->edit.is_patch = false;
  wanted->edit.expected = edited->version;
  const auto id = fleet.roll_out(wanted->edit, wanted->plan, control.now());
  if (!id) return error_answer(id.error());
  call.note.object = "rollout " + std::to_string(*id) + " of " + wanted->edit.target;
  call.note.before = edited->before;
  call.note.after = edited->after;
  return shown(control, *id, 201);
}

template <class Order>
HttpResponse order(Control& control, const RouteCall& call, const Order& order) {
  const auto id = id_of(call);
  if (!id) return no_such_rollout();
  const Timestamp now = control.now();
  const auto done = control.fleet().steer(
      [&](FleetRollouts& rollouts) { return order(rollouts, *id, now); }, now);
  if (!done) return error_answer(done.error());
  return shown(control, *id);
}

HttpResponse pause(Control& control, const RouteCall& call) {
  return order(control, call, [&](FleetRollouts& rollouts, std::uint64_t id, Timestamp now) {
    return rollouts.pause(id, std::string(call.who), now);
  });
}

HttpResponse resume(Control& control, const RouteCall& call) {
  return order(control, call, [](FleetRollouts& rollouts, std::uint64_t id, Timestamp now) {
    return rollouts.resume(id, now);
  });
}

HttpResponse abort(Control& control, const RouteCall& call) {
  return order(control, call, [&](FleetRollouts& rollouts, std::uint64_t id, Timestamp now) {
    return rollouts.abort(id, std::string(call.who), now);
  });
}

HttpResponse approve(Control& control, const RouteCall& call) {
  return order(control, call,
               [&](FleetRollouts& rollouts, std::uint64_t id,
                   Timestamp now) -> Result<FleetRollouts::Changed> {
                 const auto detail = rollouts.show(id);
                 if (!detail) return tl::unexpected<Error>(detail.error());
                 call.note.after = text_of(Json(detail->summary.widened));
                 const auto digests =
                     approvals(control.images(), detail->after, detail->summary.widened);
                 if (!digests) return tl::unexpected<Error>(digests.error());
                 return rollouts.approve(id, *digests, now);
               });
}

#define BEACONRY_ROLLOUT                                                                      \
  "{id, target, phase: running|paused|approval|reverting|done|reverted|aborted, words: why, " \
  "since, started, who, total, counts{waiting, changing, done, failed, returning, returned, " \
  "gone}, widened: [words that wait for approval]}"
#define BEACONRY_SHOWN "the rollout as of GET /api/v1/fleet/rollouts/{id}"
#define BEACONRY_ORDERED BEACONRY_SHOWN "; 409 where its phase does not allow it"

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/fleet/rollouts",
        .summary = "Changes that go over sensors one after another, newest first",
        .handle = list,
        .response = "`{rollouts: [" BEACONRY_ROLLOUT "]}`",
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/rollouts/{id}",
        .summary = "One rollout, with the turn of each sensor",
        .handle = show,
        .response = "`" BEACONRY_ROLLOUT "` and `{plan{canary, max_parallel, max_failures, "
                    "min_healthy_time, healthy_deadline, auto_revert}, turns: [{sensor, stage, "
                    "since, words}], changes: [\"pointer: before -> after\"] of the layer}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/rollouts",
        .summary = "Begins one: a layer's next document, for one sensor after the other",
        .role = Role::operator_,
        .handle = start,
        .body = "`{target, document{} or patch{}, expected_version, canary: 1, max_parallel: 1, "
                "max_failures: 0, min_healthy_time: 300, healthy_deadline: 1800, auto_revert: "
                "true, dry_run: false}`; lengths in seconds. docs/formats/fleet.md has the rules",
        .response = BEACONRY_SHOWN ", status 201; of a dry_run what it would be, status 200. 409 "
                                   "where another one of the layer is under way",
        .most_body = kMostBody,
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/rollouts/{id}/pause",
        .summary = "Begins no more turns; those under way end",
        .role = Role::operator_,
        .handle = pause,
        .response = BEACONRY_ORDERED,
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/rollouts/{id}/resume",
        .summary = "Goes on, and forgives what failed so far",
        .role = Role::operator_,
        .handle = resume,
        .response = BEACONRY_ORDERED,
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/rollouts/{id}/abort",
        .summary = "Ends it: who has the change gives it back",
        .role = Role::operator_,
        .handle = abort,
        .response = BEACONRY_ORDERED,
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/rollouts/{id}/approve",
        .summary = "Lets its images do what they may not do yet",
        .role = Role::operator_,
        .handle = approve,
        .response = BEACONRY_ORDERED,
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet_rollouts{"fleet_rollouts", kRoutes};
}
}  // namespace beaconry
