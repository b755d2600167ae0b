#include "sensor/services/health_check.h"

#include <algorithm>
#include <utility>

#include "sensor/services/health_tree.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostQuestions = 8;  // that an answer is still taken for
// Until it is healthy for the first time its answer is soon followed by another question: whoever
// installed or updated it waits for that. For two minutes or so.
constexpr std::chrono::seconds kEveryAtFirst{3};
constexpr unsigned kQuestionsAtFirst = 40;
constexpr unsigned kMostDoublings = 2;

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

void HealthCheck::started(Timestamp steady, bool there) {
  stopped();
  running_ = true;
  there_ = there;
  health_.cause = "has not answered yet";
  next_ = steady;
  heard_ = steady;
  soon_ = kQuestionsAtFirst;
}

void HealthCheck::stopped() {
  running_ = there_ = anew_ = false;
  missed_ = given_up_ = 0;
  last_took_ = {};
  questions_.clear();
  said_.reset();
  healthy_asked_.reset();
  health_ = {};
  health_.name = "instrument";
  health_.cause = "not running";
}

// What is open may be lost; an answer to it is taken all the same.
void HealthCheck::ask_anew(Timestamp steady) {
  anew_ = true;
  next_ = std::min(next_, steady);
}

void HealthCheck::heard(Timestamp steady, bool hello) {
  heard_ = steady;
  // What was asked before it came was asked of nobody.
  if (running_ && (hello || !there_)) ask_anew(steady);
  there_ = true;
}

bool HealthCheck::answered(const from_instrument::HealthAnswer& answer, Timestamp steady,
                           Timestamp now) {
  const auto at = std::find_if(questions_.begin(), questions_.end(),
                               [&](const Question& one) { return one.uuid == answer.uuid; });
  if (at == questions_.end()) return false;
  const Question question = *at;
  questions_.erase(questions_.begin(), at + 1);  // earlier ones will not be answered any more
  heard_ = steady;
  there_ = true;
  given_up_ = 0;
  last_took_ = steady - question.asked;
  if (last_took_ <= patience_) {
    missed_ = 0;
  } else {
    next_ = steady + every_;  // one that is slow shall come to its work
  }
  said_ = answer.health;
  judge(steady, now);
  if (health_.state == HealthState::healthy) {
    healthy_asked_ = question.asked;
    soon_ = 0;
  } else {
    healthy_asked_.reset();
    if (soon_ > 0 && last_took_ <= patience_) {
      --soon_;
      next_ = std::min(next_, steady + kEveryAtFirst);
    }
  }
  return true;
}

void HealthCheck::pause(Timestamp steady) {
  ask_anew(steady);
  missed_at_ = steady + patience_;
  heard_ = steady;
}

std::optional<std::string> HealthCheck::due(Timestamp steady) const {
  if (!running_ || steady < next_) return std::nullopt;
  if (!questions_.empty() && !anew_ && steady < given_up_at_) return std::nullopt;
  return make_uuid();
}

void HealthCheck::asked(const std::string& uuid, Timestamp steady) {
  if (std::exchange(anew_, false)) given_up_ = 0;
  // The bus may have dropped it. Or it waits behind a handler that takes very long: seldom more.
  else if (!questions_.empty())
    given_up_ = std::min(given_up_ + 1, kMostDoublings);
  if (questions_.empty() || given_up_ == 0) missed_at_ = steady + patience_;
  if (questions_.size() >= kMostQuestions) questions_.pop_front();
  questions_.push_back({uuid, steady});
  given_up_at_ = steady + longest_silence() * (1U << given_up_);
  next_ = steady + every_;
}

void HealthCheck::work(Timestamp steady, Timestamp now) {
  if (!running_ || questions_.empty()) return;
  for (; steady >= missed_at_; missed_at_ += every_)
    ++missed_;
  if (missed_ >= kMostMissed) judge(steady, now);
}

Duration HealthCheck::longest_silence() const {
  return std::max<Duration>(kMostMissed * std::max(every_, patience_), 2 * last_took_);
}

// What it said last, unless its silence says more.
void HealthCheck::judge(Timestamp steady, Timestamp now) {
  if (missed_ < kMostMissed) return become(*said_, now);
  const bool answers = said_ && last_took_ > patience_;
  const bool speaks = steady - heard_ < longest_silence();
  // In its own words it is worse, or as bad.
  if (speaks && said_ && said_->state != HealthState::healthy && answers) {
    return become(*said_, now);
  }
  Health silent;
  silent.state = speaks ? HealthState::degraded : HealthState::failed;
  silent.cause = speaks ? "busy: does not answer health questions in time" : "does not answer";
  silent.evidence =
      std::to_string(missed_) + " times in a row no answer within " + to_words(patience_);
  if (!speaks) {
    silent.evidence += ", and nothing else from it";
  } else if (answers) {
    silent.evidence +=
        "; its last answer took " + to_words(std::chrono::ceil<std::chrono::seconds>(last_took_));
  } else {
    silent.evidence += ", but it still speaks";
  }
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
