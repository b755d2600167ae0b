#pragma once
#include <deque>
#include <optional>
#include <string>

#include "base/time.h"
#include "bus/messages.h"

namespace beaconry {

// Asks one instrument how it is, again and again, and says what its answers and its silence mean.
// An answer that is missing is no failure: one that still says anything else is busy, not dead.
// Only one that is silent through three questions has failed. Times as in ConfigDelivery.
class HealthCheck {
 public:
  static constexpr unsigned kMostMissed = 3;

  HealthCheck(std::string instance, std::chrono::seconds every, std::chrono::seconds deadline);
  void set(std::chrono::seconds every, std::chrono::seconds deadline);

  void started(Timestamp steady);
  void stopped();
  void heard(Timestamp steady);  // anything but an answer
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
    Timestamp asked{}, deadline{};
    bool missed = false;
  };
  void become(Health health, Timestamp now);

  std::string instance_;
  std::chrono::seconds every_, patience_;
  bool running_ = false;
  Timestamp next_{}, heard_{};
  std::deque<Question> questions_;
  unsigned missed_ = 0;
  Health health_;
  std::optional<Health> said_;  // its last answer
  std::optional<Timestamp> healthy_asked_;
};

}  // namespace beaconry
