#include "control/body.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestText = 64 << 10;

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "the body", std::move(cause));
}

}  // namespace

Result<Body> Body::parse(std::string_view json, std::initializer_list<std::string_view> known) {
  const auto document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object()) return malformed("it is not a JSON object");
  Body body;
  for (const auto& [name, value] : document.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string words;
      for (const auto word : known)
        words += (words.empty() ? "" : ", ") + std::string(word);
      return malformed(in_quotes(name) + " is not one of " + words);
    }
    if (value.is_null()) continue;
    if (value.is_string()) {
      body.fields_.emplace_back(name, value.get<std::string>());
    } else if (value.is_number() || value.is_boolean()) {
      body.fields_.emplace_back(name, value.dump());
    } else {
      return malformed('\'' + name + "' is not a text");
    }
    if (body.fields_.back().second.size() > kLongestText) {
      return malformed('\'' + name + "' is too long");
    }
  }
  return body;
}

std::string Body::text_or(std::string_view name, std::string fallback) {
  for (const auto& [key, value] : fields_) {
    if (key == name && !value.empty()) return value;
  }
  return fallback;
}

std::string Body::text(std::string_view name) {
  std::string value = text_or(name, {});
  if (value.empty()) refuse('\'' + std::string(name) + "' is required");
  return value;
}

std::optional<Timestamp> Body::time(std::string_view name, Timestamp now) {
  const std::string value = text_or(name, {});
  if (value.empty()) return std::nullopt;
  if (const auto seconds = parse_duration_seconds(value); seconds && *seconds > 0) {
    constexpr double kLongest = 100 * 366 * 86'400.0;
    return now + std::chrono::duration_cast<Duration>(
                     std::chrono::duration<double>(std::min(*seconds, kLongest)));
  }
  auto time = parse_rfc3339(value);
  if (!time) {
    refuse('\'' + std::string(name) +
           "' must be a time such as 2026-12-31T00:00:00Z, or a "
           "length such as 7d");
  } else if (*time <= now) {
    refuse('\'' + std::string(name) + "' has passed already");
  }
  return time;
}

void Body::refuse(std::string words) {
  if (error_.empty()) error_ = std::move(words);
}

}  // namespace beaconry
