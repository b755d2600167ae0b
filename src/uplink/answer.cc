#include "uplink/answer.h"

#include <ctime>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostWords = 300;
constexpr std::size_t kMostJson = 64 << 10;

// A string field of a JSON object, or nothing: an answer may be of anything in between.
std::optional<std::string> field_of(const HttpResponse& answer, const char* name) {
  if (answer.body.size() > kMostJson) return {};
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  if (!json.is_object()) return {};
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

std::optional<Timestamp> parse_http_date(std::string_view text) {  // RFC 9110 §5.6.7
  const std::string copy(text);
  std::tm parts{};
  const char* end = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return {};
  const Timestamp time{std::chrono::seconds{::timegm(&parts)}};
  if (time < kEarliest || time > kLatest) return {};
  return time;
}

}  // namespace

std::optional<Timestamp> server_time(const HttpResponse& answer) {
  if (const auto told = field_of(answer, "server_time")) {
    if (const auto time = parse_rfc3339(*told)) return time;
  }
  return parse_http_date(answer.header("date"));
}

bool says_accepted(const HttpResponse& answer) {
  return answer.status / 100 == 2 && field_of(answer, "status") == "accepted";
}

std::string words_of_answer(const HttpResponse& answer) {
  std::string words = "status " + std::to_string(answer.status);
  for (const char* name : {"error", "message"}) {
    if (const auto told = field_of(answer, name)) {
      return words + ": " + terminal_safe(told->substr(0, kMostWords));
    }
  }
  if (answer.content_type.starts_with("text/plain") && !answer.body.empty()) {
    words += ": " + terminal_safe(trim(answer.body.substr(0, kMostWords)));
  }
  return words;
}

std::optional<std::chrono::seconds> retry_after(const HttpResponse& answer) {
  constexpr std::uint64_t kMost = 24 * 3600;
  const auto seconds = parse_unsigned(answer.header("retry-after"));
  if (!seconds) return {};
  return std::chrono::seconds{std::min(*seconds, kMost)};
}

}  // namespace beaconry
