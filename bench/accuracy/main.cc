#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "accuracy/trial.h"
#include "base/text.h"

namespace beaconry::accuracy {
namespace {

struct Day {
  std::uint64_t seed;
  std::uint64_t variation;  // 0: the preset as it is
};
constexpr Day kDevelopment[] = {{1, 0}, {2, 0}, {3, 0}, {1, 101}, {2, 102}, {3, 103}};
constexpr Day kHeldBack[] = {{9001, 0}, {9002, 0}, {9003, 9103}, {9004, 9104}, {9005, 9105}};
constexpr Day kTruncated = {4, 0};
constexpr int kTruncatedHosts = 200;

struct Options {
  std::string program = "beaconry";
  std::string captures = "../shared/captures";
  std::string out;
  std::string work;
  bool only_captures = false;
  bool development_only = false;
  bool no_truncation = false;
  bool show_wrong = false;
};

std::string name_of(const Day& day) {
  std::string name = "seed " + std::to_string(day.seed);
  if (day.variation != 0) name += ", vary " + std::to_string(day.variation);
  return name;
}

simulate::Recipe recipe_of(const Day& day) {
  simulate::Recipe recipe = *simulate::preset("day", day.seed);
  if (day.variation != 0) simulate::vary(recipe, day.variation);
  return recipe;
}

void say(const Options& options, const std::string& name, const Cards& cards) {
  std::fprintf(stderr, "%s\n", name.c_str());
  for (std::size_t i = 0; i < cards.size(); ++i) {
    const ScoreCard& card = cards[i];
    const auto total = card.total();
    std::fprintf(stderr, "  %-26s found %zu/%zu, alarms %zu aperiodic, %zu periodic, AP %.3f\n",
                 kDetectors[i], total.found, total.all, card.aperiodic_alarms, card.periodic_alarms,
                 card.average_precision);
  }
  if (!options.show_wrong) return;
  for (const std::string& pair : cards[0].missed)
    std::fprintf(stderr, "  missed %s\n", pair.c_str());
  for (const std::string& pair : cards[0].alarms)
    std::fprintf(stderr, "  alarm %s\n", pair.c_str());
}

Result<Cards> try_day(const Options& options, const std::string& name,
                      const simulate::Traffic& traffic) {
  const auto input = simulated_input(name, traffic, options.work + "/day");
  if (!input) return tl::unexpected<Error>(input.error());
  return try_all(options.program, *input);
}

Result<void> try_days(const Options& options, std::span<const Day> days,
                      std::vector<DayResult>& results) {
  for (const Day& day : days) {
    const auto cards = try_day(options, name_of(day), simulate::simulate(recipe_of(day)));
    if (!cards) return tl::unexpected<Error>(cards.error());
    say(options, name_of(day), *cards);
    results.push_back({name_of(day), *cards});
  }
  return {};
}

Result<void> try_captures(const Options& options, Results& results) {
  const auto inputs = read_captures(options.captures);
  if (!inputs) {
    if (inputs.error().kind != ErrorKind::not_found) return tl::unexpected<Error>(inputs.error());
    std::fprintf(stderr, "captures skipped: %s\n", inputs.error().message().c_str());
    results.captures_skipped = true;
    return {};
  }
  for (const Input& input : *inputs) {
    const auto cards = try_all(options.program, input);
    if (!cards) return tl::unexpected<Error>(cards.error());
    say(options, input.name, *cards);
    results.captures.push_back({input.name, input.labels.malicious.size(), *cards});
  }
  return {};
}

Result<void> try_truncations(const Options& options, Results& results) {
  simulate::Recipe recipe = recipe_of(kTruncated);
  recipe.hosts = kTruncatedHosts;
  const simulate::Traffic whole = simulate::simulate(recipe);
  const Labels labels = labels_of(whole);
  std::array<std::vector<std::size_t>, kDetectors.size()> needed;
  for (auto& one : needed)
    one.assign(labels.malicious.size(), 0);
  for (std::size_t step = 0; step <= kTruncations.size(); ++step) {
    const bool all = step == kTruncations.size();
    const std::size_t limit = all ? SIZE_MAX : kTruncations[step];
    const auto cards = try_day(options, "truncated", truncated(whole, limit));
    if (!cards) return tl::unexpected<Error>(cards.error());
    for (std::size_t i = 0; i < cards->size(); ++i) {
      for (std::size_t pair = 0; pair < labels.malicious.size(); ++pair) {
        std::size_t& from = needed[i][pair];
        if (!(*cards)[i].found[pair]) {
          from = 0;
        } else if (from == 0) {
          from = all ? whole.truth.size() : limit;
          std::size_t place = 0;
          for (const simulate::TruthPair& truth : whole.truth) {
            if (truth.label != simulate::TruthLabel::malicious) continue;
            if (place++ == pair) from = std::min(limit, static_cast<std::size_t>(truth.check_ins));
          }
        }
      }
    }
    say(options, all ? "whole day of 200 hosts" : "first " + std::to_string(limit) + " check-ins",
        *cards);
  }
  for (std::size_t i = 0; i < needed.size(); ++i) {
    for (std::size_t pair = 0; pair < labels.malicious.size(); ++pair) {
      results.needed.by_class[i][labels.malicious[pair].group].push_back(needed[i][pair]);
    }
  }
  results.needed_measured = true;
  return {};
}

Result<void> run(const Options& options) {
  Results results;
  results.command = "bench/accuracy/run";
  if (auto done = try_captures(options, results); !done) return done;
  if (options.only_captures) return {};
  if (auto done = try_days(options, kDevelopment, results.development); !done) return done;
  if (options.development_only) return {};
  if (auto done = try_days(options, kHeldBack, results.held_back); !done) return done;
  if (!options.no_truncation) {
    if (auto done = try_truncations(options, results); !done) return done;
  }
  const std::string text = to_markdown(results);
  if (options.out.empty()) {
    std::fputs(text.c_str(), stdout);
    return {};
  }
  std::FILE* file = std::fopen(options.out.c_str(), "wb");
  if (file == nullptr) return fail_errno("open", options.out);
  const bool written = std::fputs(text.c_str(), file) >= 0;
  if (std::fclose(file) != 0 || !written) return fail_errno("write", options.out);
  return {};
}

}  // namespace
}  // namespace beaconry::accuracy

int main(int argc, char** argv) {
  using namespace beaconry::accuracy;
  Options options;
  CLI::App app{"Holds Beaconry and two rivals against labelled traffic"};
  app.add_option("--beaconry", options.program, "The program to try")->capture_default_str();
  app.add_option("--captures", options.captures, "Folder of real captures with manifest.json")
      ->capture_default_str();
  app.add_option("--out", options.out, "Markdown to write; standard output by default");
  app.add_flag("--captures-only", options.only_captures, "Try the real captures and stop");
  app.add_flag("--development-only", options.development_only,
               "Leave the held-back days untouched, as one does while tuning");
  app.add_flag("--wrong", options.show_wrong,
               "Name what Beaconry missed and wrongly called a beacon");
  app.add_flag("--no-truncation", options.no_truncation, "Leave out how many check-ins it takes");
  CLI11_PARSE(app, argc, argv);
  std::string folder = (std::filesystem::temp_directory_path() / "accuracy-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    std::perror(folder.c_str());
    return 1;
  }
  options.work = folder;
  const auto done = run(options);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!done) {
    std::fprintf(stderr, "accuracy: %s\n", done.error().message().c_str());
    return 1;
  }
  return 0;
}
