#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "server/access.h"
#include "simulate_live.h"
#include "source/simulate/pcap_writer.h"
#include "source/simulate/recipe.h"
#include "source/simulate/truth.h"
#include "source/simulate/zeek_writer.h"
#include "subcommand.h"
#include "validators.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string preset = "day";
  std::string format = "zeek";
  std::string out;
  std::uint64_t seed = 1;
  std::optional<std::uint64_t> variation;
  std::optional<double> hours;
  std::optional<int> hosts;
  std::vector<std::string> implants;
  std::string to;
  std::shared_ptr<ServerOptions> server;
  std::string interval = "60s", backfill = "0", length;
};

int refuse(const Error& error, int status) {
  std::fprintf(stderr, "beaconry simulate: %s\n", error.message().c_str());
  return status;
}

Result<void> write(const simulate::Traffic& traffic, const Options& options) {
  if (options.format != "pcap") {
    return simulate::write_zeek(
        traffic, options.out,
        options.format == "zeek" ? simulate::ZeekFormat::tsv : simulate::ZeekFormat::json);
  }
  std::error_code error;
  std::filesystem::create_directories(options.out, error);
  if (error) return fail(ErrorKind::io, "make folder", options.out, error.message());
  return simulate::write_pcap(traffic, options.out + "/traffic.pcap");
}

int run_live(const Options& options) {
  LiveSimulation live;
  live.seed = options.seed;
  if (options.hosts) live.hosts = *options.hosts;
  const auto duration = [](const std::string& text, Duration& length) {
    const auto seconds = parse_duration_seconds(text);
    if (seconds) length = Duration{std::llround(*seconds * 1e6)};
    return seconds.has_value();
  };
  if (!duration(options.interval, live.interval) || live.interval < std::chrono::seconds{1} ||
      !duration(options.backfill, live.backfill) ||
      (!options.length.empty() && !duration(options.length, live.length))) {
    return refuse(Error{ErrorKind::usage, "read", "--interval, --backfill or --for",
                        "write a length such as 90s, 5m or 1h; the interval is at least 1s"},
                  kExitUsage);
  }
  ServerOptions at = *options.server;
  at.host = options.to;
  auto server = Server::connect(at);
  if (!server) return refuse(server.error(), kExitUsage);
  return simulate_live(live, *server);
}

int run(const Options& options) {
  if (!options.to.empty()) return run_live(options);
  if (options.out.empty()) {
    return refuse(Error{ErrorKind::usage, "write", "", "give --out FOLDER or --to URL"},
                  kExitUsage);
  }
  std::optional<simulate::Recipe> recipe = simulate::preset(options.preset, options.seed);
  if (!recipe) return kExitUsage;
  if (options.variation) simulate::vary(*recipe, *options.variation);
  if (options.hours) recipe->hours = *options.hours;
  if (options.hosts) recipe->hosts = *options.hosts;
  if (!options.implants.empty()) recipe->implants.clear();
  for (const std::string& text : options.implants) {
    auto plan = simulate::parse_implant(text);
    if (!plan) return refuse(plan.error(), kExitUsage);
    recipe->implants.push_back(*plan);
  }
  const simulate::Traffic traffic = simulate::simulate(*recipe);
  const auto written = write(traffic, options);
  if (!written) return refuse(written.error(), kExitFound);
  const auto truth = simulate::write_truth(traffic, options.out + "/truth.json");
  if (!truth) return refuse(truth.error(), kExitFound);
  std::size_t malicious = 0;
  for (const simulate::TruthPair& pair : traffic.truth) {
    if (pair.label == simulate::TruthLabel::malicious) ++malicious;
  }
  std::printf("%s connections, %zu infected and %zu harmless periodic pairs -> %s\n",
              with_thousands(traffic.flows.size()).c_str(), malicious,
              traffic.truth.size() - malicious, options.out.c_str());
  return kExitDone;
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--out", options->out, "Folder to write to, with truth.json");
  app.add_option("--to", options->to,
                 "Instead, send a beacon and other traffic to this server as it happens, such as "
                 "http://127.0.0.1:9090")
      ->excludes("--out");
  options->server = ServerOptions::add_to(app);
  app.get_option("--host")->excludes("--to");
  app.add_option("--interval", options->interval, "With --to: how often the beacon calls home")
      ->capture_default_str();
  app.add_option("--backfill", options->backfill,
                 "With --to: first send so much of the past, such as 1h")
      ->capture_default_str();
  app.add_option("--for", options->length, "With --to: how long; else until stopped");
  app.add_option("--preset", options->preset,
                 "day: 800 hosts, 24 hours, 42 infected pairs; "
                 "demo: a small network, 30 minutes; weeks: sleeps "
                 "of 6 to 24 hours over three weeks")
      ->check(CLI::IsMember({"day", "demo", "weeks"}))
      ->capture_default_str();
  app.add_option("--format", options->format,
                 "zeek or zeek-json: a folder of logs; pcap: traffic.pcap")
      ->check(CLI::IsMember({"zeek", "zeek-json", "pcap"}))
      ->capture_default_str();
  app.add_option("--seed", options->seed, "The same seed gives the same traffic")
      ->check(not_negative())
      ->capture_default_str();
  app.add_option("--vary", options->variation,
                 "Draw network, schedules and infections anew from wider ranges, by this number")
      ->check(not_negative());
  app.add_option("--hours", options->hours, "How long")->check(number_between(0.01, 24.0 * 366));
  app.add_option("--hosts", options->hosts, "How many internal hosts")->check(CLI::Range(1, 20000));
  app.add_option("--implants", options->implants,
                 "Instead of the preset's: KIND:SLEEP[:JITTER%][:KEY=VALUE...], such as "
                 "cobalt-strike:60s:20%:loss=30%; may be repeated")
      ->allow_extra_args(false);
  return [options] { return run(*options); };
}

}  // namespace

extern const Subcommand simulate;
constinit const Subcommand simulate{"simulate", "Write labelled traffic with implants in it",
                                    define};

}  // namespace beaconry::subcommands
