#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// Numbered versions of one JSON document in a folder, each durable before it holds, the newest
// `most` of them, and of these as many as fit into `most_bytes`; the newest one always: an
// instrument's configuration, a sensor's desired state. One thread.
class DocumentHistory {
 public:
  struct Version {
    std::uint64_t number = 0;
    Timestamp time{};
    std::string who, how;  // "anna", "cli" | "file" | "rollback" | "fallback"
    std::string json;      // the document
  };
  static Result<DocumentHistory> open(const std::string& folder, std::size_t most = 50,
                                      std::uint64_t most_bytes = std::uint64_t{64} << 20);

  const std::optional<Version>& current() const { return current_; }
  // A document equal to the current one makes no version. Returns the one that holds.
  Result<Version> add(const std::string& json, const std::string& who, const std::string& how,
                      Timestamp now);
  std::vector<std::uint64_t> numbers() const;  // oldest first
  Result<Version> version(std::uint64_t number) const;
  Result<void> remove();  // the folder

 private:
  void drop_old();

  std::string folder_;
  std::size_t most_ = 50;
  std::uint64_t most_bytes_ = 0;
  std::vector<std::uint64_t> numbers_, sizes_;  // of their files
  std::optional<Version> current_;
};

// What differs, a line a value: "/interface: \"a\" -> \"b\"", "/ports/2: added 443".
std::vector<std::string> json_diff(const std::string& before, const std::string& after);

}  // namespace beaconry
