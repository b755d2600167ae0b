#include "sensor/services/health_check.h"

#include <algorithm>
#include <utility>

#include "sensor/services/health_tree.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostQuestions = 8;  // that an answer is still taken for

}  // namespace

HealthCheck::HealthCheck(std::string instance, std::chrono::seconds every,
                         std::chrono::seconds deadline)
    : instance_(std::move(instance)), every_(every), patience_(deadline) {
  stopped();
}

void HealthCheck::set(std::chrono::seconds every, std::chrono::seconds deadline) {
  every_ = every;
  patience_ = deadline;
}

void HealthCheck::started(Timestamp steady) {
  stopped();
  running_ = true;
  health_.cause = "has not answered yet";
  next_ = steady;
  heard_ = steady;
}

void HealthCheck::stopped() {
  running_ = false;
  missed_ = 0;
  questions_.clear();
  said_.reset();
  healthy_asked_.reset();
  health_ = {};
  health_.name = "instrument";
  health_.cause = "not running";
}

void HealthCheck::heard(Timestamp steady) {
  heard_ = steady;
  // It has just come: its first answer need not wait for the round.
  if (running_ && !said_ && questions_.size() <= 1) next_ = std::min(next_, steady);
}

bool HealthCheck::answered(const from_instrument::HealthAnswer& answer, Timestamp steady,
                           Timestamp now) {
  const auto at = std::find_if(questions_.begin(), questions_.end(),
                               [&](const Question& one) { return one.uuid == answer.uuid; });
  if (at == questions_.end()) return false;
  const Timestamp asked = at->asked;
  questions_.erase(questions_.begin(), at + 1);  // earlier ones will not be answered any more
  heard_ = steady;
  missed_ = 0;
  if (answer.health.state == HealthState::healthy)
    healthy_asked_ = asked;
  else
    healthy_asked_.reset();
  said_ = answer.health;
  become(answer.health, now);
  return true;
}

void HealthCheck::pause(Timestamp steady) {
  questions_.clear();
  heard_ = steady;
  next_ = std::max(next_, steady);
}

std::optional<std::string> HealthCheck::due(Timestamp steady) const {
  if (!running_ || steady < next_) return std::nullopt;
  return make_uuid();
}

void HealthCheck::asked(const std::string& uuid, Timestamp steady) {
  if (questions_.size() >= kMostQuestions) questions_.pop_front();
  questions_.push_back({uuid, steady, steady + patience_, false});
  next_ = steady + every_;
}

void HealthCheck::work(Timestamp steady, Timestamp now) {
  if (!running_) return;
  for (Question& question : questions_) {
    if (question.missed || steady < question.deadline) continue;
    question.missed = true;
    ++missed_;
  }
  if (missed_ < kMostMissed) return;
  Health silent;
  const bool speaks = steady - heard_ < kMostMissed * std::max(every_, patience_);
  silent.state = speaks ? HealthState::degraded : HealthState::failed;
  silent.cause = speaks ? "busy: does not answer health questions" : "does not answer";
  silent.evidence = std::to_string(missed_) + " questions in a row without an answer within " +
                    to_words(patience_) +
                    (speaks ? ", but it still speaks" : ", and nothing else from it");
  silent.fix = speaks ? "give it more CPU or a longer health deadline, if this stays so"
                      : "look at its log; restart it";
  if (said_) silent.parts = said_->parts;
  become(std::move(silent), now);
}

void HealthCheck::become(Health health, Timestamp now) {
  health.name = "instrument";
  keep_since(health, health_, now);
  health_ = std::move(health);
}

}  // namespace beaconry
