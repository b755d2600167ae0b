#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sdk/bus_link.h"
#include "sdk/health_history.h"
#include "sdk/identity.h"
#include "sdk/instrument.h"
#include "sdk/outbox.h"

namespace beaconry::sdk {

// What run() runs: everything that an instrument and the platform say to each other, between an
// author's handlers and the bus. One thread.
class InstrumentLoop final : public Instrument {
 public:
  using Clock = std::chrono::steady_clock;
  InstrumentLoop(const Handlers& handlers, OwnIdentity own, Outbox outbox);

  // Until it ends; `signals` is readable when the process shall end. Returns the exit status.
  int serve(int signals);

  const Identity& identity() const override { return own_.identity; }
  Result<std::string> emit(std::string_view type, std::string_view message,
                           const nlohmann::json& data) override;
  Result<void> subscribe(std::string_view instrument) override;
  Result<void> find(std::string_view instrument,
                    std::function<void(const std::vector<FoundInstrument>&)> found) override;
  Result<void> send(std::string_view to, const nlohmann::json& body) override;
  Result<void> request(std::string_view to, const nlohmann::json& body,
                       std::function<void(const Result<nlohmann::json>&)> reply,
                       std::chrono::seconds patience) override;
  Result<void> want(const ResourceWish& wish) override;
  void fetched(const FetchResult& result) override;
  void end(int status) override;

 private:
  using Found = std::function<void(const std::vector<FoundInstrument>&)>;
  using Reply = std::function<void(const Result<nlohmann::json>&)>;
  struct Search {
    Found found;
    Clock::time_point until;
  };
  struct Question {
    std::string to;
    Reply reply;
    Clock::time_point until;
  };

  void connected();
  void say_answers();
  void say_events();
  void give_up_waiting();
  void last_words();

  void hear(const MqttClient::Message& message);
  void hear_direct(const std::string& from, const DirectMessage& message);
  void hear(const to_instrument::Configure& message);
  void hear(const to_instrument::AskHealth& message);
  void hear(const to_instrument::Retain& message);
  void hear(const to_instrument::Acknowledge& message);
  void hear(const to_instrument::Refuse& message);
  void hear(const to_instrument::Found& message);
  void hear(const to_instrument::ResourceState& message);
  void hear(const to_instrument::Fetch& message);
  void hear(const to_instrument::Stop& message);

  Health health_now();
  void answer_health();
  // Now, or once the bus is back: the newest few of them wait.
  void answer(const FromInstrument& message);
  Result<void> say_direct(std::string_view to, const DirectMessage& message);

  const Handlers& handlers_;
  OwnIdentity own_;
  BusLink link_;
  Outbox outbox_;
  Clock::time_point next_group_{};  // of events that are emitted
  Clock::time_point progress_{};    // the platform's last acknowledgement, or something said anew
  std::deque<std::string> answers_;
  HealthHistory history_;
  std::vector<std::string> asked_;  // health questions of this turn
  std::uint64_t misunderstood_ = 0;
  std::uint64_t refused_before_ = 0;  // events, by the outbox; when it was seen last
  std::optional<Clock::time_point> refused_at_;
  std::optional<from_instrument::Configured> configured_;  // what was answered last
  std::string configured_uuid_;
  std::map<std::string, Search> searches_;
  std::map<std::string, Question> questions_;
  std::map<std::string, ResourceWish> wishes_;
  std::optional<int> status_;
};

}  // namespace beaconry::sdk
