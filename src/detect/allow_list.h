#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "detect/allow_rule.h"

namespace beaconry {

// One entry as it was written, and where: "allow.txt line 3", "--allow".
struct AllowEntry {
  std::string text;
  std::string origin;
  AllowRule rule;
};

// Pairs that somebody trusts. Pure: texts come in, read by somebody else. Fill it on one thread;
// then any number of threads may ask. A question costs a few look-ups whatever the number of
// entries, except for name patterns without a fixed ending ("*cdn*"), which are tried one by one.
class AllowList {
 public:
  // Adds one entry (kAllowListHelp). The error names the origin and says what to write instead.
  Result<void> add(std::string_view entry, std::string_view origin);

  // Adds the lines of a whole file: one entry each, "#" begins a comment, blank lines are skipped.
  // At the first bad line nothing further is added and the error names `file` and the line.
  Result<void> add_lines(std::string_view text, std::string_view file);

  // The first entry that covers the pair, or nullptr. `server_name` is normalised, or empty.
  // The result lives until something is added.
  const AllowEntry* match(const PairKey& pair, std::string_view server_name) const;

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

 private:
  using Row = std::uint32_t;  // index into entries_
  using Rows = std::vector<Row>;

  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>{}(name);
    }
  };
  // Blocks by their first address, one map for each length that occurs.
  struct BlockIndex {
    struct Hash {
      std::size_t operator()(const IpAddress& address) const;
    };
    struct Length {
      unsigned bits;
      std::unordered_map<IpAddress, Rows, Hash> blocks;
    };
    std::vector<Length> lengths;

    void add(const Cidr& block, Row row);
    // Calls `visit` with each row whose block may contain the address.
    template <class Visit>
    void find(const IpAddress& address, const Visit& visit) const;
  };

  std::vector<AllowEntry> entries_;
  // Each entry stands under its narrowest condition only (either end: in both block indexes).
  BlockIndex by_source_, by_destination_;
  std::unordered_map<std::string, Rows, NameHash, std::equal_to<>> by_ending_;
  std::unordered_map<std::uint16_t, Rows> by_port_;
  Rows others_;
};

}  // namespace beaconry
