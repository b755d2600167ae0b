#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

enum class Direction : std::uint8_t { receive, transmit, both };  // rx, tx, both

// What an instrument is, needs and may do: the author's manifest.yaml, checked against its schema
// when it is built, installed and started. docs/writing-an-instrument.md has every key.
struct Manifest {
  struct Interface {
    std::string name;  // inside the container, at most 15 characters
    Direction contract = Direction::both;
    bool optional = false;  // starts without it
    std::string words;
  };
  struct Relation {
    std::string instrument;
    bool find = false, direct_message = false, events = false;
  };
  struct Limits {
    std::uint64_t memory = 64 << 20;
    unsigned cpu_percent = 50;  // of one core
    unsigned processes = 64;
    std::uint64_t temporary = 16 << 20;  // tmpfs on /tmp and /run
    std::uint64_t persistent = 0;        // quota of /persistent-data; 0: there is none
    std::uint64_t transient = 16 << 20;  // of /transient-data
    unsigned events_per_second = 50;     // sustained; ten seconds' worth at once
  };

  std::string name, version, description;
  std::vector<std::string> command;  // /instrument/run without arguments, if empty
  std::vector<Interface> interfaces;
  std::vector<Relation> relations;
  std::vector<std::string> event_types;   // last words: "alert"
  std::vector<std::string> capabilities;  // "net_raw"; of a short list
  bool uplink = false;                    // wants /run/uplink/uplink.sock
  bool downloads = false;                 // is the downloader: gets fetch orders
  bool resources = false;                 // may wish for files under /resources
  bool canary = false;  // gets known traffic on its receive-only interfaces (sensor/canary.h)
  Limits limits;
  std::chrono::seconds health_every{30}, health_deadline{10};
  std::chrono::seconds healthy_within{60};  // of a start; an update that is not is rolled back
  std::string config_schema_json;           // JSON Schema draft 7; empty: takes no configuration
  std::string config_defaults_json = "{}";
  // What building takes from the host, beside the source folder: programs at their own paths with
  // the libraries that they need, all files of installed Debian packages, and single files or
  // folders (path in the image -> where from).
  std::vector<std::string> programs, packages;
  std::vector<std::pair<std::string, std::string>> files;

  // Errors name the line and what would be right.
  static Result<Manifest> parse(std::string_view yaml, const std::string& file);
  // With the same keys: parse() reads it again, to the same manifest.
  std::string to_json() const;
};

// All that a manifest's `capabilities` may name, without "cap_".
struct KnownCapability {
  std::string_view name, words;
  bool dangerous = false;  // with it a program can undo what the platform set up inside
};
std::span<const KnownCapability> known_capabilities();
// The manifest's keys in Markdown, for docs/writing-an-instrument.md.
std::string manifest_keys_markdown();

// What `wider` may do that `before` may not, each in words ("capability net_admin", "memory 64 MiB
// -> 1 GiB", "direct messages to downloader"): an update that has any waits for approval.
std::vector<std::string> widened(const Manifest& before, const Manifest& wider);
// What wants approval where nothing ran before, in the same words: capabilities with which a
// program can undo what the platform set up.
std::vector<std::string> dangerous_wishes(const Manifest& manifest);
// The permissions' digest, which an approval names.
std::string permission_digest(const Manifest& manifest);

// Whether `config_json` fits the schema; the error names the place ("/interface: is no string").
Result<void> check_config(const std::string& schema_json, const std::string& config_json);

}  // namespace beaconry
