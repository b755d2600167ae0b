#include "server/ask.h"

#include <chrono>
#include <thread>

#include "base/text.h"
#include "http/target.h"

namespace beaconry {
namespace {

// The server gives up after 30 s; this, somewhat later.
constexpr std::chrono::seconds kPatience{45};
constexpr std::chrono::milliseconds kBetween{250};

}  // namespace

Result<InstanceName> parse_instance(const std::string& text) {
  const std::size_t at = text.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) {
    return fail(ErrorKind::usage, "read", '\'' + terminal_safe(text) + '\'',
                "write an instrument and its sensor: beacon_0@sensor001");
  }
  return InstanceName{text.substr(0, at), text.substr(at + 1)};
}

Result<Json> wait_for_sensor(Server& server, const Result<std::string>& asked,
                             const std::string& sensor) {
  const auto question = parsed_answer(asked);
  if (!question) return question;
  const std::string path = "/api/v1/fleet/asks/" + percent_encoded(text_at(*question, "id"));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  auto told = parsed_answer(server.get(path));
  while (told && text_at(*told, "state") == "waiting" && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(kBetween);
    told = parsed_answer(server.get(path));
  }
  if (!told) return told;
  if (text_at(*told, "state") != "answered") {
    return fail(ErrorKind::io, "ask", terminal_safe(sensor),
                "it did not answer within 30 s; `beaconry fleet show " + terminal_safe(sensor) +
                    "` says whether it is there");
  }
  Json answer = told->value("answer", Json::object());
  if (text_at(answer, "ok") == "false" || !text_at(answer, "error").empty()) {
    return fail(ErrorKind::io, "ask", terminal_safe(sensor), text_at(answer, "error"));
  }
  return answer;
}

}  // namespace beaconry
