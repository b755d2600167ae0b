#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "spool/segment.h"

namespace beaconry {

// An open segment and where its records are. Who shares one guards `records` and `bytes`; the
// descriptor may be read by any thread.
struct SegmentFile {
  Fd file;
  std::string path;
  std::uint64_t first = 0;  // number of the first record that may be in it
  std::uint64_t bytes = 0;
  SpoolIncarnation incarnation{};
  std::vector<RecordPlace> records;

  static std::string path_of(const std::string& folder, std::uint64_t first);
  // The number in a segment's file name, or nothing if it is none.
  static std::optional<std::uint64_t> first_of(const std::string& name);

  // On disk when it returns, with its name. What a failure left is removed.
  static Result<std::shared_ptr<SegmentFile>> make(const std::string& folder,
                                                   const SegmentHeader& header);
  // A segment that is not written to any more. One that is missing has no records.
  static Result<std::shared_ptr<SegmentFile>> open_sealed(const std::string& folder,
                                                          std::uint64_t first,
                                                          const SpoolIncarnation& incarnation);
  // The last segment: what is torn at its end is cut off, a damaged header is mended, and what
  // remains is on disk when it returns.
  static Result<std::shared_ptr<SegmentFile>> open_last(const std::string& folder,
                                                        std::uint64_t first,
                                                        const SpoolIncarnation& incarnation);

  // Appends at the end. After a failure the file is as before, or will be overwritten.
  Result<void> append(const RecordHeader& header, std::string_view record);
  // The record's bytes, or nothing where they are damaged. Any thread.
  Result<std::optional<std::string>> read(const RecordPlace& place) const;
  // fdatasync. `rewrite`: an earlier one failed, and after that the system takes the pages from
  // `from` to `to` for written; they are written once more. Any thread.
  Result<void> flush(bool rewrite, std::uint64_t from, std::uint64_t to) const;

 private:
  Result<SegmentScan> scan(const SpoolIncarnation& incarnation);
};

}  // namespace beaconry
