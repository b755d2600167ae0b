#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "capture/capture.h"
#include "detect/allow_list.h"
#include "hunt/hunt_config.h"

namespace beaconry {

// What the command line says; empty and unset stand for the file's word.
struct CollectorArguments {
  std::string config;                   // -c
  std::vector<std::string> interfaces;  // -i
  std::string name;                     // -n
  std::string mode, source;
  bool verbose = false;
};

// All that a collector runs by: the section `data_plane` with what the command line overrides, and
// what it needs of `whitelist`, `networks`, `detection` and `logging`.
struct CollectorSettings {
  CaptureOptions capture;
  std::string source;  // "live", "zeek:FOLDER", "suricata:FILE"
  Duration export_interval = std::chrono::seconds{60};
  std::size_t most_events = 100'000;  // a batch is cut early past this
  AllowList allow;

  std::string name;
  std::string server_url;  // of host and port, or control_plane_url
  std::chrono::seconds connect_timeout{10};
  std::string token_file;
  std::string state_folder, spool_folder;
  std::uint64_t spool_bytes = 0;
  std::string socket;
  std::string user;
  LogOptions log;
  ConfigValues values = HuntConfig().values;

  bool is_live() const { return source == "live"; }

  static Result<CollectorSettings> read(const CollectorArguments& arguments);
};

// Keys in which two configurations differ and that only a start takes up, in one line for the log;
// empty for none.
std::string needs_restart(const CollectorSettings& running, const CollectorSettings& wanted);

// What these settings would do, for --check: some lines.
std::string describe(const CollectorSettings& settings);

}  // namespace beaconry
