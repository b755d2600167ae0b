#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/database.h"

namespace beaconry {

// The documents of fleet, groups and sensors, each with its history, in a table of their own. On
// disk when a call returns. Any thread may call.
class FleetDocuments {
 public:
  static constexpr std::size_t kMostTargets = 11'000, kMostVersions = 100;

  struct Version {
    std::uint64_t number = 0;
    Timestamp time{};
    std::string who, how;  // "anna", "api" | "cli" | "rollback" | "rollout"
    std::string json;
  };

  static Result<std::unique_ptr<FleetDocuments>> open(Database& database);

  // A document of "fleet", "group:NAME" or "sensor:FINGERPRINT". One that is equal to the one that
  // holds makes no version; the newest kMostVersions are kept.
  Result<Version> put(const std::string& target, const std::string& json, const std::string& who,
                      const std::string& how, Timestamp now);
  Result<std::optional<Version>> current(const std::string& target) const;
  std::uint64_t newest(const std::string& target) const;  // its number, of memory; 0: none
  Result<std::vector<Version>> history(const std::string& target) const;  // newest first, no JSON
  Result<Version> version(const std::string& target, std::uint64_t number) const;
  Result<std::vector<std::string>> targets() const;
  Result<void> forget(const std::string& target);  // with its history
  // Of a sensor that another machine is from now on, with its history. There must be none yet.
  Result<void> move(const std::string& from, const std::string& to);

 private:
  explicit FleetDocuments(Database& database) : database_(database) {}
  Result<void> load();
  void note(const std::string& target, std::uint64_t newest);
  void note_gone(const std::string& target);

  Database& database_;
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> newest_;  // by target
};

}  // namespace beaconry
