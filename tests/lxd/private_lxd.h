#pragma once

#include <string>

#include "base/result.h"
#include "sensor/runtime.h"

namespace beaconry {

// An LXD of the tests' own, beside the machine's and knowing nothing of it: its folder is short, as
// sockets' paths are, and new; its pool lies in a file in there. Made by set_up(), as users make
// theirs. What an earlier run left, killed or not, is cleared away first.
class PrivateLxd {
 public:
  // "" where one can be had; else why not: it wants root, lxd, btrfs-progs and loop devices.
  static std::string why_not();

  static Result<PrivateLxd> start();
  PrivateLxd(PrivateLxd&& other) noexcept : folder_(std::move(other.folder_)) {
    other.folder_.clear();
  }
  PrivateLxd& operator=(PrivateLxd&&) = delete;
  ~PrivateLxd();  // containers, daemon, mounts and folder go

  const std::string& folder() const { return folder_; }
  LxdOptions options() const;
  std::string socket() const { return folder_ + "/unix.socket"; }
  void crash() const;  // kill -9 of the daemon; containers run on

  // A tarball of a busybox whose /sbin/init is the given shell script; mount points are there.
  // Returns its SHA-256.
  std::string make_image(const std::string& file, const std::string& init) const;

 private:
  explicit PrivateLxd(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

}  // namespace beaconry
