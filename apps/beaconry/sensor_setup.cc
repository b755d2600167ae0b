#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/text.h"
#include "hunt/output/terminal.h"
#include "sensor/client.h"
#include "sensor/runtime.h"
#include "subcommand.h"

namespace beaconry::sensor_commands {
namespace {

struct Options {
  SetupOptions setup;
  std::string size;
  bool check = false, json = false;
};

const char* word_of(SetupStep::State state) {
  switch (state) {
    case SetupStep::State::there:
      return "there";
    case SetupStep::State::made:
      return "made";
    case SetupStep::State::missing:
      break;
  }
  return "missing";
}

int run(Options options) {
  if (!options.size.empty()) {
    const auto bytes = parse_size(options.size);
    if (!bytes || *bytes == 0) {
      std::fprintf(stderr, "beaconry: --pool-size %s is no size such as 8G\n",
                   terminal_safe(options.size).c_str());
      return kExitUsage;
    }
    options.setup.pool_bytes = *bytes;
  }
  options.setup.change = !options.check;
  const auto steps = set_up(options.setup);
  if (!steps) {
    std::fprintf(stderr, "beaconry: %s\n", terminal_safe(steps.error().message()).c_str());
    return kExitFound;
  }
  bool complete = true;
  std::string text;
  Json list = Json::array();
  for (const SetupStep& step : *steps) {
    complete &= step.state != SetupStep::State::missing;
    constexpr std::size_t kWidth = 78, kIndent = 36;
    text += pad_right(word_of(step.state), 9) + pad_right(terminal_safe(step.what), 26) + ' ' +
            wrap(terminal_safe(step.words), kWidth, kIndent) + '\n';
    list.push_back({{"what", step.what}, {"state", word_of(step.state)}, {"words", step.words}});
  }
  if (!say(options.json ? json_line({{"complete", complete}, {"steps", list}}) : text)) {
    return kExitFound;
  }
  return complete ? kExitDone : kExitFound;
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("--check", options->check, "Only say what is there and what is missing");
  app.add_option("--pool-size", options->size, "Size of the storage pool, such as 20G [8G]");
  app.add_option("--lxd-socket", options->setup.lxd.socket,
                 "Of LXD or Incus [the first that answers]");
  app.add_flag("--json", options->json, "As JSON");
  app.footer("Exit status: 0 all is there, 1 something is missing.");
  return [=] { return run(*options); };
}

}  // namespace

extern const Subcommand sensor_setup;
constinit const Subcommand sensor_setup{
    "setup", "Make what LXD needs for instruments, and say what is missing", define};

}  // namespace beaconry::sensor_commands
