#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

// Where a program's own messages go. Keys of the section `logging`.
struct LogOptions {
  LogLevel level = LogLevel::info;
  bool json = false;                    // else text: "2026-11-21T18:00:00.000Z INFO  message"
  std::string file;                     // empty: standard error
  std::uint64_t max_bytes = 100 << 20;  // a file is rotated past this
  unsigned backups = 5;
};

// Once, at start; before, messages go to standard error as text from `info` on. A file that cannot
// be opened is an error and nothing changes.
Result<void> open_log(const LogOptions& options);

// Messages are made safe for a terminal. Any thread. Never a secret in them.
void log(LogLevel level, std::string_view message);
inline void log_debug(std::string_view message) {
  log(LogLevel::debug, message);
}
inline void log_info(std::string_view message) {
  log(LogLevel::info, message);
}
inline void log_warning(std::string_view message) {
  log(LogLevel::warning, message);
}
inline void log_error(std::string_view message) {
  log(LogLevel::error, message);
}

}  // namespace beaconry
