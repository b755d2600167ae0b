#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/ask.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string instance;
  std::uint64_t bytes = 0;
  bool json = false;
};

// Lines of the instrument's own, made harmless one by one.
std::string log_text(const Json& answer) {
  const auto found = answer.find("text");
  const std::string raw =
      found != answer.end() && found->is_string() ? found->get<std::string>() : std::string();
  if (raw.empty()) return "Its log is empty.\n";
  std::string text;
  for (const auto line : split(trim(raw), '\n'))
    text += terminal_safe(line) + '\n';
  return text;
}

Result<void> show(Server& server, const Options& options) {
  const auto name = parse_instance(options.instance);
  if (!name) return tl::unexpected<Error>(name.error());
  Json body = {{"what", "log"}, {"instance", utf8_valid(name->instance)}};
  if (options.bytes > 0) body["bytes"] = options.bytes;
  const auto answer = wait_for_sensor(
      server,
      server.post("/api/v1/fleet/sensors/" + percent_encoded(name->sensor) + "/asks", body.dump()),
      name->sensor);
  if (!answer) return tl::unexpected<Error>(answer.error());
  return print(options.json ? answer->dump() + '\n' : log_text(*answer));
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("instrument", options->instance, "Such as beacon_0@sensor001")->required();
  app.add_option("--bytes", options->bytes, "So much of its end [64 KiB]")
      ->check(CLI::Range(1, 512 << 10));
  app.add_flag("--json", options->json, "Print the sensor's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return
      [=] { return with_server(*access, [&](Server& server) { return show(server, *options); }); };
}

}  // namespace

extern const Subcommand fleet_log;
constinit const Subcommand fleet_log{"log", "Print the end of an instrument's log, from afar",
                                     define};

}  // namespace beaconry::fleet_commands
