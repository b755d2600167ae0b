#pragma once
// Runs the built program as a user does, and reads what it prints.
#include <sys/types.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace beaconry::cli {

struct Ran {
  int status = -1;  // as a shell has it; -1 where a signal or the sanitizer ended it
  int signal = 0;
  std::string out, err;
  // Resident, as wait4() tells it: not below what the test itself held when it forked.
  long peak_kilobytes = 0;

  bool told(std::string_view text) const { return err.find(text) != std::string::npos; }
  bool printed(std::string_view text) const { return out.find(text) != std::string::npos; }
};

struct Surroundings {
  std::string input;                               // for standard input
  std::map<std::string, std::string> environment;  // NO_COLOR and FORCE_COLOR are unset otherwise
  std::string output;                              // a file for standard output instead of Ran::out
  std::string input_file;                          // for standard input instead of `input`
};

// `beaconry ARGUMENTS...`; returns when it ended. A program that hangs is ended by CTest's time
// limit.
Ran beaconry(std::vector<std::string> arguments, const Surroundings& surroundings = {});

// `beaconry hunt --all --format ndjson ARGUMENTS...`, which must succeed.
struct Hunted {
  Ran ran;
  std::vector<nlohmann::json> pairs;  // in rank order

  // The address pair with this key, or the named pair with this identity; null where none has it.
  const nlohmann::json& pair(std::string_view identity) const;
  // Identities of the beacons, sorted; hidden ones too.
  std::vector<std::string> beacons() const;
  // The lines, without what names the input.
  const std::string& text() const { return ran.out; }
};
Hunted hunt_all(std::vector<std::string> arguments, const Surroundings& surroundings = {});

// Each line of NDJSON. A line that is not one object fails the test.
std::vector<nlohmann::json> objects_in(const std::string& ndjson);

// True if no byte of `text` could steer a terminal: C0 but for line breaks, DEL, and C1 as UTF-8.
bool is_harmless(std::string_view text);

}  // namespace beaconry::cli
