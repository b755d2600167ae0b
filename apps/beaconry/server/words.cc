#include "server/words.h"

#include <algorithm>

#include "base/text.h"
#include "hunt/output/terminal.h"

namespace beaconry {
namespace {

constexpr std::size_t kWidth = 80, kShortTime = 19;

}  // namespace

std::string short_time(std::string text) {
  if (text.size() < kShortTime || text[10] != 'T') return text;
  text.resize(kShortTime);
  text[10] = ' ';
  return text;
}

std::string age_of(const Json& json, const char* path, Timestamp now) {
  const auto then = parse_rfc3339(text_at(json, path));
  if (!then) return {};
  // A clock that is behind the server's makes nothing happen in the future.
  const auto age =
      std::max(std::chrono::floor<std::chrono::seconds>(now - *then), std::chrono::seconds{0});
  return age < std::chrono::minutes{2} ? std::to_string(age.count()) + 's' : to_words(age);
}

std::string since_text(const Json& json, const char* path, Timestamp now) {
  const std::string time = short_time(text_at(json, path)), age = age_of(json, path, now);
  return age.empty() ? time : time + " (" + age + ")";
}

std::string field_line(std::string_view name, std::string_view value, std::size_t width) {
  if (value.empty()) return {};
  return "  " + pad_right(std::string(name), width) + wrap(value, kWidth - 2, width + 2) + '\n';
}

std::string names_text(const Json& list, std::size_t most) {
  std::string text;
  std::size_t shown = 0;
  for (const Json& each : list) {
    if (shown == most) break;
    text += (shown++ == 0 ? "" : ", ") +
            terminal_safe(each.is_string() ? each.get<std::string>() : each.dump());
  }
  if (list.size() > shown) text += " and " + std::to_string(list.size() - shown) + " more";
  return text;
}

std::string counted(std::uint64_t count, const char* one, const char* many) {
  return with_thousands(count) + ' ' + (count == 1 ? one : many);
}

std::string labels_text(const Json& labels) {
  std::string text;
  if (!labels.is_object()) return text;
  for (const auto& [key, value] : labels.items()) {
    text += (text.empty() ? "" : ",") + terminal_safe(key) + '=' +
            terminal_safe(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

}  // namespace beaconry
