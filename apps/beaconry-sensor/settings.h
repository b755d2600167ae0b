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
  std::string name;       // set, else as it was joined by, else the host's
  bool has_name = false;  // it was set
  std::string desired_folder, keys_folder;
  std::string lxd_socket, pool, profile;
  std::string server_url;  // empty: only one that was joined
  std::string token_file;
  std::string state_folder, spool_folder, run_folder;
  std::uint64_t spool_bytes = 0;
  std::string socket;
  unsigned broken_after = 5;
  std::string broker_user;
  LogOptions log;

  static Result<SensorSettings> read(const SensorArguments& arguments);
  // What it is called once it has joined by that name.
  std::string name_after_joining(const std::string& joined) const;
};

// What these settings would do, for --check: some lines.
std::string describe(const SensorSettings& settings);

}  // namespace beaconry
