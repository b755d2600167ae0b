#include "spool/segment_file.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "spool/disk.h"

namespace beaconry {
namespace {

constexpr std::string_view kSuffix = ".seg";
constexpr std::size_t kDigits = 20;

tl::unexpected<Error> pass_on(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

std::string SegmentFile::path_of(const std::string& folder, std::uint64_t first) {
  const std::string digits = std::to_string(first);
  return folder + "/" + std::string(kDigits - digits.size(), '0') + digits + std::string(kSuffix);
}

std::optional<std::uint64_t> SegmentFile::first_of(const std::string& name) {
  if (name.size() != kDigits + kSuffix.size() || name.substr(kDigits) != kSuffix) return {};
  const auto first = parse_unsigned(std::string_view(name).substr(0, kDigits));
  if (!first || *first == 0) return {};
  return first;
}

Result<std::shared_ptr<SegmentFile>> SegmentFile::make(const std::string& folder,
                                                       const SegmentHeader& header) {
  auto segment = std::make_shared<SegmentFile>();
  segment->path = path_of(folder, header.first);
  segment->first = header.first;
  segment->incarnation = header.incarnation;
  segment->bytes = kSegmentHeaderBytes;
  auto file = open_file(segment->path, O_RDWR | O_CREAT | O_TRUNC);
  if (!file) return pass_on(file.error());
  segment->file = std::move(*file);
  auto done = write_at(segment->file, segment->path, 0, encode_segment_header(header));
  if (done) done = sync_file(segment->file, segment->path);
  if (done) done = sync_folder(folder);
  if (!done) {
    ::unlink(segment->path.c_str());
    return pass_on(done.error());
  }
  return segment;
}

Result<SegmentScan> SegmentFile::scan(const SpoolIncarnation& folders) {
  const auto size = file_size(file, path);
  if (!size) return pass_on(size.error());
  const auto content = read_at(file, path, 0, *size);
  if (!content) return pass_on(content.error());
  bytes = content->size();
  SegmentScan found = scan_segment(*content, folders);
  incarnation = found.incarnation;
  records = std::move(found.records);
  return found;
}

Result<std::shared_ptr<SegmentFile>> SegmentFile::open_sealed(const std::string& folder,
                                                              std::uint64_t first,
                                                              const SpoolIncarnation& folders) {
  auto segment = std::make_shared<SegmentFile>();
  segment->path = path_of(folder, first);
  segment->first = first;
  auto file = open_file(segment->path, O_RDONLY);
  if (!file && file.error().kind == ErrorKind::not_found) return segment;
  if (!file) return pass_on(file.error());
  segment->file = std::move(*file);
  const auto scanned = segment->scan(folders);
  if (!scanned) return pass_on(scanned.error());
  return segment;
}

Result<std::shared_ptr<SegmentFile>> SegmentFile::open_last(const std::string& folder,
                                                            std::uint64_t first,
                                                            const SpoolIncarnation& folders) {
  auto segment = std::make_shared<SegmentFile>();
  segment->path = path_of(folder, first);
  segment->first = first;
  auto file = open_file(segment->path, O_RDWR);
  if (!file) return pass_on(file.error());
  segment->file = std::move(*file);
  const auto scanned = segment->scan(folders);
  if (!scanned) return pass_on(scanned.error());
  if (!scanned->header_is_whole) {
    const auto mended = write_at(segment->file, segment->path, 0,
                                 encode_segment_header({first, segment->incarnation}));
    if (!mended) return pass_on(mended.error());
  }
  if (segment->bytes > scanned->end) {
    log_warning("spool " + folder + ": cut " + std::to_string(segment->bytes - scanned->end) +
                " bytes of an unfinished record off the end");
  }
  if (segment->bytes != scanned->end &&
      ::ftruncate(segment->file.get(), static_cast<off_t>(scanned->end)) != 0) {
    return fail_errno("truncate", segment->path);
  }
  segment->bytes = scanned->end;
  const auto synced = sync_file(segment->file, segment->path);
  if (!synced) return pass_on(synced.error());
  return segment;
}

Result<void> SegmentFile::append(const RecordHeader& header, std::string_view record) {
  const auto done = write_at(file, path, bytes, encode_record_header(header, incarnation), record);
  if (!done) {
    // If this fails too, the next append begins at the same place.
    (void)!::ftruncate(file.get(), static_cast<off_t>(bytes));
    return done;
  }
  records.push_back({header.sequence, bytes, header.length, header.appended});
  bytes += kRecordHeaderBytes + record.size();
  return {};
}

Result<std::optional<std::string>> SegmentFile::read(const RecordPlace& place) const {
  auto got = read_at(file, path, place.offset, kRecordHeaderBytes + std::uint64_t{place.length});
  if (!got) return pass_on(got.error());
  const auto header = decode_record_header(*got, incarnation);
  if (!header || header->sequence != place.sequence || header->length != place.length ||
      got->size() != kRecordHeaderBytes + std::size_t{place.length}) {
    return std::optional<std::string>();
  }
  got->erase(0, kRecordHeaderBytes);
  if (record_checksum(*got, incarnation) != header->checksum) return std::optional<std::string>();
  return std::optional<std::string>(std::move(*got));
}

Result<void> SegmentFile::flush(bool rewrite, std::uint64_t from, std::uint64_t to) const {
  if (rewrite) {
    const auto again = read_at(file, path, from, to - from);
    if (!again) return pass_on(again.error());
    const auto done = write_at(file, path, from, *again);
    if (!done) return done;
  }
  return sync_file(file, path);
}

}  // namespace beaconry
