#include "hunt/hunt.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "hunt/hunt_config.h"
#include "hunt/output/explain.h"
#include "hunt/output/find_pair.h"
#include "hunt/output/notes.h"
#include "hunt/output/previous.h"
#include "hunt/output/summary.h"
#include "hunt/output/write_report.h"
#include "hunt/policy.h"
#include "progress.h"
#include "source/read.h"
#include "subcommand.h"
#include "validators.h"

namespace beaconry::subcommands {
namespace {

constexpr std::size_t kLargestAllowFile = 64U << 20;
constexpr unsigned kMostThreads = 64;
constexpr std::uint64_t kMostMemory = std::uint64_t{30} << 30;  // blocks are numbered to 32 GiB

struct Options {
  std::vector<std::string> inputs;
  std::string config, format = "table", explain, report, notes, since_report;
  std::vector<std::string> internal, allow, allow_files;
  std::optional<double> min_score;
  std::size_t limit = 0;
  unsigned threads = 0;
  std::uint64_t memory = std::uint64_t{2} << 30;
  bool all = false, exit_code = false, colour = false, no_colour = false;
};

int complain(const Error& error, int status) {
  std::fprintf(stderr, "beaconry hunt: %s\n", terminal_safe(error.message()).c_str());
  return status;
}

// The configuration file, with what the command line adds and overrides.
Result<HuntConfig> configured(const Options& options) {
  HuntConfig config;
  if (!options.config.empty()) {
    auto read = HuntConfig::read(options.config);
    if (!read) return tl::unexpected(read.error());
    config = std::move(*read);
  }
  if (!options.internal.empty()) {
    std::vector<Cidr> blocks;
    for (const std::string& text : options.internal) {
      const auto block = Cidr::parse(text);
      if (!block) {
        return fail(ErrorKind::usage, "--internal", text,
                    "not a block of addresses, as 10.0.0.0/8 or fd00::/8");
      }
      blocks.push_back(*block);
    }
    config.networks = Networks(std::move(blocks));
  }
  for (const std::string& entry : options.allow) {
    if (auto added = config.allow.add(entry, "--allow"); !added) {
      return tl::unexpected(added.error());
    }
  }
  for (const std::string& path : options.allow_files) {
    const auto text = read_small_file(path, kLargestAllowFile);
    if (!text) return tl::unexpected(text.error());
    if (auto added = config.allow.add_lines(*text, path); !added) {
      return tl::unexpected(added.error());
    }
  }
  return config;
}

// What earlier decisions and an earlier report say, read before the inputs: a mistyped path must
// not cost an hour.
struct Memory {
  std::vector<Note> notes;
  std::optional<PreviousReport> previous;
};

Result<Memory> remembered(const Options& options) {
  Memory memory;
  if (!options.notes.empty()) {
    auto notes = read_notes(options.notes);
    if (!notes) return tl::unexpected(notes.error());
    memory.notes = std::move(*notes);
  }
  if (!options.since_report.empty()) {
    auto previous = read_previous_report(options.since_report);
    if (!previous) return tl::unexpected(previous.error());
    memory.previous = std::move(*previous);
  }
  return memory;
}

// Hides what is known, trusted or scored too low, and marks what is new.
void decide(const Options& options, const HuntConfig& config, const Memory& memory,
            HuntReport& report) {
  if (memory.previous) compare_with(*memory.previous, report);
  apply_allow_list(config.allow, report);
  apply_baseline(config.baseline, report);
  apply_notes(memory.notes, report.made, report);
  reveal_represented(report);
  apply_least_score(options.min_score.value_or(config.detection.alert_threshold), report);
  count_changes(report);
}

Result<void> explain_one(const Options& options, const Hunt& hunt, HuntReport& report,
                         const Terminal& terminal) {
  const auto found = find_pair(report, options.explain);
  if (!found) return tl::unexpected(found.error());
  ScoredPair& pair = report.pairs[static_cast<std::size_t>(*found - report.pairs.data())];
  hunt.complete(pair);
  return write_text(explain_text(pair, report, terminal), std::cout);
}

int run(const Options& options) {
  const auto started = std::chrono::steady_clock::now();
  const auto format = parse_format(options.format);
  if (!format) {
    return complain(
        {ErrorKind::usage, "--format", options.format, std::string("is one of ") + kFormatWords},
        kExitUsage);
  }
  if (!options.explain.empty() && *format != Format::table) {
    return complain({ErrorKind::usage, "--explain", options.explain,
                     "is for people: leave --format out, or read the pair's object of --all"},
                    kExitUsage);
  }
  auto config = configured(options);
  if (!config) return complain(config.error(), kExitUsage);
  const auto memory = remembered(options);
  if (!memory) return complain(memory.error(), kExitUsage);

  HuntSettings settings;
  settings.detection = config->detection;
  settings.networks = config->networks;
  settings.baseline = config->baseline;
  settings.memory_limit = std::min(options.memory, kMostMemory);
  settings.threads =
      options.threads != 0 ? options.threads : std::max(std::thread::hardware_concurrency(), 1U);
  settings.threads = std::min(settings.threads, kMostThreads);
  Hunt hunt(settings);

  ReadOptions read;
  read.paths = options.inputs;
  read.networks = settings.networks;
  read.burst_gap = settings.detection.burst_gap;
  read.memory_limit = options.memory;
  ReadReport read_report;
  {
    const Progress progress(read_report);
    read_inputs(read, hunt.sinks(), read_report);
  }

  HuntReport report;
  report.version = BEACONRY_VERSION;
  report.made = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  report.all = options.all;
  report.limit = options.limit;
  report.inputs = options.inputs;
  if (const std::string ignored = config->ignored(); !ignored.empty()) {
    report.remarks.push_back(ignored);
  }
  hunt.score(report);
  report.take(read_report);
  report.check_ins = [&](const ScoredPair& pair) { return hunt.check_ins(pair); };
  decide(options, *config, *memory, report);
  for (ScoredPair& pair : report.pairs) {
    if ((report.all || shown_by_default(pair)) && !pair.absent) hunt.complete(pair);
  }
  report.took_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();

  const ColourChoice choice = options.colour      ? ColourChoice::always
                              : options.no_colour ? ColourChoice::never
                                                  : ColourChoice::automatic;
  const Terminal terminal = terminal_of(choice, surroundings_of(STDOUT_FILENO));
  const bool nothing_read = report.inputs_read == 0;
  if (nothing_read && *format == Format::table) {
    const bool empty = report.failed_inputs.empty() && report.refusals.empty();
    std::fprintf(stderr, "beaconry hunt: %s, so nothing was looked for\n",
                 empty ? "the inputs hold no connections" : "nothing could be read");
    for (const std::string& line : summary_lines(report)) {
      std::fprintf(stderr, "%s\n", line.c_str());
    }
  } else if (!options.explain.empty() && !nothing_read) {
    if (auto explained = explain_one(options, hunt, report, terminal); !explained) {
      return complain(explained.error(),
                      explained.error().kind == ErrorKind::io ? kExitFound : kExitUsage);
    }
  } else {
    if (auto written = write_report(report, *format, terminal, std::cout); !written) {
      return complain(written.error(), kExitFound);
    }
    if (*format != Format::table) {
      for (const std::string& line : summary_lines(report)) {
        std::fprintf(stderr, "%s\n", line.c_str());
      }
    }
  }
  if (!options.report.empty()) {
    if (auto written = write_html_file(report, options.report); !written) {
      return complain(written.error(), kExitFound);
    }
  }
  if (nothing_read) return kExitNoInput;
  return options.exit_code && totals(report).beacons > 0 ? kExitFound : kExitDone;
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("FILE", options->inputs,
                 "Captures (pcap, pcapng), Zeek logs (TSV, JSON), Suricata eve.json, folders of "
                 "these, or - for standard input; gzip and zstd are undone. Formats are told by "
                 "content.")
      ->required();
  app.add_flag("--all", options->all,
               "Show everything that was scored, with the reason it is not a finding");
  app.add_option("--format", options->format, "How to print")
      ->check(CLI::IsMember({"table", "csv", "ndjson", "json"}))
      ->capture_default_str();
  app.add_option("--min-score", options->min_score,
                 "Show pairs from this score on, 0 to 1 (default: the alert threshold, 0.7)")
      ->check(number_between(0, 1));
  app.add_option("--limit", options->limit, "Show no more than the first so many")
      ->check(not_negative());
  app.add_option("--explain", options->explain,
                 "Print all about one pair: its key (10.0.0.5->203.0.113.9:443/TCP), its key with "
                 "the server's name, or a name or address that only one pair has");
  app.add_option("--report", options->report,
                 "Write a page for people, self-contained, to this .html file as well");
  app.add_option("--config", options->config,
                 "Settings of the detector, allow-list, baseline and own networks, in YAML");
  app.add_option("--internal", options->internal,
                 "A block of own addresses; may be repeated (default: RFC 1918, ULA, link-local)")
      ->allow_extra_args(false);
  app.add_option("--allow", options->allow,
                 "Leave out what this entry covers; may be repeated. *.example.com covers "
                 "a.b.example.com but not example.com; .example.com covers both. All forms: "
                 "beaconry hunt --help, at its end")
      ->allow_extra_args(false);
  app.add_option("--allow-file", options->allow_files, "The same from a file, one entry a line")
      ->allow_extra_args(false);
  app.add_option("--notes", options->notes,
                 "Earlier decisions, in YAML: pair, decision, because, until, by");
  app.add_option("--since-report", options->since_report,
                 "Mark NEW, CHANGED and GONE against an earlier --format json");
  app.add_flag("--exit-code", options->exit_code, "End with status 1 when beacons were found");
  app.add_flag("--color,--colour", options->colour, "Colour even where it is no terminal");
  app.add_flag("--no-color,--no-colour", options->no_colour, "No colour at all");
  app.add_option("--threads", options->threads, "Threads to use (default: one a core)")
      ->check(CLI::Range(1U, kMostThreads));
  app.add_option("--memory", options->memory,
                 "Memory for series and joins, as 500MB or 2GB; past it the pairs with the fewest "
                 "check-ins are left out and counted (default: 2GB)")
      ->transform(CLI::AsSizeValue(false))
      ->transform(not_negative());
  app.footer(std::string("Exit status: 0 done, 1 beacons were found (with --exit-code) or the "
                         "output could not be written, 2 usage, 3 no input could be read.\n\n"
                         "Allow-lists. ") +
             std::string(kAllowListHelp));
  return [options] { return run(*options); };
}

}  // namespace

extern const Subcommand hunt;
constinit const Subcommand hunt{"hunt", "Find the beacons in captures and logs", define};

}  // namespace beaconry::subcommands
