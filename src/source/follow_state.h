#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "source/flow_names.h"

namespace beaconry {

// How far one reading of a file has come.
struct CursorState {
  std::uint64_t offset = 0;
  std::uint64_t lines = 0;  // before it
  bool skipping = false;    // inside a line that is too long
  std::string header;       // Zeek TSV: the '#' lines in force, each with its newline

  friend bool operator==(const CursorState&, const CursorState&) = default;
};

// A file is known again by its beginning, for renaming, copying and compressing keep that. It is
// read by two cursors: what names flows at once, the flows themselves when their names had time to
// come.
struct FileState {
  std::uint64_t inode = 0;
  std::uint64_t head_size = 0;  // so many first bytes, at most kHeadBytes,
  std::uint64_t head_hash = 0;  // have this hash
  std::int64_t modified = 0;    // nanoseconds since 1970, as last seen
  bool decided = false;         // the next two hold
  bool has_names = false, has_flows = false;
  CursorState names, flows;

  static constexpr std::size_t kHeadBytes = 1024;
  friend bool operator==(const FileState&, const FileState&) = default;
};

struct FileHead {
  std::uint64_t size = 0;
  std::uint64_t hash = 0;
};

// All files of one name, oldest first; the last is or was the one at `path`.
struct StreamState {
  std::string path;
  std::vector<FileState> files;
  std::vector<FileHead>
      done;  // the beginnings of files that were read, or are older than the first
};

struct FollowState {
  std::string source;  // "zeek:/path"
  std::vector<StreamState> streams;
  std::vector<std::string> texts;       // that `flows` look at
  std::vector<FlowNames::Saved> flows;  // that go on, with their names
};

// `flows` may look at any text, in `texts` or not.
std::string to_text(const FollowState& state);
// Refuses what to_text() did not write: bytes that were cut or changed, sizes that cannot be.
Result<FollowState> parse_follow_state(std::string_view text);

}  // namespace beaconry
