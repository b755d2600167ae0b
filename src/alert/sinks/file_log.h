#pragma once
#include <cstdint>
#include <string>

#include "alert/sink.h"
#include "base/fd.h"

namespace beaconry {

// Alerts as JSON, one a line, each on disk before deliver() returns. Past `max_bytes` the file
// becomes FILE.1, that FILE.2, and so on to `backups`. A file that somebody else moved away or
// removed is made anew. Mode 0640.
class FileLog : public Sink {
 public:
  struct Options {
    std::string path;
    std::uint64_t max_bytes = std::uint64_t{100} << 20;
    unsigned backups = 5;
  };
  explicit FileLog(Options options) : options_(std::move(options)) {}
  // Makes the folder and the file, so that what is wrong with them shows at start.
  Result<void> open();
  Result<void> deliver(const Alert& alert) override;

 private:
  bool was_moved() const;
  Result<void> rotate();

  Options options_;
  Fd file_;
};

}  // namespace beaconry
