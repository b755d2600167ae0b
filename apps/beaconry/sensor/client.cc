#include "sensor/client.h"

#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/text.h"
#include "http/client.h"
#include "subcommand.h"

namespace beaconry {
namespace {

constexpr const char* kSocket = "/run/beaconry-sensor/sensor.sock";

std::string user() {
  const char* by_sudo = std::getenv("SUDO_USER");
  if (by_sudo != nullptr && *by_sudo != '\0') return by_sudo;
  const passwd* entry = ::getpwuid(::getuid());
  return entry == nullptr ? std::to_string(::getuid()) : entry->pw_name;
}

Error refusal(const HttpResponse& response) {
  const Json json = Json::parse(response.body, nullptr, false);
  std::string words = json.is_object() ? text_at(json, "error") : std::string();
  if (words.empty()) words = "the sensor answered " + std::to_string(response.status);
  return {response.status == 404 ? ErrorKind::not_found : ErrorKind::io, "", "", std::move(words)};
}

}  // namespace

std::shared_ptr<SensorOptions> SensorOptions::add_to(CLI::App& app) {
  auto options = std::make_shared<SensorOptions>();
  app.add_option("--socket", options->socket,
                 std::string("The sensor's socket [BEACONRY_SENSOR_SOCKET, else ") + kSocket + "]")
      ->group("Sensor");
  app.add_flag("--json", options->json, "As JSON");
  return options;
}

SensorClient::SensorClient(const SensorOptions& options) {
  const char* variable = std::getenv("BEACONRY_SENSOR_SOCKET");
  std::string socket = options.socket;
  if (socket.empty() && variable != nullptr) socket = variable;
  if (socket.empty()) socket = kSocket;
  url_ = "unix:" + socket;
}

Result<std::string> SensorClient::ask(const std::string& method, const std::string& path,
                                      const std::string& body, std::chrono::seconds patience) {
  HttpClient::Options options;
  options.url = url_;
  options.timeout = patience;
  auto client = HttpClient::make(options);
  if (!client) return tl::unexpected<Error>(std::move(client.error()));
  HttpRequest request;
  request.method = method;
  request.target = path;
  request.body = body;
  request.headers = {{"beaconry-user", user()}};
  if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
  auto response = (*client)->send(request);
  if (!response) {
    Error error = std::move(response.error());
    error.cause += error.cause == "permission denied"
                       ? "; run this as root"
                       : "; is the sensor running (systemctl status beaconry-sensor)?";
    return tl::unexpected<Error>(std::move(error));
  }
  if (response->status / 100 != 2) return tl::unexpected<Error>(refusal(*response));
  return std::move(response->body);
}

Result<Json> SensorClient::get(const std::string& path) {
  const auto text = ask("GET", path);
  if (!text) return tl::unexpected<Error>(text.error());
  return parse_answer(*text);
}

Result<Json> SensorClient::instance(const std::string& name) {
  return get(instance_path(name));
}

int with_sensor(const SensorOptions& options,
                const std::function<Result<int>(SensorClient&)>& work) {
  SensorClient client(options);
  const auto status = work(client);
  if (status) return *status;
  const std::string words = status.error().message();
  const char* head = "beaconry: ";
  for (const auto line : split(words, '\n'))
    std::fprintf(stderr, "%s%s\n", std::exchange(head, ""), terminal_safe(line).c_str());
  return status.error().kind == ErrorKind::usage ? kExitUsage : kExitFound;
}

std::string instance_path(const std::string& name, const std::string& rest) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string path = "/v1/instances/";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
        c == '-') {
      path += c;
    } else {
      path += '%';
      path += kHex[byte >> 4];
      path += kHex[byte & 15];
    }
  }
  return path + rest;
}

bool say(const std::string& text) {
  std::string line = text;
  if (line.empty() || line.back() != '\n') line += '\n';
  return std::fputs(line.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
}

std::string json_line(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace beaconry
