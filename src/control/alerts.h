#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "base/result.h"
#include "store/database.h"

namespace beaconry {

// Alerts as they are kept, to be listed and acknowledged; AlertQueue delivers them. Any thread.
class Alerts {
 public:
  struct Kept {
    Alert alert;
    std::uint64_t number = 0;                         // in the order of arrival
    std::string acknowledged_by, acknowledged_words;  // empty: not acknowledged
    Timestamp acknowledged{};
  };
  static constexpr std::uint64_t kMostKept = 1'000'000;  // the oldest go

  static Result<std::unique_ptr<Alerts>> open(Database& database);

  // An alert whose id is known already is not kept twice.
  Result<void> add(const Alert& alert);

  struct Query {
    std::optional<Severity> severity;  // exactly this one
    std::optional<Severity> least;
    std::string kind, subject;  // empty: any
    std::optional<bool> acknowledged;
    std::size_t limit = 100;
    std::uint64_t before = 0;  // number: older ones only; 0: from the newest
  };
  struct Page {
    std::vector<Kept> alerts;  // newest first
    std::uint64_t next = 0;    // `before` of the next page; 0: there is none
    std::uint64_t count = 0;   // all that match
  };
  Result<Page> page(const Query& query) const;
  Result<std::optional<Kept>> find(const std::string& id) const;
  Result<bool> acknowledge(const std::string& id, const std::string& who, const std::string& words,
                           Timestamp now);
  Result<bool> remove(const std::string& id);
  Result<std::uint64_t> remove_all();
  Result<std::uint64_t> count() const;

 private:
  explicit Alerts(Database& database) : database_(database) {}
  Database& database_;
};

}  // namespace beaconry
