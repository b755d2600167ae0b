#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/status_socket.h"
#include "base/text.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return "-";
  return terminal_safe(found->is_string() ? found->get<std::string>() : found->dump());
}

// Counters that are not zero, "packets=12 pings=3".
std::string counters_text(const Json& counters) {
  std::string text;
  if (!counters.is_object()) return text;
  for (const auto& [name, value] : counters.items()) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0) continue;
    text += (text.empty() ? "" : " ") + terminal_safe(name) + '=' +
            with_thousands(value.get<std::uint64_t>());
  }
  return text.empty() ? "nothing yet" : text;
}

void print_home(const Json& home) {
  std::printf("Home '%s', version %s, up for %s s, key %s\n", text_of(home, "name").c_str(),
              text_of(home, "version").c_str(), text_of(home, "uptime_seconds").c_str(),
              text_of(home, "box_public").c_str());
  std::puts("Receivers");
  const Json receivers = home.value("receivers", Json::object());  // outlives items()
  for (const auto& [name, one] : receivers.items()) {
    const bool open = one.value("open", false);
    std::printf("  %-8s %s\n", terminal_safe(name).c_str(),
                open ? counters_text(one.value("counters", Json::object())).c_str()
                     : ("NOT THERE: " + text_of(one, "fault")).c_str());
  }
  std::printf("Pings     %s\n", counters_text(home.value("counters", Json::object())).c_str());
  const Json probes = home.value("probes", Json::array());
  std::printf("Probes    %zu, from %s\n", probes.size(), text_of(home, "probes_from").c_str());
  for (const Json& probe : probes) {
    std::printf("  %s %-20s %sheard %s, %s pings, %s answered\n", text_of(probe, "id").c_str(),
                text_of(probe, "name").c_str(), probe.value("retired", false) ? "RETIRED, " : "",
                text_of(probe, "heard").c_str(), text_of(probe, "pings").c_str(),
                text_of(probe, "answers").c_str());
  }
  const Json spool = home.value("spool", Json::object());
  std::printf("Spool     %s batches wait in %s, %s dropped\n", text_of(spool, "waiting").c_str(),
              text_of(spool, "folder").c_str(), text_of(spool, "dropped").c_str());
  const Json server = home.value("server", Json::object());
  const std::string url = text_of(server, "url");
  if (url.empty() || url == "-") {
    std::puts("Server    none: join one (beaconry enroll home NAME, on the server)");
    return;
  }
  // Before its first batch only the list of probes tells whether the server is there.
  const Json list = server.value("probes", Json::object());
  const bool connected = server.value("connected", false) ||
                         (server.value("sent", 0) == 0 && list.value("connected", false));
  std::printf("Server    %s, %s, %s batches sent%s%s\n", url.c_str(),
              connected ? "connected" : "NOT CONNECTED", text_of(server, "sent").c_str(),
              text_of(server, "last_error").empty() ? "" : "; last error: ",
              text_of(server, "last_error").c_str());
}

std::function<int()> define(CLI::App& app) {
  struct Options {
    std::string socket = "/run/beaconry-home/socket";
    bool json = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* status = app.add_subcommand("status",
                                        "How the home on this machine is: its receivers, "
                                        "probes, spool and server");
  status->add_option("--socket", options->socket, "Home's local socket")->capture_default_str();
  status->add_flag("--json", options->json, "Print home's answer as it is");
  app.require_subcommand(1);
  return [options] {
    const auto answer = ask_status(options->socket);
    if (!answer) {
      std::fprintf(stderr, "beaconry: %s\n", terminal_safe(answer.error().message()).c_str());
      return kExitFound;
    }
    if (options->json) {
      std::fputs(answer->c_str(), stdout);
      return kExitDone;
    }
    const Json home = Json::parse(*answer, nullptr, false);
    if (!home.is_object()) {
      std::fprintf(stderr, "beaconry: what answers at %s is no home\n",
                   terminal_safe(options->socket).c_str());
      return kExitFound;
    }
    print_home(home);
    return kExitDone;
  };
}

}  // namespace

extern const Subcommand home;
constinit const Subcommand home{"home", "Show the state of the home on this machine", define};

}  // namespace beaconry::subcommands
