#pragma once
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace beaconry {

// The program's own commands and options in plain form: what the manual page and the shell
// completions are made from, so that neither can fall behind the program.
struct CommandOption {
  std::vector<std::string> names;    // "-f", "--format", in that order; empty for a positional
  std::string placeholder;           // "FILE"; empty for a flag
  std::vector<std::string> choices;  // the only values it takes, where they are few
  std::string description;
  bool positional = false;
};

struct Command {
  std::string name;
  std::string description;
  std::vector<CommandOption> options;
  bool group = false;  // its own commands follow it: "sensor status", "fleet rollout show"
};

struct CommandTree {
  Command program;
  std::vector<Command> subcommands;  // in the order of --help; those of a group behind it
};

// `root` is the program's App with its subcommands defined.
CommandTree command_tree(const CLI::App& root);

// The App that `app` hangs under in the end.
const CLI::App& root_of(const CLI::App& app);

}  // namespace beaconry
