#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "fleet/document_text.h"
#include "fleet/fleet.h"

namespace beaconry {
namespace {

constexpr auto kPeriod = std::chrono::seconds{1};
constexpr auto kLookEvery = std::chrono::seconds{10}, kSaveEvery = std::chrono::seconds{60};

}  // namespace

void Fleet::tell(std::string_view what, const std::string& name, const std::string& state) const {
  if (!tell_) return;
  const char* key = what == "rollout" || what == "ask" ? "id" : "name";
  const nlohmann::json event = {{"what", what}, {key, name}, {"state", state}};
  tell_(text_of(event));
}

void Fleet::start(std::function<Timestamp()> clock) {
  thread_ = std::thread([this, clock = std::move(clock)] { run(clock); });
}

void Fleet::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  lines_.close();
}

void Fleet::run(const std::function<Timestamp()>& clock) {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, kPeriod, [&] { return stop_; })) {
    lock.unlock();
    try {
      tick(clock());
    } catch (const std::exception& fault) {
      log_error("the fleet's turn was left out: " + std::string(fault.what()));
    }
    lock.lock();
  }
}

// What people who look at a list of sensors see of one.
std::string Fleet::face(const FleetStore::Sensor& sensor, Timestamp now) const {
  const SensorStanding standing = stand(sensor, now);
  // Not the words of its standing, which tell ages.
  std::string face = std::string(to_string(standing.state)) + (standing.late ? "late" : "") + '|' +
                     sensor.memory.why + '|' + sensor.name + '|' + sensor.version + '|' +
                     std::to_string(sensor.memory.version) + '|' +
                     std::to_string(sensor.wish.version) + '|' + std::to_string(sensor.drift) +
                     (sensor.identity.conflict(now) ? "conflict" : "");
  if (!sensor.said) return face;
  for (const ReportedInstance& one : sensor.said->instances)
    face += '|' + one.name + one.state + one.image + one.config_state + one.update_state;
  return face;
}

void Fleet::tell_news(Timestamp now) {
  std::set<std::string> noted;
  {
    const std::lock_guard lock(mutex_);
    noted.swap(noted_);
  }
  const auto look = [&](const FleetStore::Sensor& sensor) {
    std::string seen = face(sensor, now);
    std::string& known = faces_[sensor.fingerprint];
    if (known == seen) return;
    const bool first = known.empty() && noted.count(sensor.fingerprint) == 0;
    known = std::move(seen);
    if (first) return;  // after a start everything is as it was
    tell("sensor", sensor.name, state_word(stand(sensor, now).state));
  };
  const bool all = now >= looked_ + kLookEvery || now < looked_;
  if (!all) {
    for (const std::string& fingerprint : noted) {
      if (const Found sensor = store_->find(fingerprint)) look(*sensor);
    }
    return;
  }
  looked_ = now;
  const std::vector<Found> sensors = store_->sensors();
  for (const Found& sensor : sensors)
    look(*sensor);
  if (faces_.size() <= sensors.size()) return;
  std::erase_if(faces_, [&](const auto& each) { return !store_->find(each.first); });
}

// A sensor is judged by what it was given: while some were not, nobody is.
void Fleet::step_rollouts(Timestamp now) {
  const std::lock_guard one(changing_);
  if (auto done = catch_up(now); !done) {
    rollouts_->hold_up();
    return log_warning(done.error().message());
  }
  auto done =
      steer_locked([&](FleetRollouts& rollouts) { return rollouts.step(look(now), now); }, now);
  if (!done) log_warning(done.error().message());
}

// What was heard in a time that is yet to come would make the dead live until then.
void Fleet::set_back(Timestamp now) {
  if (now < opened_.load()) opened_ = now;
  store_->set_back(now);
}

void Fleet::tick(Timestamp now) {
  const std::lock_guard ticking(ticking_);
  if (now < std::exchange(ticked_, now)) set_back(now);
  bool behind = false;
  {
    const std::lock_guard lock(mutex_);
    behind = behind_;
  }
  if (behind || rollouts_->is_busy()) step_rollouts(now);
  tell_news(now);
  if (now < saved_ + kSaveEvery && now >= saved_) return;
  saved_ = now;
  if (auto done = store_->save(); !done) log_warning(done.error().message());
}

}  // namespace beaconry
