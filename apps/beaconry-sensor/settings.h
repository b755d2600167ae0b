#pragma once
#include <cstdint>
#include <string>

#include "base/log.h"
#include "base/result.h"

namespace beaconry {

// What the command line says; empty stands for the file's word.
struct SensorArguments {
  std::string config, name;
  bool verbose = false;
};

// All that a sensor runs by: the section `sensor` with what the command line overrides, and
// `logging`.
struct SensorSettings {
  std::string name;  // set, else as it joined, else the host's
  std::string desired_folder, keys_folder;
  std::string lxd_socket, pool, profile;
  std::string server_url;  // empty: only one that was joined
  std::string token_file;
  std::string state_folder, spool_folder, run_folder;
  std::uint64_t spool_bytes = 0;
  std::string socket;
  unsigned broken_after = 5;
  std::string broker_user;
  bool fleet_allow_unsigned = false;  // the server may let unsigned code run
  LogOptions log;

  static Result<SensorSettings> read(const SensorArguments& arguments);
};

// What these settings would do, for --check: some lines.
std::string describe(const SensorSettings& settings);

}  // namespace beaconry
