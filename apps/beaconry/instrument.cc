#include "command_group.h"

namespace beaconry::subcommands {
namespace {

// Each of its commands is a file instrument_WORD.cc.
std::function<int()> define(CLI::App& app) {
  return define_group(app, instrument_commands_table());
}

}  // namespace

extern const Subcommand instrument;
constinit const Subcommand instrument{"instrument", "Make, install and manage instruments", define};

}  // namespace beaconry::subcommands
