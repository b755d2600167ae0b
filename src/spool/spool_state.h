#pragma once
#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "spool/segment.h"

namespace beaconry {

// A spool's small memory: the file `state` in its folder, with two places that are written in turn,
// so that a torn write leaves the one before. In place: it works on a full disk. Written without
// fdatasync: `kill -9` loses nothing, power loss perhaps the last few changes.
class SpoolState {
 public:
  struct Values {
    std::uint64_t released = 0;  // records up to here are done with
    std::uint64_t dropped = 0;   // unreleased records that went for want of room
    std::uint64_t next = 1;      // at least: what was synced has lower numbers
  };

  // Makes the file, and with it a new incarnation, if it is missing or unreadable. `known` is the
  // incarnation that a segment there tells, for that case.
  static Result<SpoolState> open(const std::string& folder, const SpoolIncarnation* known);

  bool is_new() const { return is_new_; }  // open() made it
  const SpoolIncarnation& incarnation() const { return incarnation_; }
  const Values& values() const { return values_; }
  Result<void> write(const Values& values);

 private:
  std::string path_;
  Fd file_;
  SpoolIncarnation incarnation_{};
  Values values_;
  std::uint64_t generation_ = 0;
  bool is_new_ = false;
};

}  // namespace beaconry
