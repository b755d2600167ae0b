#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// Bounds of what goes over the bus; docs/formats/instrument.md has them all.
namespace bounds {
inline constexpr std::size_t kMessage = 512 << 10;  // bytes of one JSON text
inline constexpr std::size_t kDepth = 32;           // of its nesting
inline constexpr std::size_t kWord = 128;           // names, types, versions
inline constexpr std::size_t kText = 4096;          // sentences
inline constexpr std::size_t kUrl = 2048;
inline constexpr std::size_t kData = 64 << 10;     // an event's data, as JSON
inline constexpr std::size_t kConfig = 256 << 10;  // a configuration, as JSON
inline constexpr std::size_t kBody = 256 << 10;    // of a direct message, as JSON
inline constexpr std::size_t kUuids = 1024;        // acknowledged in one message
inline constexpr std::size_t kFound = 256;
inline constexpr std::size_t kEventTypes = 64;
inline constexpr std::size_t kHealthDepth = 4;
inline constexpr std::size_t kHealthParts = 64;  // of a whole, all levels together
}  // namespace bounds

// Any JSON text within the bounds. Never throws.
Result<nlohmann::json> parse_json(std::string_view text, std::size_t most_bytes);
// A text as the value that it is; one that is no JSON becomes a string.
nlohmann::json json_or_text(const std::string& text);
std::string json_text(const nlohmann::json& value);  // invalid UTF-8 becomes U+FFFD

// Reads the members of one JSON object and remembers the first complaint; members that are not
// asked for are ignored, so that a newer side may say more. After the complaint everything is
// empty. Keeps references: shorter lived than the object and the name.
class JsonFields {
 public:
  JsonFields(const nlohmann::json& object, std::string_view name);
  enum class Need : std::uint8_t { required, optional };

  std::string text(const char* key, std::size_t most, Need need = Need::required);
  std::string word(const char* key, Need need = Need::required);  // visible ASCII, no blanks
  std::string uuid(const char* key, Need need = Need::required);
  std::string instance(const char* key, Need need = Need::required);
  std::string sha256(const char* key);  // 64 hexadecimal digits or nothing
  std::string url(const char* key);
  Timestamp time(const char* key, Need need = Need::required);  // missing: Timestamp{}
  std::uint64_t number(const char* key, std::uint64_t most, Need need = Need::required);
  bool flag(const char* key, bool otherwise);
  // Any value as JSON text; "{}" where there is none.
  std::string json_value(const char* key, std::size_t most);
  std::string json_object(const char* key, std::size_t most);
  // A list, perhaps empty, which it also is after a complaint.
  const nlohmann::json& list(const char* key, std::size_t most, Need need = Need::required);
  const nlohmann::json& object(const char* key);
  std::size_t one_of(const char* key, const std::vector<std::string_view>& words);  // which

  void complain(const char* key, std::string cause);
  void take_complaint(const JsonFields& part);
  bool is_good() const { return cause_.empty(); }
  Error error() const;

 private:
  const nlohmann::json* find(const char* key, Need need);

  const nlohmann::json& object_;
  std::string_view name_;
  std::string where_, cause_;
};

}  // namespace beaconry
