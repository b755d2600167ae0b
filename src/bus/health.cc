#include <nlohmann/json.hpp>

#include "bus/json_fields.h"
#include "bus/message_parts.h"

namespace beaconry {
namespace {

using nlohmann::json;
using Need = JsonFields::Need;

const std::vector<std::string_view> kStates{"unknown", "healthy", "degraded", "failed"};

Health read(JsonFields& fields, std::size_t depth, std::size_t& parts) {
  Health health;
  health.name = fields.text("name", bounds::kWord);
  health.state = static_cast<HealthState>(fields.one_of("state", kStates));
  health.cause = fields.text("cause", bounds::kText, Need::optional);
  health.evidence = fields.text("evidence", bounds::kText, Need::optional);
  health.fix = fields.text("fix", bounds::kText, Need::optional);
  health.since = fields.time("since", Need::optional);
  for (const json& one : fields.list("parts", bounds::kHealthParts, Need::optional)) {
    if (depth == bounds::kHealthDepth) {
      fields.complain("parts", "nested deeper than " + std::to_string(bounds::kHealthDepth));
    } else if (++parts > bounds::kHealthParts) {
      fields.complain("parts", "more than " + std::to_string(bounds::kHealthParts) + " in all");
    }
    if (!fields.is_good()) return health;
    JsonFields part(one, "parts");
    health.parts.push_back(read(part, depth + 1, parts));
    fields.take_complaint(part);
  }
  return health;
}

json write(const Health& health, std::size_t depth) {
  json out{{"name", health.name}, {"state", to_string(health.state)}};
  if (!health.cause.empty()) out["cause"] = health.cause;
  if (!health.evidence.empty()) out["evidence"] = health.evidence;
  if (!health.fix.empty()) out["fix"] = health.fix;
  if (health.since != Timestamp{}) out["since"] = to_rfc3339(health.since);
  // Deeper ones would be refused by whoever reads it, but are no reason to recurse for ever.
  if (health.parts.empty() || depth > bounds::kDepth / 2) return out;
  json& parts = out["parts"] = json::array();
  for (const Health& part : health.parts)
    parts.push_back(write(part, depth + 1));
  return out;
}

}  // namespace

Health health_of(JsonFields& fields) {
  std::size_t parts = 0;
  return read(fields, 1, parts);
}

json to_json(const Health& health) {
  return write(health, 1);
}

std::string health_json(const Health& health) {
  return json_text(to_json(health));
}

Result<Health> parse_health(std::string_view text) {
  auto value = parse_json(text, bounds::kMessage);
  if (!value) return tl::unexpected<Error>(std::move(value.error()));
  JsonFields fields(*value, "health");
  Health health = health_of(fields);
  if (!fields.is_good()) return tl::unexpected<Error>(fields.error());
  return health;
}

std::string_view to_string(HealthState state) {
  return kStates[static_cast<std::size_t>(state)];
}

bool is_worse(HealthState one, HealthState other) {
  const auto badness = [](HealthState state) {
    return state == HealthState::healthy ? -1 : static_cast<int>(state);
  };
  return badness(one) > badness(other);
}

}  // namespace beaconry
