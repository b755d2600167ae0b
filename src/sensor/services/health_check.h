#pragma once
#include <deque>
#include <optional>
#include <string>

#include "base/time.h"
#include "bus/messages.h"

namespace beaconry {

// Asks one instrument how it is, again and again, and says what its answers and its silence mean.
// One question at a time: they would pile up before a handler that is slower than they come. Every
// interval that passes without the answer is missed. A few missed ones are no failure; past that,
// one that speaks, or answers late, is busy, and only one that is silent for longer than its last
// answer explains has failed. Times as in ConfigDelivery.
class HealthCheck {
 public:
  static constexpr unsigned kMostMissed = 3;  // in a row

  HealthCheck(std::string instance, std::chrono::seconds every, std::chrono::seconds deadline);
  void set(std::chrono::seconds every, std::chrono::seconds deadline);

  void started(Timestamp steady, bool there = false);  // there: it said something already
  void stopped();
  // Anything but an answer. `hello`: of a new connection, so what was asked before it is lost.
  void heard(Timestamp steady, bool hello);
  // False: it answers no question of ours.
  bool answered(const from_instrument::HealthAnswer& answer, Timestamp steady, Timestamp now);
  // Nobody can be heard (the bus is away): silence counts for nothing.
  void pause(Timestamp steady);

  // The uuid of a question that is due.
  std::optional<std::string> due(Timestamp steady) const;
  void asked(const std::string& uuid, Timestamp steady);
  void work(Timestamp steady, Timestamp now);

  // How it is, by its own words or its silence; `since` is kept by us.
  const Health& health() const { return health_; }
  // When the question was asked to which `healthy` was the last answer; steady.
  std::optional<Timestamp> healthy_asked() const { return healthy_asked_; }
  unsigned missed() const { return missed_; }

 private:
  struct Question {
    std::string uuid;
    Timestamp asked{};  // steady
  };
  void ask_anew(Timestamp steady);
  Duration longest_silence() const;  // of one that is alive
  void judge(Timestamp steady, Timestamp now);
  void become(Health health, Timestamp now);

  std::string instance_;
  std::chrono::seconds every_, patience_;
  bool running_ = false;
  bool there_ = false;  // said anything in this run
  bool anew_ = false;   // what is open counts for nothing
  Timestamp next_{}, heard_{};
  std::deque<Question> questions_;  // the open one, behind those that were given up
  Timestamp missed_at_{}, given_up_at_{};
  unsigned given_up_ = 0;  // in a row
  unsigned missed_ = 0;
  Duration last_took_{};  // its last answer
  unsigned soon_ = 0;     // questions that are left until it is asked in its interval alone
  Health health_;
  std::optional<Health> said_;  // its last answer
  std::optional<Timestamp> healthy_asked_;
};

}  // namespace beaconry
