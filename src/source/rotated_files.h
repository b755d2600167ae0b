#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace beaconry {

// A file that may be what became of a log when it was rotated.
struct RotatedFile {
  std::string path;
  std::uint64_t device = 0, inode = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  // Named as rotated logs are: the log's name and a number or date ("conn.log.1",
  // "eve.json-20261121.gz", "2026-11-21/conn.10:00:00-11:00:00.log.gz").
  bool numbered = false;
};

// Looks beside the log and, for Zeek's way, in folders beside its folder that are named by a date.
// Only what was changed at or after `since` (less two seconds, for clocks of file systems); in
// order of time. At most 4,096.
std::vector<RotatedFile> find_rotated(const std::string& log, std::int64_t since);

}  // namespace beaconry
