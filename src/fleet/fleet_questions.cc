#include "base/text.h"
#include "fleet/fleet.h"

namespace beaconry {

Result<std::string> Fleet::ask(const FleetAsks::Question& question, Timestamp now) {
  const Found sensor = store_->find(question.sensor);
  if (!sensor)
    return fail(ErrorKind::not_found, "ask", "sensor " + terminal_safe(question.sensor),
                "there is none of this key");
  const SensorStanding standing = stand(*sensor, now);
  const bool away =
      standing.state == SensorState::offline || standing.state == SensorState::inactive;
  if (away && !lines_.is_there(question.sensor))
    return fail(ErrorKind::conflict, "ask", "sensor '" + sensor->name + '\'',
                "it is away: " + standing.why);
  const auto asked = asks_.ask(question, now);
  if (!asked) return tl::unexpected<Error>(asked.error());
  if (lines_.ask(question.sensor, asked->json)) asks_.was_told(asked->id);
  return asked->id;
}

Result<void> Fleet::answer(const std::string& fingerprint, const std::string& id,
                           const std::string& json, Timestamp now) {
  auto done = asks_.answer(fingerprint, id, json, now);
  if (done) tell("ask", id, "answered");
  return done;
}

}  // namespace beaconry
