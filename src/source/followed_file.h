#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"
#include "base/time.h"
#include "source/byte_stream.h"
#include "source/follow_state.h"
#include "source/inputs.h"
#include "source/line_chunks.h"
#include "source/log_parser.h"

namespace beaconry {

// One file that is followed: the log that grows, or one that was rotated, perhaps compressed since.
// It stays open, so that it is read to its end wherever it is moved. One thread.
class FollowedFile {
 public:
  // A reading of it, from the first line to what is there.
  struct Cursor {
    std::uint64_t offset = 0;
    LogPosition position;
    std::string header;     // the '#' lines in force
    bool skipping = false;  // inside a line that is too long
  };

  // `name` is the log's: "conn.log". Nothing if there is no such file; an error if it can't be
  // read.
  static Result<std::unique_ptr<FollowedFile>> open(const std::string& path,
                                                    const std::string& name);

  const std::string& path() const { return path_; }
  std::uint64_t device() const { return device_; }
  std::uint64_t inode() const { return inode_; }
  bool is_file(std::uint64_t device, std::uint64_t inode) const {
    return device_ == device && inode_ == inode;
  }
  bool plain() const { return !stream_; }

  // Notes how large it is now. False if it is not what it was: emptied, or written anew.
  bool look(Timestamp now);
  std::uint64_t size() const { return size_; }  // of a compressed one: what was read so far
  // How large it was `wait` before `now`, or at the last look of before.
  std::uint64_t size_before(Timestamp now, Duration wait) const;

  // Whether it has this beginning.
  bool begins_like(const FileState& state) const;
  bool begins_like(const FileHead& head) const;
  FileState state() const;
  void go_on(const FileState& state);  // where another run ended
  // Leaves out what is there, up to the last newline.
  Result<void> skip_to_end();

  // Tells its format by the beginning. False while that is not known.
  bool decide(bool last);
  const Sniffed& content() const { return content_; }
  bool unread() const {  // as of the last look
    return !decided_ || (reads_names() && names.offset < size_) ||
           (reads_flows() && flows.offset < size_);
  }
  bool reads_names() const { return decided_ && content_.has_names; }
  bool reads_flows() const { return decided_ && content_.has_flows; }

  // The next whole lines before `limit`, or with `last` what is there without a newline, too; moves
  // the cursor behind them. False if there are none.
  Result<bool> next(Cursor& cursor, std::uint64_t limit, bool last, LineChunk& chunk,
                    ScannedChunk& scanned);

  Cursor names, flows;
  bool current = true;  // is at the stream's path
  Timestamp retire{};   // else, it is read to its end from then on
  bool failed = false;  // cannot be read any further

 private:
  FollowedFile(std::string path, const std::string& name);
  Result<std::size_t> read(std::uint64_t offset, char* out, std::size_t size);
  Result<std::size_t> read_stream(std::uint64_t offset, char* out, std::size_t size);
  void read_head();
  bool head_holds();

  std::string path_;
  std::string name_;
  Fd fd_;
  std::unique_ptr<ByteStream> stream_;  // of a compressed file, at `stream_at_`
  std::uint64_t stream_at_ = 0;
  std::uint64_t device_ = 0, inode_ = 0, size_ = 0;
  std::int64_t modified_ = 0;
  std::string head_;
  bool decided_ = false;
  Sniffed content_;
  std::uint64_t sniffed_size_ = 0;
  std::deque<std::pair<Timestamp, std::uint64_t>> sizes_;  // seen, oldest first
};

}  // namespace beaconry
