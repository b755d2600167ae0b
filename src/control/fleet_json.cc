#include "control/fleet_json.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "control/answer.h"
#include "fleet/drift.h"

namespace beaconry {
namespace {

void write_time(JsonWriter& json, std::string_view name, const std::optional<Timestamp>& time) {
  json.name(name);
  time ? json.plain(to_rfc3339(*time)) : json.null();
}

void write_list(JsonWriter& json, const std::vector<std::string>& texts) {
  json.begin_list();
  for (const std::string& text : texts)
    json.text(text);
  json.end_list();
}

void write_conflict(JsonWriter& json, const std::optional<SensorIdentity::Conflict>& conflict) {
  json.name("conflict");
  if (!conflict) return json.null();
  json.begin();
  json.plain("since", to_rfc3339(conflict->since));
  json.plain("last", to_rfc3339(conflict->last));
  write_texts(json, "boots", {conflict->boots[0], conflict->boots[1]});
  write_texts(json, "machines", {conflict->machines[0], conflict->machines[1]});
  write_texts(json, "addresses", {conflict->addresses[0], conflict->addresses[1]});
  json.end();
}

void write_effect(JsonWriter& json, const Fleet::Effect& effect) {
  json.whole("sensors", effect.sensors);
  json.begin("changed");
  for (const auto& [name, lines] : effect.changed) {
    json.key(name);
    write_list(json, lines);
  }
  json.end();
  write_texts(json, "lost", effect.lost);
}

// What a list's row and a sensor's own page have alike.
void write_row(JsonWriter& json, const Fleet& fleet, const FleetStore::Sensor& sensor,
               const SensorStanding& standing) {
  json.text("name", sensor.name);
  json.text("fingerprint", sensor.fingerprint);
  json.plain("state", state_word(standing.state));
  json.plain("since", to_rfc3339(standing.since));
  json.text("why", standing.why);
  json.flag("late", standing.late);
  json.begin("labels");
  for (const auto& [key, value] : sensor.labels) {
    json.key(key);
    json.text(value);
  }
  json.end();
  json.text_or_null("version", sensor.version);
  json.text_or_null("address", sensor.address);
  json.name("clock_skew");
  sensor.clock_skew ? json.number(to_seconds(*sensor.clock_skew)) : json.null();
  json.plain("enrolled", to_rfc3339(sensor.enrolled));
  write_time(json, "heard", sensor.memory.heard);
  json.whole("desired_version", sensor.wish.version);
  json.whole("reported_version", sensor.memory.version);
  json.whole("instances", sensor.said ? sensor.said->instances.size() : 0);
  json.whole("unwell", sensor.unwell);
  write_texts(json, "groups", fleet.book()->groups_of(sensor.labels));
}

void write_causes(JsonWriter& json, const std::vector<FleetCause>& causes) {
  json.begin_list("causes");
  for (const FleetCause& cause : causes) {
    json.begin();
    json.text("cause", cause.cause);
    json.text("evidence", cause.evidence);
    json.text("fix", cause.fix);
    json.text("words", cause.words());
    write_texts(json, "sensors", cause.sensors);
    json.whole("instances", cause.instances);
    json.plain("since", to_rfc3339(cause.since));
    json.end();
  }
  json.end_list();
}

}  // namespace

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.name(name);
  write_list(json, texts);
}

void write_sensor(JsonWriter& json, const Fleet& fleet, const FleetStore::Sensor& sensor,
                  Timestamp now) {
  write_row(json, fleet, sensor, fleet.stand(sensor, now));
  json.whole("drift", sensor.drift);
  json.flag("conflict", sensor.identity.conflict(now).has_value());
}

std::string sensor_json(const Fleet& fleet, const FleetStore::Sensor& sensor, Timestamp now) {
  const SensorStanding standing = fleet.stand(sensor, now);
  const auto reported = fleet.store().reported(sensor.fingerprint);
  return json_text([&](JsonWriter& json) {
    json.begin();
    write_row(json, fleet, sensor, standing);
    write_conflict(json, sensor.identity.conflict(now));
    json.begin_list("drift");
    if (sensor.said && sensor.wish.merged) {
      for (const Difference& each : drift(sensor.wish.instances(), *sensor.said))
        json.text(each.words());
    }
    json.end_list();
    json.begin_list("causes");
    for (const SensorCause& cause : standing.causes) {
      json.begin();
      json.text("cause", cause.cause);
      json.text("subject", cause.subject);
      json.text("evidence", cause.evidence);
      json.text("fix", cause.fix);
      json.end();
    }
    json.end_list();
    json.name("desired");
    json.raw(sensor.wish.merged ? sensor.wish.document() : R"({"instances":{}})");
    json.name("origin");
    json.raw(sensor.wish.merged ? sensor.wish.origin() : "{}");
    json.name("reported");
    json.raw(reported && !reported->empty() ? *reported : "null");
    json.begin_list("rollouts");
    for (const std::uint64_t id : fleet.rollouts().with_sensor(sensor.fingerprint))
      json.whole(id);
    json.end_list();
    json.end();
  });
}

std::string fleet_json(const Fleet& fleet, Timestamp now) {
  const auto sensors = fleet.sensors();
  std::array<std::size_t, kSensorStates.size()> states{};
  std::size_t late = 0, conflicts = 0, drifting = 0, instances = 0;
  std::map<std::string, std::size_t> by_state;
  std::vector<std::pair<std::string, SensorStanding>> standings;
  for (const Fleet::Found& sensor : sensors) {
    SensorStanding standing = fleet.stand(*sensor, now);
    ++states[static_cast<std::size_t>(standing.state)];
    late += standing.late ? 1 : 0;
    conflicts += sensor->identity.conflict(now) ? 1 : 0;
    drifting += sensor->drift > 0 ? 1 : 0;
    if (sensor->said) {
      instances += sensor->said->instances.size();
      for (const ReportedInstance& one : sensor->said->instances)
        ++by_state[one.state];
    }
    if (!standing.causes.empty()) standings.emplace_back(sensor->name, std::move(standing));
  }
  return json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("sensors", sensors.size());
    json.begin("states");
    for (const SensorState state : kSensorStates)
      json.whole(state_word(state), states[static_cast<std::size_t>(state)]);
    json.end();
    json.whole("late", late);
    json.whole("conflicts", conflicts);
    json.whole("drift", drifting);
    json.begin("instances");
    json.whole("total", instances);
    json.begin("by_state");
    for (const auto& [state, count] : by_state) {
      json.key(state);
      json.whole(count);
    }
    json.end();
    json.end();
    write_causes(json, collapse(standings));
    json.begin("rollouts");
    using Phase = Rollout::Phase;
    const auto all = fleet.rollouts().list();
    for (const Phase phase : {Phase::running, Phase::paused, Phase::approval, Phase::reverting}) {
      json.whole(to_string(phase), static_cast<std::uint64_t>(std::count_if(
                                       all.begin(), all.end(),
                                       [&](const auto& each) { return each.phase == phase; })));
    }
    json.end();
    json.text("key", fleet.public_key());
    json.end();
  });
}

HttpResponse effect_answer(const Fleet::Effect& effect) {
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_effect(json, effect);
    json.end();
  }));
}

HttpResponse edited_answer(const RouteCall& call, const Result<Fleet::Edited>& edited) {
  if (!edited) return error_answer(edited.error());
  constexpr std::size_t kLongestNote = 64 << 10;
  if (edited->before.size() + edited->after.size() < kLongestNote) {
    call.note.before = edited->before;
    call.note.after = edited->after;
  }
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("version", edited->version);
    write_effect(json, *edited);
    json.end();
  }));
}

}  // namespace beaconry
