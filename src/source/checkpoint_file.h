#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// A checkpoint on disk that moves together with a log that events are appended to (the edge's
// spool), though two files cannot be written at once: before the batch that holds a checkpoint's
// events is appended, the checkpoint is written together with the number that the batch will get.
// At the next start that number tells whether the batch is in the log. So after kill -9 at any
// moment events are neither repeated nor missed:
//
//   start:   file.load(spool.next(), spool.incarnation()) -> LogFollower::open(options, checkpoint)
//   export:  poll()s fill a batch; file.store(follower.checkpoint(), spool.next());
//            spool.append(batch); spool.sync()
//
// Numbers are those of one incarnation of the log. Beside another one (its folder was removed) the
// later checkpoint counts: to read the logs again from their beginning would count them twice.
//
// One thread; the folder must exist.
class CheckpointFile {
 public:
  explicit CheckpointFile(std::string path) : path_(std::move(path)) {}

  // The checkpoint whose batch was appended last, or nothing at the first start. `next` is the
  // number that the log's next record will get. A damaged file is an error; another incarnation
  // than the file's is logged.
  Result<std::optional<std::string>> load(std::uint64_t next, std::string_view incarnation);

  // Durably, by rename. REQUIRES that load() was called. `number` is what append() will give the
  // batch with the events up to `checkpoint`. If append() fails, call store() again for the next
  // try.
  Result<void> store(std::string_view checkpoint, std::uint64_t number);

 private:
  struct Entry {
    std::uint64_t number = 0;
    std::string checkpoint;
  };
  std::string path_;
  std::string incarnation_;
  std::optional<Entry> appended_;  // known to be in the log, or about to be
  std::optional<Entry> pending_;
};

}  // namespace beaconry
