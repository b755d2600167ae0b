#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// What people ask of a sensor now: a log's end, a look for newer resources. In memory and bounded;
// a question that nobody answers in time expires. Any thread may call.
class FleetAsks {
 public:
  static constexpr std::size_t kMostAsks = 1000, kMostOfOne = 20;      // at once; of one sensor
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20;     // of all answers
  static constexpr std::size_t kLongestAnswer = std::size_t{1} << 20;  // as it was sent
  static constexpr auto kPatience = std::chrono::seconds{30};
  static constexpr auto kKept = std::chrono::minutes{5};

  struct Question {
    std::string sensor, what, instance;  // fingerprint; "log" | "update"; beacon_0
    std::uint64_t bytes = 0;             // of a log, at most
  };
  struct Asked {
    std::string id, json;  // {"id", "what", "instance", "bytes"}: for the sensor
  };
  enum class State : std::uint8_t { waiting, answered, expired };
  struct Shown {
    State state = State::waiting;
    std::string answer;  // JSON; empty: none
  };

  explicit FleetAsks(std::size_t most_bytes = kMostBytes) : most_bytes_(most_bytes) {}
  Result<Asked> ask(const Question& question, Timestamp now);
  void was_told(const std::string& id);
  // Those that wait and did not reach the sensor.
  std::vector<Asked> untold(const std::string& sensor, Timestamp now) const;
  // Of a sensor: {"ok": bool, "text" | "error": text}. Refused where it was not asked, or too late.
  Result<void> answer(const std::string& sensor, const std::string& id, const std::string& json,
                      Timestamp now);
  std::optional<Shown> find(const std::string& id, Timestamp now) const;

 private:
  struct Entry {
    Question question;
    Timestamp asked{};
    bool told = false, answered = false;
    std::string answer;
  };
  bool waits(const Entry& entry, Timestamp now) const;
  void prune(Timestamp now);

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> asks_;
};

std::string to_string(FleetAsks::State state);

}  // namespace beaconry
