#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace beaconry {

// Reads one JSON object strictly: what has another type, is out of its bounds or not known is an
// error that names its place and what would be right. Only the first error of a document is kept,
// in `fault`, which all readers of the document share; after it everything reads as its default.
class JsonReader {
 public:
  // What a JSON pointer is called in errors: itself, or "file line 3 /pointer".
  using Place = std::function<std::string(std::string_view pointer)>;
  JsonReader(const nlohmann::json& value, std::string pointer, const Place& place,
             std::optional<Error>& fault);

  std::string text(const char* key, std::size_t longest);  // empty if missing
  bool boolean(const char* key, bool fallback);
  std::uint64_t count(const char* key, std::uint64_t fallback, std::uint64_t least,
                      std::uint64_t most);
  std::vector<std::string> texts(const char* key, std::size_t most, std::size_t longest);
  void list(const char* key, std::size_t most, const std::function<void(JsonReader& item)>& item);
  void members(const char* key,
               const std::function<void(const std::string& name, JsonReader& member)>& member);
  const nlohmann::json* take(const char* key);  // nullptr if missing
  // The value under `key` (itself, if empty) is not right: "is no number".
  void refuse(const std::string& key, const std::string& why);
  void done();  // refuses the keys that nobody asked for

 private:
  const nlohmann::json& value_;
  std::string pointer_;
  const Place& place_;
  std::optional<Error>& fault_;
  std::vector<std::string_view> asked_;
};

}  // namespace beaconry
