#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/database.h"

namespace beaconry {

// What people decided of beacons and leaks: `acknowledged` (seen, being worked on) or `benign` (no
// alerts). A decision holds until it expires, is withdrawn, or the beacon's rhythm or destination
// is not the one it was made about. Any thread may call.
class Triage {
 public:
  enum class Decision : std::uint8_t { acknowledged, benign };
  struct Entry {
    std::string subject;  // a pair's identity, a leak's id
    Decision decision = Decision::acknowledged;
    std::string reason, author;
    Timestamp made{};
    std::optional<Timestamp> expires;
    // What it was made about.
    double interval_seconds = 0;  // 0: none was detected
    std::vector<std::string> destinations;
  };
  // One step of a subject's history.
  struct Step {
    Timestamp time{};
    std::string who;
    std::string what;  // "acknowledged", "benign", "withdrawn", "reopened", "expired"
    std::string words;
  };

  static Result<std::unique_ptr<Triage>> open(Database& database);

  // Takes the place of an earlier decision. A reason is required.
  Result<void> decide(const Entry& entry);
  Result<bool> withdraw(const std::string& subject, const std::string& who,
                        const std::string& words, Timestamp now);

  // The decision that holds for a beacon as it is now. One that has expired, or does not fit any
  // more, is closed here, with a step that says why. A rhythm has changed beyond a fifth of its
  // interval; a destination if none of the earlier ones is left.
  Result<std::optional<Entry>> holds(const std::string& subject, double interval_seconds,
                                     const std::vector<std::string>& destinations, Timestamp now);
  std::optional<Entry> find(const std::string& subject) const;
  std::vector<Entry> list() const;
  Result<std::vector<Step>> history(const std::string& subject) const;  // oldest first

 private:
  explicit Triage(Database& database) : database_(database) {}
  Result<void> close(const std::string& subject, const Step& step);

  Database& database_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_;
};
std::string_view to_string(Triage::Decision decision);
std::optional<Triage::Decision> parse_decision(std::string_view word);

}  // namespace beaconry
