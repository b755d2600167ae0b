#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "control/answer.h"
#include "control/body.h"
#include "control/control.h"
#include "control/fleet_json.h"
#include "control/join_line.h"
#include "control/query.h"
#include "control/route.h"
#include "fleet/document_text.h"
#include "http/certificates.h"

namespace beaconry {
namespace {

HttpResponse overview(Control& control, const RouteCall&) {
  return json_answer(fleet_json(control.fleet(), control.now()));
}

bool has_text(const FleetStore::Sensor& sensor, const std::string& text) {
  const auto has = [&](const std::string& where) {
    return ascii_lower(where).find(text) != std::string::npos;
  };
  if (has(sensor.name) || has(sensor.fingerprint) || has(sensor.address) || has(sensor.version))
    return true;
  return std::any_of(sensor.labels.begin(), sensor.labels.end(),
                     [&](const auto& each) { return has(each.first + '=' + each.second); });
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  const std::size_t first = query.count("cursor", 0, 0, FleetStore::kMostSensors);
  const std::size_t limit = query.count("limit", 100, 1, FleetStore::kMostSensors);
  std::optional<SensorState> state;
  if (const auto word = query.text("state")) {
    state = parse_sensor_state(*word);
    if (!state) query.refuse("state must be healthy, unhealthy, updating, offline or inactive");
  }
  std::optional<Selector> labels;
  if (const auto given = query.text("labels")) {
    auto selector = Selector::parse(*given);
    if (!selector) {
      query.refuse(selector.error().message());
    } else {
      labels = std::move(*selector);
    }
  }
  const std::string text = ascii_lower(query.text("text").value_or(""));
  if (query.refusal()) return *query.refusal();

  const Fleet& fleet = control.fleet();
  const Timestamp now = control.now();
  auto sensors = fleet.sensors();
  std::erase_if(sensors, [&](const Fleet::Found& sensor) {
    return (labels && !labels->matches(sensor->labels)) ||
           (!text.empty() && !has_text(*sensor, text)) ||
           (state && fleet.stand(*sensor, now).state != *state);
  });
  const std::size_t begin = std::min(first, sensors.size());
  const std::size_t end = std::min(sensors.size(), begin + limit);
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", end - begin);
    json.whole("total", sensors.size());
    json.begin_list("sensors");
    for (std::size_t i = begin; i < end; ++i) {
      json.begin();
      write_sensor(json, fleet, *sensors[i], now);
      json.end();
    }
    json.end_list();
    json.text_or_null("next_cursor", end < sensors.size() ? std::to_string(end) : "");
    json.end();
  }));
}

HttpResponse show(Control& control, const RouteCall& call) {
  const auto sensor = control.fleet().need(std::string(call.argument));
  if (!sensor) return error_answer(sensor.error());
  return json_answer(sensor_json(control.fleet(), **sensor, control.now()));
}

std::string who_it_is(const FleetStore::Sensor& sensor) {
  return text_of({{"name", sensor.name}, {"labels", sensor.labels}});
}

Result<LabelChanges> read_labels(const nlohmann::json& labels) {
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::usage, "read", "'labels'", std::move(cause));
  };
  if (!labels.is_object()) return refuse("it is no object");
  LabelChanges changes;
  for (const auto& [label, value] : labels.items()) {
    if (!value.is_string() && !value.is_null())
      return refuse('\'' + terminal_safe(label) + "' is neither text nor null");
    changes[label] =
        value.is_null() ? std::nullopt : std::optional<std::string>(value.get<std::string>());
  }
  return changes;
}

HttpResponse change(Control& control, const RouteCall& call) {
  Fleet& fleet = control.fleet();
  const auto sensor = fleet.need(std::string(call.argument));
  if (!sensor) return error_answer(sensor.error());
  const auto body = parse_object(call.request.body, "the body");
  if (!body) return error_answer(body.error());
  for (const auto& [key, value] : body->items()) {
    if (key != "name" && key != "labels" && key != "dry_run")
      return error_answer(400, '\'' + terminal_safe(key) + "' is not one of name, labels, dry_run");
  }
  const auto dry_run = body->find("dry_run");
  if (dry_run != body->end() && !dry_run->is_boolean())
    return error_answer(400, "'dry_run' is neither true nor false");
  const bool is_trial = dry_run != body->end() && dry_run->get<bool>();
  const std::string key = (*sensor)->fingerprint;
  call.note.object = (*sensor)->name + (is_trial ? " (a trial)" : "");
  call.note.before = who_it_is(**sensor);
  // All of it or nothing: what would be refused later is refused first.
  const auto name = body->find("name");
  if (name != body->end()) {
    if (!name->is_string()) return error_answer(400, "'name' is no text");
    auto is_free = fleet.store().name_is_free(name->get_ref<const std::string&>(), key);
    if (!is_free) return error_answer(is_free.error());
  }
  Fleet::Effect effect;
  if (const auto labels = body->find("labels"); labels != body->end()) {
    const auto changes = read_labels(*labels);
    if (!changes) return error_answer(changes.error());
    auto done = fleet.change_labels(key, *changes, control.now(), is_trial);
    if (!done) return error_answer(done.error());
    effect = std::move(*done);
  }
  if (is_trial) return effect_answer(effect);
  if (name != body->end()) {
    const std::string wanted = name->get<std::string>();
    if (auto done = fleet.rename(key, wanted); !done) return error_answer(done.error());
    // What it sends is told under this name, too.
    if (auto done = control.enrolled().rename(key, wanted); !done)
      return error_answer(done.error());
  }
  const auto after = fleet.need(key);
  if (!after) return error_answer(after.error());
  call.note.after = who_it_is(**after);
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_sensor(json, fleet, **after, control.now());
    json.end();
  }));
}

HttpResponse revoke(Control& control, const RouteCall& call) {
  const auto sensor = control.fleet().need(std::string(call.argument));
  if (!sensor) return error_answer(sensor.error());
  call.note.object = (*sensor)->name;
  call.note.before = who_it_is(**sensor);
  const std::string key = (*sensor)->fingerprint;
  const Timestamp now = control.now();
  if (auto done = control.enrolled().revoke(key, now); !done) return error_answer(done.error());
  if (auto done = control.fleet().forget(key, now); !done) return error_answer(done.error());
  return json_answer(R"({"status":"revoked"})");
}

HttpResponse replace(Control& control, const RouteCall& call) {
  const auto sensor = control.fleet().need(std::string(call.argument));
  if (!sensor) return error_answer(sensor.error());
  auto body = Body::parse(call.request.body.empty() ? "{}" : call.request.body, {"expires", "url"});
  if (!body) return error_answer(body.error());
  const Timestamp now = control.now();
  const Timestamp until = body->time("expires", now).value_or(now + std::chrono::hours{1});
  if (!body->error().empty()) return error_answer(400, body->error());
  if (!control.has_tls()) return error_answer(409, std::string(kNoTls));
  const std::string name = (*sensor)->name;
  call.note.object = name;
  const auto token =
      control.enrolled().make_token("sensor", name, until, std::string(call.who), now);
  if (!token) return error_answer(token.error());
  if (auto kept = control.fleet().expect_replacement((*sensor)->fingerprint, sha256_hex(*token),
                                                     until, now);
      !kept)
    return error_answer(kept.error());
  return json_answer(join_line_json(
      control, {"sensor", name, *token, body->text_or("url", control.url()), until}));
}

constexpr RouteParameter kParameters[] = {
    {"state", "string", "healthy, unhealthy, updating, offline or inactive"},
    {"labels", "string", "whose labels fit this selector: `site=oulu,!spare`"},
    {"text", "string", "with this in name, fingerprint, address, version or a label"},
    {"limit", "integer", "of this page, 1 to 10000; 100"},
    {"cursor", "string", "`next_cursor` of the page before"},
};

#define BEACONRY_SENSOR                                                                            \
  "name, fingerprint, state, since, why, late, labels{}, version, address, clock_skew, enrolled, " \
  "heard, desired_version, reported_version, drift, conflict, instances, unwell, groups[]"

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/fleet",
        .summary = "All sensors in figures, and what troubles them, by cause",
        .handle = overview,
        .response = "`{sensors, states{healthy, unhealthy, updating, offline, inactive}, late, "
                    "conflicts, drift: sensors that are not what they shall be, instances{total, "
                    "by_state{}}, causes: [{cause, evidence, fix, words, sensors[], instances, "
                    "since}], rollouts{running, paused, approval, reverting}, key}`; key is the "
                    "public one by which sensors check their documents",
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/sensors",
        .summary = "Sensors, by name",
        .handle = list,
        .parameters = kParameters,
        .response = "`{count, total, sensors: [{" BEACONRY_SENSOR
                    "}], next_cursor}`; clock_skew is the sensor's clock less the server's, in "
                    "seconds; drift counts differences to what it shall be",
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/sensors/{name}",
        .summary = "A sensor, by name or fingerprint, with all that is known of it",
        .handle = show,
        .response = "a sensor of /api/v1/fleet/sensors, and `{conflict{since, last, boots[], "
                    "machines[], addresses[]}, drift: [\"pointer: wished -> found\"], causes: "
                    "[{cause, subject, evidence, fix}], desired{}, origin{pointer: layer}, "
                    "reported{}, rollouts[]}`; docs/formats/sensor-state.md has desired and "
                    "reported",
    },
    {
        .method = "PATCH",
        .path = "/api/v1/fleet/sensors/{name}",
        .summary = "Renames a sensor, or gives it other labels",
        .role = Role::operator_,
        .handle = change,
        .body = "`{name, labels{}, dry_run}`, each unless it stays; labels by RFC 7396: a null "
                "removes one, those that are not named stay; dry_run: nothing changes",
        .response = "`{" BEACONRY_SENSOR "}`; to a trial `{sensors, changed{}, lost[]}` as of a "
                    "layer",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/fleet/sensors/{name}",
        .summary = "Revokes a sensor's key and forgets what it shall be",
        .role = Role::admin,
        .handle = revoke,
        .response = "`{status}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/fleet/sensors/{name}/replace",
        .summary = "Makes a token for the machine that takes a sensor's place",
        .role = Role::admin,
        .handle = replace,
        .body = "`{expires, url}` as of /api/v1/enrollments, or nothing",
        .response = "as of /api/v1/enrollments. Who joins by it has the sensor's name, labels and "
                    "document from then on, and the old key is revoked",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet{"fleet", kRoutes};
}
}  // namespace beaconry
