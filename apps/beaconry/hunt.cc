#include "hunt/hunt.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "beaconry_version.h"
#include "hunt/hunt_config.h"
#include "hunt/output/explain.h"
#include "hunt/output/find_pair.h"
#include "hunt/output/previous.h"
#include "hunt/output/write_report.h"
#include "hunt/policy.h"
#include "source/read.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string format = "table", config, report, explain, since_report;
  std::vector<std::string> internal, allow, allow_files;
  std::vector<std::string> notes;
  double min_score = -1;
  std::size_t limit = 0;
  bool all = false, exit_code = false, colour = false, no_colour = false;
  unsigned threads = 0;
};

int complain(const Error& error, int status) {
  std::fprintf(stderr, "beaconry hunt: %s\n", error.message().c_str());
  return status;
}

int run(const Options& options) {
  const auto started = std::chrono::steady_clock::now();
  HuntConfig config;
  HuntSettings settings;
  settings.detection = config.detection;
  settings.networks = config.networks;
  settings.threads = options.threads != 0
                         ? options.threads
                         : std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
  Hunt hunt(settings);
  ReadOptions read;
  read.paths = options.inputs;
  read.networks = settings.networks;
  read.burst_gap = settings.detection.burst_gap;
  ReadReport read_report;
  read_inputs(read, hunt.sinks(), read_report);
  HuntReport report;
  report.version = BEACONRY_VERSION;
  report.made = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  report.all = options.all;
  report.limit = options.limit;
  report.inputs = options.inputs;
  hunt.score(report);
  report.take(read_report);
  report.check_ins = [&](const ScoredPair& pair) { return hunt.check_ins(pair); };
  apply_allow_list(config.allow, report);
  apply_baseline(config.baseline, report);
  apply_least_score(options.min_score >= 0 ? options.min_score : settings.detection.alert_threshold,
                    report);
  for (ScoredPair& pair : report.pairs) {
    if (report.all || shown_by_default(pair)) hunt.complete(pair);
  }
  report.took_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  const auto format = parse_format(options.format);
  const Terminal terminal = terminal_of(ColourChoice::automatic, surroundings_of(1));
  if (!options.explain.empty()) {
    const auto pair = find_pair(report, options.explain);
    if (!pair) return complain(pair.error(), kExitUsage);
    hunt.complete(const_cast<ScoredPair&>(**pair));
    std::cout << explain_text(**pair, report, terminal);
    return 0;
  }
  if (auto written = write_report(report, *format, terminal, std::cout); !written) {
    return complain(written.error(), kExitFound);
  }
  if (!options.report.empty()) {
    if (auto w = write_html_file(report, options.report); !w)
      return complain(w.error(), kExitFound);
  }
  return kExitDone;
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("FILE", options->inputs, "inputs")->required();
  app.add_option("--format", options->format, "table, csv, ndjson or json");
  app.add_option("--explain", options->explain, "one pair");
  app.add_option("--report", options->report, "HTML page");
  app.add_option("--min-score", options->min_score, "least score");
  app.add_option("--limit", options->limit, "limit");
  app.add_option("--threads", options->threads, "threads");
  app.add_flag("--all", options->all, "all");
  return [options] { return run(*options); };
}

}  // namespace

extern const Subcommand hunt;
constinit const Subcommand hunt{"hunt", "Find the beacons in captures and logs", define};

}  // namespace beaconry::subcommands
