#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/text.h"
#include "image/image.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

struct Options {
  std::string name, language = "c++", folder;
};

int run(const Options& options) {
  const std::string folder = options.folder.empty() ? options.name : options.folder;
  if (const auto made = write_skeleton(options.name, options.language, folder); !made) {
    std::fprintf(stderr, "beaconry: %s\n", made.error().message().c_str());
    return made.error().kind == ErrorKind::usage ? kExitUsage : kExitFound;
  }
  const std::string shown = terminal_safe(folder);
  std::printf(
      "%s holds an instrument that works as it is. Next:\n"
      "  cd %s\n"
      "  beaconry instrument keygen          # once; instruments.pub goes onto every sensor\n"
      "  %s./build --key instruments.key\n"
      "  beaconry instrument install %s_0.1.instrument\n",
      shown.c_str(), shown.c_str(),
      options.language == "python" ? "" : "BEACONRY_SOURCE=~/beaconry ", options.name.c_str());
  return kExitDone;
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("name", options->name, "What it is called: lower-case letters, digits, hyphens")
      ->required();
  app.add_option("--language", options->language, "c++ or python [c++]")
      ->check(CLI::IsMember({"c++", "python"}));
  app.add_option("--folder", options->folder, "A new folder [the name]");
  return [=] { return run(*options); };
}

}  // namespace

extern const Subcommand instrument_new;
constinit const Subcommand instrument_new{"new", "Make a working skeleton to begin with", define};

}  // namespace beaconry::instrument_commands
