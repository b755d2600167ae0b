#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "home/receiver.h"

namespace beaconry {

// What the command line says; empty stands for the file's word.
struct HomeArguments {
  std::string config, name, probes;
  bool verbose = false;
};

// All that home runs by: the section `home` with what the command line overrides, and `logging`.
struct HomeProgramSettings {
  HomeSettings home;
  std::string name;
  std::string server_url;  // empty: only one that was joined
  std::string token_file;
  std::string probes_file;  // empty: the server's
  std::string state_folder, spool_folder;
  std::uint64_t spool_bytes = 0;
  std::string socket;
  std::string user;
  LogOptions log;

  static Result<HomeProgramSettings> read(const HomeArguments& arguments);
};

// What is wrong with the addresses that probes are told; empty: nothing.
std::string address_warning(const HomeSettings& home);

// What these settings would do, for --check: some lines.
std::string describe(const HomeProgramSettings& settings);

}  // namespace beaconry
