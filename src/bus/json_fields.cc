#include "bus/json_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "base/text.h"
#include "bus/messages.h"
#include "bus/topics.h"

namespace beaconry {
namespace {

using nlohmann::json;

// Nesting is counted before anything is built: what walks a value recurses.
bool is_flat_enough(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false, escaped = false;
  for (const char c : text) {
    if (quoted) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > bounds::kDepth) return false;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return true;
}

bool is_visible(char c) {
  return c > ' ' && c < '\x7f';
}

const json& empty_list() {
  static const json list = json::array();
  return list;
}

const json& empty_object() {
  static const json object = json::object();
  return object;
}

}  // namespace

Result<json> parse_json(std::string_view text, std::size_t most_bytes) {
  if (text.size() > most_bytes) {
    return fail(ErrorKind::limit, "read", "JSON",
                "longer than " + bytes_in_words(static_cast<double>(most_bytes)));
  }
  if (!is_flat_enough(text)) {
    return fail(ErrorKind::limit, "read", "JSON",
                "nested deeper than " + std::to_string(bounds::kDepth));
  }
  auto value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return fail(ErrorKind::malformed, "read", "JSON", "it is none");
  return value;
}

json json_or_text(const std::string& text) {
  auto value = parse_json(text, bounds::kMessage);
  return value ? std::move(*value) : json(utf8_valid(text.substr(0, bounds::kText)));
}

std::string json_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

JsonFields::JsonFields(const json& object, std::string_view name) : object_(object), name_(name) {
  if (!object.is_object()) cause_ = "it is no JSON object";
}

void JsonFields::complain(const char* key, std::string cause) {
  if (!is_good()) return;
  where_ = key;
  cause_ = std::move(cause);
}

void JsonFields::take_complaint(const JsonFields& part) {
  if (!is_good() || part.is_good()) return;
  where_ = std::string(part.name_) + (part.where_.empty() ? "" : "." + part.where_);
  cause_ = part.cause_;
}

Error JsonFields::error() const {
  return {ErrorKind::malformed, "read", std::string(name_) + (where_.empty() ? "" : "." + where_),
          cause_};
}

const json* JsonFields::find(const char* key, Need need) {
  if (!is_good()) return nullptr;
  const auto found = object_.find(key);
  if (found != object_.end() && !found->is_null()) return &*found;
  if (need == Need::required) complain(key, "it is missing");
  return nullptr;
}

std::string JsonFields::text(const char* key, std::size_t most, Need need) {
  const json* value = find(key, need);
  if (value == nullptr) return {};
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr) {
    complain(key, "it is no text");
  } else if (text->size() > most) {
    complain(key, "longer than " + std::to_string(most) + " bytes");
  } else {
    return *text;
  }
  return {};
}

std::string JsonFields::word(const char* key, Need need) {
  std::string word = text(key, bounds::kWord, need);
  if (!std::all_of(word.begin(), word.end(), is_visible)) complain(key, "it is no plain word");
  if (word.empty() && need == Need::required) complain(key, "it is empty");
  return is_good() ? word : std::string{};
}

std::string JsonFields::uuid(const char* key, Need need) {
  std::string uuid = text(key, bounds::kWord, need);
  if (uuid.empty() && need == Need::optional) return uuid;
  if (!is_uuid(uuid)) complain(key, "it is no UUID in lower case");
  return is_good() ? uuid : std::string{};
}

std::string JsonFields::instance(const char* key, Need need) {
  std::string name = text(key, bounds::kWord, need);
  if (name.empty() && need == Need::optional) return name;
  if (!InstanceName::parse(name)) complain(key, "it is no instance: NAME_0");
  return is_good() ? name : std::string{};
}

std::string JsonFields::sha256(const char* key) {
  std::string sum = text(key, 64, Need::optional);
  if (sum.empty()) return sum;
  if (!is_lower_hex(sum, 64)) {
    complain(key, "it is no SHA-256: 64 hexadecimal digits in lower case");
  }
  return is_good() ? sum : std::string{};
}

std::string JsonFields::url(const char* key) {
  std::string url = text(key, bounds::kUrl);
  if ((!url.starts_with("http://") && !url.starts_with("https://")) ||
      !std::all_of(url.begin(), url.end(), is_visible)) {
    complain(key, "it is no http:// or https:// address");
  }
  return is_good() ? url : std::string{};
}

Timestamp JsonFields::time(const char* key, Need need) {
  const std::string written = text(key, bounds::kWord, need);
  if (written.empty() && (need == Need::optional || !is_good())) return {};
  const auto time = parse_rfc3339(written);
  // A whole one with its zone: what RFC 3339 leaves open is not taken.
  const bool zoned =
      written.size() >= 20 && written[10] == 'T' &&
      (written.back() == 'Z' || written.find_first_of("+-", 19) != std::string::npos);
  if (!time || !zoned) {
    complain(key, "it is no RFC 3339 time: 2026-11-21T18:00:00.000Z");
    return {};
  }
  return *time;
}

std::uint64_t JsonFields::number(const char* key, std::uint64_t most, Need need) {
  const json* value = find(key, need);
  if (value == nullptr) return 0;
  if (!value->is_number_unsigned()) {
    complain(key, "it is no whole number from 0 on");
    return 0;
  }
  const auto number = value->get<std::uint64_t>();
  if (number <= most) return number;
  complain(key, "more than " + std::to_string(most));
  return 0;
}

bool JsonFields::flag(const char* key, bool otherwise) {
  const json* value = find(key, Need::optional);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) {
    complain(key, "it is neither true nor false");
    return otherwise;
  }
  return value->get<bool>();
}

std::string JsonFields::json_value(const char* key, std::size_t most) {
  const nlohmann::json* value = find(key, Need::optional);
  if (value == nullptr) return "{}";
  std::string text = json_text(*value);
  if (text.size() <= most) return text;
  complain(key, "longer than " + bytes_in_words(static_cast<double>(most)));
  return "{}";
}

std::string JsonFields::json_object(const char* key, std::size_t most) {
  const nlohmann::json* value = find(key, Need::optional);
  if (value != nullptr && !value->is_object()) complain(key, "it is no JSON object");
  return json_value(key, most);
}

const nlohmann::json& JsonFields::list(const char* key, std::size_t most, Need need) {
  const nlohmann::json* value = find(key, need);
  if (value == nullptr) return empty_list();
  if (!value->is_array()) {
    complain(key, "it is no list");
  } else if (value->size() > most) {
    complain(key, "more than " + std::to_string(most) + " items");
  } else {
    return *value;
  }
  return empty_list();
}

const nlohmann::json& JsonFields::object(const char* key) {
  const nlohmann::json* value = find(key, Need::required);
  return value == nullptr ? empty_object() : *value;
}

std::size_t JsonFields::one_of(const char* key, const std::vector<std::string_view>& words) {
  const std::string word = text(key, bounds::kWord);
  const auto found = std::find(words.begin(), words.end(), word);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  std::string all;
  for (const std::string_view one : words)
    all += (all.empty() ? "" : ", ") + std::string(one);
  complain(key, "it is none of " + all);
  return 0;
}

}  // namespace beaconry
