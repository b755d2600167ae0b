#include "image/manifest_keys.h"

#include "image/manifest.h"

namespace beaconry {
namespace {

constexpr double kMiB = 1 << 20, kGiB = 1 << 30;

constexpr ConfigKey kKeys[] = {
    {"name", ConfigType::text,
     "What the instrument is called: a lower-case letter, then lower-case letters, digits and "
     "hyphens, 24 at most. Instances are called after it: `beacon_0`.",
     "", 0, 0, true},
    {"version", ConfigType::text,
     "Letters, digits, `.`, `+`, `~` and `-`, 32 at most. Quote it: `\"1.0\"`.", "", 0, 0, true},
    {"description", ConfigType::text, "One line for people."},
    {"command", ConfigType::texts,
     "What runs: program and arguments. A program without a slash is a file of the source folder "
     "and lies in `/instrument`.",
     "`[run]`"},
    {"interfaces", ConfigType::records,
     "Network interfaces that the sensor is to give it; without any it has no network."},
    {"interfaces[].name", ConfigType::text,
     "Its name inside: letters, digits, `_`, `.` and `-`, 15 at most.", "", 0, 0, true},
    {"interfaces[].contract", ConfigType::text,
     "What may go over it, enforced outside: `rx` receive only, `tx` transmit only.", "both", 0, 0,
     false, false, "rx|tx|both"},
    {"interfaces[].optional", ConfigType::boolean, "Whether it starts without it.", "false"},
    {"interfaces[].words", ConfigType::text, "What it is for, for whoever assigns one."},
    {"relations", ConfigType::records, "Other instruments that it has to do with."},
    {"relations[].instrument", ConfigType::text, "The other's name, as in its manifest.", "", 0, 0,
     true},
    {"relations[].find", ConfigType::boolean, "It may ask which instances there are.", "false"},
    {"relations[].direct_message", ConfigType::boolean, "It may send them messages and requests.",
     "false"},
    {"relations[].events", ConfigType::boolean, "It may subscribe to their events.", "false"},
    {"events", ConfigType::texts,
     "Types of event that it produces, the last word of each: `alert` is "
     "`instruments.NAME.ev.alert`.",
     "none"},
    {"capabilities", ConfigType::texts, "Capabilities of the kernel that it keeps; see below.",
     "none"},
    {"uplink", ConfigType::boolean,
     "It gets `/run/uplink/uplink.sock`, whose batches reach the server under its name.", "false"},
    {"downloads", ConfigType::boolean, "It is the downloader: others' files are fetched by it.",
     "false"},
    {"resources", ConfigType::boolean, "It may wish for files under `/resources`.", "false"},
    {"canary", ConfigType::boolean,
     "Known traffic is put on its interfaces of contract `rx` (a mirror or a bridge), by which it "
     "can prove that it detects.",
     "false"},
    {"limits.memory", ConfigType::size, "Memory of all its processes.", "64M", 4 * kMiB,
     256 * kGiB},
    {"limits.cpu_percent", ConfigType::count, "CPU time, in percent of one core.", "50", 1, 25'600},
    {"limits.processes", ConfigType::count,
     "Processes and threads. They share 8,192 open files, at most 1,024 each: with more processes, "
     "each has fewer.",
     "64", 2, kMostProcesses},
    {"limits.temporary", ConfigType::size, "The tmpfs on `/tmp`; it counts as memory.", "16M",
     65'536, 16 * kGiB},
    {"limits.persistent", ConfigType::size,
     "Quota of `/persistent-data`, which updates leave; `0`: there is none.", "0", 0,
     1024 * 16 * kGiB},
    {"limits.transient", ConfigType::size, "Quota of `/transient-data`, which goes with it.", "16M",
     kMiB, 1024 * 16 * kGiB},
    {"limits.events_per_second", ConfigType::count,
     "Events it may produce for long; ten seconds' worth at once.", "50", 1, 10'000},
    {"health.every", ConfigType::duration, "How often it is asked.", "30s", 1, 86'400},
    {"health.deadline", ConfigType::duration, "It must answer within this.", "10s", 1, 3'600},
    {"health.healthy_within", ConfigType::duration,
     "It must be healthy so soon after a start; an update that is not is rolled back.", "60s", 1,
     3'600},
    {"config.schema", ConfigType::entries,
     "JSON Schema (draft 7), written as YAML, of its configuration; without one it takes none.",
     "none"},
    {"config.defaults", ConfigType::entries, "The configuration until it gets another.", "`{}`"},
    {"programs", ConfigType::texts,
     "Programs of the machine that builds, taken with the libraries that they need: "
     "`/usr/bin/tcpdump`.",
     "none"},
    {"packages", ConfigType::texts,
     "Debian packages installed there, all of whose files are taken but documentation.", "none"},
    {"files", ConfigType::entries,
     "More files and folders: path in the image, and where it is taken from (in the source folder, "
     "if it is no whole path).",
     "none"},
};

constexpr KnownCapability kCapabilities[] = {
    {"chown", "give files to other users"},
    {"dac_override", "read and write files whatever their mode"},
    {"kill", "signal processes of other users"},
    {"net_admin",
     "change addresses, routes and packet filters of its own network, and so what the platform set "
     "up there",
     true},
    {"net_bind_service", "listen on ports below 1024"},
    {"net_raw", "raw and packet sockets: capture, ping, packets of one's own making"},
    {"setgid", "change groups, as programs that drop their privileges do"},
    {"setuid", "change users, as programs that drop their privileges do"},
};

}  // namespace

ConfigSchema manifest_schema() {
  return ConfigSchema(kKeys);
}

std::span<const KnownCapability> known_capabilities() {
  return kCapabilities;
}

std::string manifest_keys_markdown() {
  std::string table = manifest_schema().to_markdown();
  table += "\n| capability | what it allows |\n|---|---|\n";
  for (const KnownCapability& each : kCapabilities) {
    table.append("| `").append(each.name).append("` | ").append(each.words);
    table += each.dangerous ? " (**dangerous**) |\n" : " |\n";
  }
  return table;
}

}  // namespace beaconry
