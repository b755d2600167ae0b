#pragma once
#include <functional>
#include <span>

namespace CLI {
class App;
}

namespace beaconry {

// Exit statuses that every subcommand keeps to.
constexpr int kExitDone = 0;
constexpr int kExitFound = 1;  // with --exit-code: beacons were found; else: it could not be done
constexpr int kExitUsage = 2;
constexpr int kExitNoInput = 3;  // no input could be read

// One subcommand of the program: WORD.cc defines beaconry::subcommands::WORD.
struct Subcommand {
  const char* name;
  const char* summary;  // one line for --help
  // Adds the options to `app` and returns what runs once they are parsed; that returns the
  // exit status. State shared by both lives in what the returned function captures.
  std::function<int()> (*define)(CLI::App& app);
};

std::span<const Subcommand* const> subcommands_table();
// Those of `beaconry instrument`: instrument_WORD.cc defines beaconry::instrument_commands::
// instrument_WORD.
std::span<const Subcommand* const> instrument_commands_table();
// And of `beaconry sensor`: sensor_WORD.cc, beaconry::sensor_commands::sensor_WORD.
std::span<const Subcommand* const> sensor_commands_table();
// And of `beaconry fleet`: fleet_WORD.cc, beaconry::fleet_commands::fleet_WORD.
std::span<const Subcommand* const> fleet_commands_table();

}  // namespace beaconry
