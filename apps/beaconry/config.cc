#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "config/document.h"
#include "config/import_predecessor.h"
#include "server/access.h"
#include "server/listing.h"
#include "server/requests.h"
#include "server/views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string key;
  bool origin = false, json = false;
  std::vector<std::string> assignments;
  std::uint64_t version = 0;
  std::string file, output;
};

Result<void> get(Server& server, const Options& options) {
  const auto answer = server.get(options.origin ? "/api/v1/config/origins" : "/api/v1/config");
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (options.json) return print(*answer + '\n');
  return print(options.origin ? config_origin_lines(*answer, options.key)
                              : config_lines(*answer, options.key));
}

Result<void> set(Server& server, const Options& options) {
  const auto edit = config_edit(options.assignments);
  if (!edit) return tl::unexpected<Error>(edit.error());
  const auto answer = server.post("/api/v1/config", *edit);
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto version = member_of(*answer, "version");
  if (!version) return tl::unexpected<Error>(version.error());
  return print("version " + *version + " is in force\n");
}

Result<void> history(Server& server) {
  const auto answer = server.get("/api/v1/config/history");
  if (!answer) return tl::unexpected<Error>(answer.error());
  return print(config_history_text(*answer));
}

Result<void> roll_back(Server& server, const Options& options) {
  const auto answer = server.post("/api/v1/config/rollback",
                                  "{\"version\":" + std::to_string(options.version) + '}');
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto version = member_of(*answer, "version");
  if (!version) return tl::unexpected<Error>(version.error());
  return print("version " + *version + " is in force, with the values of version " +
               std::to_string(options.version) + '\n');
}

// The new file to standard output or a file, what changed to standard error.
Result<void> import(const Options& options) {
  auto text = read_small_file(options.file, kLongestConfigFile);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  const auto imported = import_predecessor(std::move(*text), options.file);
  if (!imported) return tl::unexpected<Error>(imported.error());
  for (const std::string& change : imported->changes)
    std::fprintf(stderr, "- %s\n", terminal_safe(change).c_str());
  if (options.output.empty()) return print(imported->text);
  std::ofstream file(options.output, std::ios::trunc);
  file << imported->text;
  file.close();
  if (!file) return fail_errno("write", options.output);
  return {};
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(1);
  CLI::App* getting = app.add_subcommand("get", "Show the configuration, a section or a key");
  getting->add_option("key", options->key, "detection, or detection.cv_threshold");
  getting->add_flag("--origin", options->origin, "Say where each value came from");
  getting->add_flag("--json", options->json, "Print the server's answer as it is");
  CLI::App* setting = app.add_subcommand("set", "Change values, all of them or none");
  setting->add_option("values", options->assignments, "detection.cv_threshold=0.2 ...")->required();
  CLI::App* listing = app.add_subcommand("history", "List versions: when, who, what");
  CLI::App* back = app.add_subcommand("rollback", "Bring an earlier version's values back");
  back->add_option("version", options->version, "As `config history` shows it")->required();
  CLI::App* importing = app.add_subcommand(
      "import",
      "Turn the predecessor's file into one of ours, and say what changed; asks no server");
  importing->add_option("file", options->file, "The old file; - reads standard input")->required();
  importing->add_option("-o,--output", options->output, "Where the new one goes [standard output]");
  const auto access = ServerOptions::add_to(app);
  for (CLI::App* child : {getting, setting, listing, back})
    child->fallthrough();
  return [=] {
    if (importing->parsed()) {
      const auto imported = import(*options);
      if (imported) return kExitDone;
      std::fprintf(stderr, "beaconry: %s\n", imported.error().message().c_str());
      return kExitFound;
    }
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (getting->parsed()) return get(server, *options);
      if (setting->parsed()) return set(server, *options);
      if (listing->parsed()) return history(server);
      return roll_back(server, *options);
    });
  };
}

}  // namespace

extern const Subcommand config;
constinit const Subcommand config{"config", "Read, change and roll back the server's configuration",
                                  define};

}  // namespace beaconry::subcommands
