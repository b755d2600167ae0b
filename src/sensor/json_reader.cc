#include "sensor/json_reader.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace beaconry {

using Json = nlohmann::json;

JsonReader::JsonReader(const Json& value, std::string pointer, const Place& place,
                       std::optional<Error>& fault)
    : value_(value), pointer_(std::move(pointer)), place_(place), fault_(fault) {
  if (!value_.is_object()) refuse("", "is no map");
}

const Json* JsonReader::take(const char* key) {
  asked_.emplace_back(key);
  if (!value_.is_object()) return nullptr;
  const auto found = value_.find(key);
  return found == value_.end() ? nullptr : &*found;
}

std::string JsonReader::text(const char* key, std::size_t longest) {
  const Json* value = take(key);
  if (value == nullptr || value->is_null()) return {};
  if (!value->is_string()) {
    refuse(key, "is no text");
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() > longest) {
    refuse(key, "is longer than " + std::to_string(longest) + " bytes");
    return {};
  }
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    refuse(key, "holds a control character");
    return {};
  }
  return text;
}

bool JsonReader::boolean(const char* key, bool fallback) {
  const Json* value = take(key);
  if (value == nullptr || value->is_null()) return fallback;
  if (!value->is_boolean()) {
    refuse(key, "is neither true nor false");
    return fallback;
  }
  return value->get<bool>();
}

std::uint64_t JsonReader::count(const char* key, std::uint64_t fallback, std::uint64_t least,
                                std::uint64_t most) {
  const Json* value = take(key);
  if (value == nullptr || value->is_null()) return fallback;
  const bool whole = value->is_number_unsigned();
  if (!whole || value->get<std::uint64_t>() < least || value->get<std::uint64_t>() > most) {
    refuse(key, "is no whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return fallback;
  }
  return value->get<std::uint64_t>();
}

std::vector<std::string> JsonReader::texts(const char* key, std::size_t most, std::size_t longest) {
  std::vector<std::string> texts;
  const Json* value = take(key);
  if (value == nullptr || value->is_null()) return texts;
  if (!value->is_array() || value->size() > most) {
    refuse(key, "is no list of at most " + std::to_string(most));
    return texts;
  }
  for (const Json& one : *value) {
    if (!one.is_string() || one.get_ref<const std::string&>().size() > longest) {
      refuse(key, "holds what is no text of at most " + std::to_string(longest) + " bytes");
      return {};
    }
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

void JsonReader::list(const char* key, std::size_t most,
                      const std::function<void(JsonReader&)>& item) {
  const Json* value = take(key);
  if (value == nullptr || value->is_null()) return;
  if (!value->is_array() || value->size() > most) {
    refuse(key, "is no list of at most " + std::to_string(most));
    return;
  }
  for (std::size_t i = 0; i < value->size() && !fault_; ++i) {
    JsonReader reader((*value)[i], pointer_ + '/' + key + '/' + std::to_string(i), place_, fault_);
    if (!fault_) item(reader);
  }
}

void JsonReader::members(const char* key,
                         const std::function<void(const std::string&, JsonReader&)>& member) {
  const Json* value = take(key);
  if (value == nullptr || value->is_null()) return;
  if (!value->is_object()) {
    refuse(key, "is no map");
    return;
  }
  for (const auto& [name, one] : value->items()) {
    if (fault_) return;
    JsonReader reader(one, pointer_ + '/' + key + '/' + name, place_, fault_);
    if (!fault_) member(name, reader);
  }
}

void JsonReader::refuse(const std::string& key, const std::string& why) {
  if (fault_) return;
  const std::string pointer = key.empty() ? pointer_ : pointer_ + '/' + key;
  fault_ = Error{ErrorKind::malformed, "read", terminal_safe(place_(pointer)), why};
}

void JsonReader::done() {
  if (!value_.is_object()) return;
  for (const auto& [key, ignored] : value_.items()) {
    if (std::find(asked_.begin(), asked_.end(), key) != asked_.end()) continue;
    const std::string_view meant = nearest_word(key, asked_);
    refuse(key, meant.empty() ? "is unknown here"
                              : "is unknown here; did you mean '" + std::string(meant) + "'?");
    return;
  }
}

}  // namespace beaconry
