#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// One durable, bounded, append-only log of records: the edges' queues, the server's ingest journal,
// the alert queue. Records have sequence numbers from 1 on, without gaps as they are appended.
// Segment files in a folder of its own; each record has a checksum, so that a torn end is cut off
// at opening and damage inside is skipped and counted. docs/formats/spool.md describes the bytes.
// Any thread may call anything.
class Spool {
 public:
  enum class WhenFull : std::uint8_t { drop_oldest, refuse };
  struct Options {
    std::string folder;                    // made if missing, mode 0700
    std::uint64_t most_bytes = 256 << 20;  // on disk
    WhenFull when_full = WhenFull::drop_oldest;
    std::uint64_t segment_bytes = 8 << 20;
    std::uint64_t longest_record = 64 << 20;
  };
  struct Record {
    std::uint64_t sequence = 0;
    Timestamp appended{};  // as told at append()
    std::string bytes;
  };

  // One process at a time: the folder is locked.
  static Result<std::unique_ptr<Spool>> open(const Options& options);
  virtual ~Spool() = default;

  // The record's number. It is on disk only after sync(). Full: the oldest go and are counted, or
  // ErrorKind::limit. Disk full: ErrorKind::limit, and the spool stays as it was.
  virtual Result<std::uint64_t> append(std::string_view record, Timestamp now) = 0;
  // Returns once everything appended up to `sequence` is on disk; callers at the same time share
  // one fdatasync.
  virtual Result<void> sync(std::uint64_t sequence) = 0;
  // The first record with at least this number, or nothing if there is none yet.
  virtual Result<std::optional<Record>> read(std::uint64_t sequence) = 0;
  // Records up to here are done with: their segments go when nothing else is in them. How far this
  // came survives a restart (perhaps a little less of it).
  virtual void release(std::uint64_t sequence) = 0;
  // Releases what was appended before `time`.
  virtual void release_before(Timestamp time) = 0;

  virtual std::uint64_t first() const = 0;    // not released; next() if none
  virtual std::uint64_t next() const = 0;     // the number that the next append will get
  virtual std::uint64_t bytes() const = 0;    // on disk
  virtual std::uint64_t dropped() const = 0;  // oldest records that went unreleased, ever
  virtual std::uint64_t damaged() const = 0;  // records skipped for their checksum, since opening
  // Made when the folder was made: another folder, another incarnation. 32 hex digits.
  virtual const std::string& incarnation() const = 0;
};

}  // namespace beaconry
