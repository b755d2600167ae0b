#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "source/log_row.h"

namespace beaconry {

// One JSON object, flattened: {"id":{"orig_h":"10.0.0.1"},"answers":["a","b"]} has the members
// "id.orig_h" and twice "answers". Strings are unescaped in place, numbers and booleans are kept as
// they are written, null is left out. One object serves line after line without allocating.
class JsonRecord {
 public:
  struct Member {
    std::string_view parent, key;  // "" and "ts", "id" and "orig_h"; the innermost two keys
    std::string_view value;
    std::uint8_t depth = 1;  // of the key: 1 at the top
  };

  // Parses `text`, `size` bytes that the parser may change; text[size] is written, too, so it must
  // exist. Members point into `text` until the next call. False if it isn't one valid object, or is
  // nested deeper than 32 levels.
  bool parse(char* text, std::size_t size);

  const std::vector<Member>& members() const { return members_; }
  bool has(std::string_view key) const;               // at the top
  std::string_view find(std::string_view key) const;  // at the top; empty where there is none
  std::string_view find(std::string_view parent, std::string_view key) const;  // one below the top
  std::string_view find_deep(std::string_view parent, std::string_view key) const;  // anywhere
  std::vector<std::string_view> keys() const;  // at the top, also of what is null

  // A Zeek record: id.orig_h may be written "id.orig_h", "id_orig_h" or nested.
  void fill(LogRow& row) const;

 private:
  friend class JsonHandler;
  std::vector<Member> members_;
  std::vector<std::string_view> keys_;
};

}  // namespace beaconry
