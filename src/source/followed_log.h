#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "source/follow.h"
#include "source/follow_state.h"
#include "source/followed_file.h"

namespace beaconry {

// One log by its name, whichever files have been it: those that were rotated but are not read to
// their end yet, then the one at its path. One thread.
class FollowedLog {
 public:
  FollowedLog(std::string path, Duration linger);

  // Where another run ended: finds its files again wherever they are now, and those that came
  // after them meanwhile.
  void go_on(const StreamState& state, Timestamp now, FollowCounters& counters);
  // The first start: rotated files that are there are none of ours.
  void begin(Timestamp now);
  // Leaves out what the file at the path holds now.
  void skip_to_end(Timestamp now, FollowCounters& counters);
  // Notices growth, rotation and truncation.
  void look(Timestamp now, FollowCounters& counters);
  // Gives up files that were read to their end.
  void drop(const FollowedFile& file);

  const std::string& path() const { return path_; }
  StreamState state() const;
  const std::vector<std::unique_ptr<FollowedFile>>& files() const { return files_; }

 private:
  void open_current(Timestamp now);
  void lost(FollowCounters& counters) const;
  // False if it is nowhere.
  bool find_again(const FileState& state, Timestamp now);
  // Files that came and went unseen since the last one at the path was.
  void add_missed(Timestamp now);
  void add_before_current(Timestamp now);
  std::unique_ptr<FollowedFile> open(const std::string& path) const;
  void note_done(const FileState& state);
  void keep_rotated(std::unique_ptr<FollowedFile> file, Timestamp retire);
  bool is_known(const FollowedFile& file) const;
  // Whether `file` is one that is read already, and so not the one that `state` is of.
  bool is_another(const FollowedFile& file, const FileState& state) const;

  std::string path_, name_;
  Duration linger_;
  std::vector<std::unique_ptr<FollowedFile>> files_;  // oldest first
  std::int64_t since_ = 0;                            // when the last one at the path was changed
  std::deque<FileHead> done_;
  bool complained_ = false;  // that it cannot be opened
};

}  // namespace beaconry
