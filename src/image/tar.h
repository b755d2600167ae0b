#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

struct TarEntry {
  enum class Kind : std::uint8_t { folder, file, link, hard_link, other };  // other: devices, pipes
  std::string path;                                                         // "bin/sh"; "" the root
  Kind kind = Kind::file;
  unsigned mode = 0644;     // permissions, with the sticky bit
  std::uint64_t bytes = 0;  // of a file
  std::string target;       // of links; of hard ones a path like the above
};

struct TarLimits {
  std::uint64_t packed_bytes = 1ULL << 30, unpacked_bytes = 4ULL << 30;
  std::size_t entries = 200'000;
};

// Reads a tar archive (ustar, GNU, pax), gzip'd or plain, from its beginning to its end. Foreign
// bytes: paths are whole and lead nowhere else (no leading '/', no '..', none behind a link of the
// archive, none twice), everything has a bound, and what another reader could take otherwise is
// refused: LXD reads an image with Go's archive/tar and with GNU tar, after we did. So an entry has
// its path, target and size from one place: from its header, or from one GNU long entry of each
// kind, or from one pax header that names each once. Sparse files, other versions of the format,
// pax headers for all entries, several gzip members and something behind the end are refused too.
class TarReader {
 public:
  // Puts up to so many bytes there; 0 at the end.
  using Source = std::function<Result<std::size_t>(char*, std::size_t)>;

  static Result<TarReader> open(const std::string& file, const TarLimits& limits);
  TarReader(Source source, std::string name, const TarLimits& limits);
  TarReader(TarReader&&) noexcept;
  ~TarReader();

  // The next entry, or nothing at the archive's end, once that is checked.
  Result<std::optional<TarEntry>> next();
  // The content of the entry that next() gave, a file, at most so long.
  Result<std::string> content(std::uint64_t most_bytes);

 private:
  class Stream;  // decompressed bytes

  tl::unexpected<Error> refuse(std::string cause) const;
  Result<std::optional<TarEntry>> entry_of(std::string_view header);
  Result<std::optional<TarEntry>> check(TarEntry entry);
  Result<void> read_extension(char type, const std::string& text);
  Result<void> read_pax(const std::string& text);
  Result<void> skip_content();
  Result<void> expect_end();

  std::unique_ptr<Stream> stream_;
  std::string name_;
  TarLimits limits_;
  std::uint64_t left_ = 0, padding_ = 0;  // of the entry's content
  std::size_t entries_ = 0;
  std::string extensions_;  // types of the headers that came before the next entry's
  std::optional<std::string> long_path_, long_target_;  // that the next entry has
  std::optional<std::uint64_t> long_size_;
  std::set<std::string, std::less<>> seen_, links_;
};

// Writes a gzip'd ustar archive whose bytes follow from its entries alone: owner root, time 1.
class TarWriter {
 public:
  TarWriter();
  TarWriter(TarWriter&&) noexcept;
  ~TarWriter();

  void add(const TarEntry& entry, std::string_view content);  // bytes are the content's
  std::string finish();                                       // the archive

 private:
  class Deflater;
  void header(const TarEntry& entry, char type, std::uint64_t bytes);
  void long_text(char type, const std::string& text);
  std::unique_ptr<Deflater> deflater_;
};

}  // namespace beaconry
