#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// A root file system being made, in memory. Paths are relative to it ("bin/sh"; a leading slash is
// left out), links of it are followed within it alone, so that nothing lands elsewhere.
class RootTree {
 public:
  struct Entry {
    enum class Kind : std::uint8_t { folder, file, link } kind = Kind::folder;
    unsigned mode = 0755;
    std::string target;  // of a link
    std::shared_ptr<const std::string> content;
    std::string origin;  // where from: a path of the host, or empty
  };

  explicit RootTree(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

  // Folders on the way are made. What is there already is replaced, but a folder by nothing else.
  Result<void> add_folder(std::string_view path, unsigned mode = 0755);
  Result<void> add_file(std::string_view path, std::string content, unsigned mode,
                        std::string origin);
  Result<void> add_link(std::string_view path, std::string target);

  // What is there once links are followed; nullptr: nothing.
  const Entry* find(std::string_view path) const;
  // By path, folders before what is in them.
  const std::map<std::string, Entry>& entries() const { return entries_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  // The path with links followed; of the last part too if `last`. Empty: the root.
  Result<std::string> resolved(std::string_view path, bool last) const;
  Result<std::string> place(std::string_view path, bool is_folder);

  std::uint64_t most_bytes_, bytes_ = 0;
  std::map<std::string, Entry> entries_;
};

}  // namespace beaconry
