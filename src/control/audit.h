#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/route.h"
#include "store/database.h"

namespace beaconry {

// Who changed what: one line for every request that changes something, and for every login, done or
// refused. The newest 200,000 lines are kept, and 20,000 of what people without a credential were
// refused: whoever guesses passwords or tokens does not push out what people did. Any thread.
class Audit {
 public:
  struct Entry {
    std::uint64_t id = 0;  // later ones are greater
    Timestamp time{};
    std::string who;
    Role role = Role::none;
    std::string address;        // "local": by the local socket
    std::string action;         // "POST /api/v1/triage"
    std::string object;         // what was changed
    std::string before, after;  // JSON without secrets; empty: not told
    std::string outcome;        // "done", or "refused" with the answer's status
    bool by_nobody = false;     // refused to somebody who needed no credential to try
  };
  struct Wanted {
    std::optional<Timestamp> since;
    std::optional<std::string> who;
    std::optional<std::uint64_t> before;  // ids smaller than this: the next page
    std::size_t limit = 100;
  };
  struct Bounds {
    std::uint64_t most = 200'000, by_nobody = 20'000;
  };

  static Result<std::unique_ptr<Audit>> open(Database& database, Bounds bounds);
  static Result<std::unique_ptr<Audit>> open(Database& database) { return open(database, {}); }

  Result<void> record(const Entry& entry);
  Result<std::vector<Entry>> list(const Wanted& wanted) const;  // newest first

 private:
  Audit(Database& database, Bounds bounds) : database_(database), bounds_(bounds) {}

  Database& database_;
  Bounds bounds_;
};

}  // namespace beaconry
