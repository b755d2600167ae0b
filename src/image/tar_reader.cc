#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <vector>

#include "base/fd.h"
#include "base/text.h"
#include "image/tar.h"

namespace beaconry {
namespace {

constexpr std::size_t kBlock = 512, kLongestPath = 4096, kLongestExtension = 64 << 10;

bool all_zero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
}

std::string_view text_field(std::string_view block, std::size_t at, std::size_t size) {
  const std::string_view field = block.substr(at, size);
  return field.substr(0, field.find('\0'));
}

// Octal digits between blanks, or GNU's binary number.
std::optional<std::uint64_t> number_field(std::string_view block, std::size_t at,
                                          std::size_t size) {
  std::string_view field = block.substr(at, size);
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(field.front()) & 0x80) != 0) {
    if (static_cast<unsigned char>(field.front()) != 0x80) return std::nullopt;  // vast or negative
    for (const char c : field.substr(1)) {
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | static_cast<unsigned char>(c);
    }
    return value;
  }
  while (!field.empty() && field.front() == ' ')
    field.remove_prefix(1);
  while (!field.empty() && (field.back() == ' ' || field.back() == '\0'))
    field.remove_suffix(1);
  for (const char c : field) {
    if (c < '0' || c > '7' || value >> 60 != 0) return std::nullopt;
    value = value << 3 | static_cast<unsigned>(c - '0');
  }
  return value;
}

bool has_right_sum(std::string_view block) {
  const auto wanted = number_field(block, 148, 8);
  std::uint64_t sum = 8 * ' ';
  for (std::size_t i = 0; i < kBlock; ++i)
    if (i < 148 || i >= 156) sum += static_cast<unsigned char>(block[i]);
  return wanted && *wanted == sum;
}

// "./bin//sh/" -> "bin/sh"; nothing for a path that leads elsewhere.
std::optional<std::string> clean_path(std::string_view path) {
  if (path.empty() || path.size() > kLongestPath || path.front() == '/' ||
      path.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::string clean;
  for (const std::string_view part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return std::nullopt;
    clean += (clean.empty() ? "" : "/") + std::string(part);
  }
  return clean;
}

// ustar as POSIX has it, or GNU's without what only its incremental archives use. There are more
// (star, v7, earlier versions of Go), in which the path's beginning is somewhere else or nowhere.
bool is_known_form(std::string_view block) {
  const std::string_view magic = block.substr(257, 8);
  if (magic == std::string_view("ustar\00000", 8)) return all_zero(block.substr(500));
  return magic == std::string_view("ustar  \0", 8) && all_zero(block.substr(345));
}

}  // namespace

class TarReader::Stream {
 public:
  Stream(Source source, const TarLimits& limits) : source_(std::move(source)), limits_(limits) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() {
    if (is_gzip_) inflateEnd(&inflater_);
  }

  // Fills the whole, or less at the end.
  Result<std::size_t> read(char* to, std::size_t size) {
    std::size_t got = 0;
    while (got < size) {
      const auto more = some(to + got, size - got);
      if (!more) return more;
      if (*more == 0) break;
      got += *more;
      unpacked_ += *more;
      if (unpacked_ > limits_.unpacked_bytes) return too_long("unpacked", limits_.unpacked_bytes);
    }
    return got;
  }

 private:
  static tl::unexpected<Error> too_long(const char* how, std::uint64_t limit) {
    return fail(ErrorKind::limit, "read", "archive",
                std::string(how) + " longer than " + bytes_in_words(static_cast<double>(limit)));
  }
  static tl::unexpected<Error> broken(const char* cause) {
    return fail(ErrorKind::malformed, "read", "archive", cause);
  }

  // More of the file's own bytes into the empty buffer.
  Result<void> fill() {
    const auto got = source_(buffer_.data(), buffer_.size());
    if (!got) return tl::unexpected<Error>(got.error());
    at_ = 0;
    filled_ = *got;
    packed_ += *got;
    if (packed_ > limits_.packed_bytes) return too_long("packed", limits_.packed_bytes);
    return {};
  }

  Result<std::size_t> some(char* to, std::size_t size) {
    if (at_ == filled_ && !ended_) {
      if (auto filled = fill(); !filled) return tl::unexpected<Error>(std::move(filled.error()));
    }
    if (!begun_) {
      begun_ = true;
      is_gzip_ = filled_ >= 2 && buffer_[0] == '\x1f' && buffer_[1] == '\x8b';
      if (is_gzip_ && inflateInit2(&inflater_, 15 + 16) != Z_OK) throw std::bad_alloc();
    }
    if (!is_gzip_) {
      const std::size_t part = std::min(size, filled_ - at_);
      std::copy_n(buffer_.data() + at_, part, to);
      at_ += part;
      return part;
    }
    return inflate_some(to, size);
  }

  Result<std::size_t> inflate_some(char* to, std::size_t size) {
    if (ended_) return std::size_t{0};
    inflater_.next_out = reinterpret_cast<Bytef*>(to);
    inflater_.avail_out = static_cast<uInt>(std::min<std::size_t>(size, 1 << 30));
    const uInt wanted = inflater_.avail_out;
    while (inflater_.avail_out == wanted) {
      if (at_ == filled_) {
        if (auto filled = fill(); !filled) return tl::unexpected<Error>(std::move(filled.error()));
        if (filled_ == 0) return broken("its gzip stream is cut off");
      }
      inflater_.next_in = reinterpret_cast<Bytef*>(buffer_.data() + at_);
      inflater_.avail_in = static_cast<uInt>(filled_ - at_);
      const int status = inflate(&inflater_, Z_NO_FLUSH);
      at_ = filled_ - inflater_.avail_in;
      if (status == Z_STREAM_END) {
        ended_ = true;
        if (at_ == filled_) {
          if (auto filled = fill(); !filled)
            return tl::unexpected<Error>(std::move(filled.error()));
        }
        if (at_ != filled_) return broken("there is something behind its gzip stream");
        break;
      }
      if (status != Z_OK && status != Z_BUF_ERROR) return broken("its gzip stream is damaged");
    }
    return static_cast<std::size_t>(wanted - inflater_.avail_out);
  }

  Source source_;
  TarLimits limits_;
  std::vector<char> buffer_ = std::vector<char>(64 << 10);
  std::size_t at_ = 0, filled_ = 0;
  std::uint64_t packed_ = 0, unpacked_ = 0;
  bool begun_ = false, is_gzip_ = false, ended_ = false;
  z_stream inflater_{};
};

Result<TarReader> TarReader::open(const std::string& file, const TarLimits& limits) {
  auto opened = Fd::open_for_reading(file);
  if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  const auto owned = std::make_shared<Fd>(std::move(*opened));
  return TarReader(
      [owned, file](char* to, std::size_t size) -> Result<std::size_t> {
        for (;;) {
          const ssize_t got = ::read(owned->get(), to, size);
          if (got >= 0) return static_cast<std::size_t>(got);
          if (errno != EINTR) return fail_errno("read", file);
        }
      },
      file, limits);
}

TarReader::TarReader(Source source, std::string name, const TarLimits& limits)
    : stream_(std::make_unique<Stream>(std::move(source), limits)),
      name_(std::move(name)),
      limits_(limits) {}
TarReader::TarReader(TarReader&&) noexcept = default;
TarReader::~TarReader() = default;

tl::unexpected<Error> TarReader::refuse(std::string cause) const {
  return fail(ErrorKind::malformed, "read", terminal_safe(name_), std::move(cause));
}

Result<void> TarReader::skip_content() {
  std::array<char, 16 << 10> block;
  std::uint64_t rest = left_ + padding_;
  left_ = padding_ = 0;
  while (rest > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(rest, block.size()));
    const auto got = stream_->read(block.data(), part);
    if (!got) return refuse(got.error().cause);
    if (*got < part) return refuse("it is cut off");
    rest -= part;
  }
  return {};
}

Result<std::string> TarReader::content(std::uint64_t most_bytes) {
  if (left_ > most_bytes)
    return refuse("a file is longer than " + bytes_in_words(static_cast<double>(most_bytes)));
  std::string text;
  std::array<char, 64 << 10> block;
  while (left_ > 0) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, block.size()));
    const auto got = stream_->read(block.data(), part);
    if (!got) return refuse(got.error().cause);
    if (*got < part) return refuse("it is cut off");
    text.append(block.data(), part);
    left_ -= part;
  }
  return text;
}

// Behind the second empty block nothing may follow that somebody else would read.
Result<void> TarReader::expect_end() {
  std::array<char, 16 << 10> block;
  std::size_t first = kBlock;
  for (;;) {
    const auto got = stream_->read(block.data(), block.size());
    if (!got) return refuse(got.error().cause);
    if (first == kBlock && *got < kBlock) return refuse("it has no end: a second empty block");
    first = 0;
    if (!all_zero({block.data(), *got})) return refuse("there is something behind its end");
    if (*got < block.size()) return {};
  }
}

Result<std::optional<TarEntry>> TarReader::next() {
  for (;;) {
    if (auto skipped = skip_content(); !skipped)
      return tl::unexpected<Error>(std::move(skipped.error()));
    std::array<char, kBlock> block;
    const auto got = stream_->read(block.data(), kBlock);
    if (!got) return refuse(got.error().cause);
    if (*got < kBlock) return refuse(*got == 0 && entries_ == 0 ? "it is empty" : "it is cut off");
    const std::string_view header(block.data(), kBlock);
    if (all_zero(header)) {
      if (!extensions_.empty()) return refuse("an entry is missing");
      if (auto ended = expect_end(); !ended) return tl::unexpected<Error>(std::move(ended.error()));
      return std::optional<TarEntry>();
    }
    if (++entries_ > limits_.entries)
      return refuse("more than " + with_thousands(limits_.entries) + " entries");
    if (!has_right_sum(header)) return refuse("it is no tar archive, or damaged");
    if (!is_known_form(header)) return refuse("a header is neither POSIX's ustar nor GNU's");
    const char type = header[156];
    const auto size = number_field(header, 124, 12);
    if (!size) return refuse("an entry's size is no number");
    if (type == 'g') return refuse("a pax header for all entries is not supported");
    if (type != 'L' && type != 'K' && type != 'x') return entry_of(header);

    if (*size > kLongestExtension) return refuse("an extended header is longer than 64 KiB");
    left_ = *size;
    padding_ = (kBlock - left_ % kBlock) % kBlock;
    auto text = content(kLongestExtension);
    if (!text) return tl::unexpected<Error>(std::move(text.error()));
    if (auto read = read_extension(type, *text); !read)
      return tl::unexpected<Error>(std::move(read.error()));
  }
}

Result<std::optional<TarEntry>> TarReader::entry_of(std::string_view header) {
  TarEntry entry;
  std::string path(text_field(header, 0, 100));
  // GNU's own format has times where the prefix is.
  if (header.substr(257, 6) == std::string_view("ustar\0", 6)) {
    const auto prefix = text_field(header, 345, 155);
    if (!prefix.empty()) path = std::string(prefix) + '/' + path;
  }
  if (long_path_) path = std::move(*long_path_);
  entry.target = long_target_ ? std::move(*long_target_) : text_field(header, 157, 100);
  const auto size = number_field(header, 124, 12);
  // What is too long for the header is above every bound here.
  if (long_size_ && long_size_ != size) return refuse("an entry has two sizes");
  const auto mode = number_field(header, 100, 8);
  extensions_.clear();
  long_path_.reset();
  long_target_.reset();
  long_size_.reset();
  if (!mode) return refuse("an entry's mode is no number");
  entry.mode = static_cast<unsigned>(*mode & 01777);
  switch (header[156]) {
    case '\0':
    case '0':
      entry.kind = path.ends_with('/') ? TarEntry::Kind::folder : TarEntry::Kind::file;
      break;
    case '1':
      entry.kind = TarEntry::Kind::hard_link;
      break;
    case '2':
      entry.kind = TarEntry::Kind::link;
      break;
    case '5':
      entry.kind = TarEntry::Kind::folder;
      break;
    case '3':
    case '4':
    case '6':
      entry.kind = TarEntry::Kind::other;
      break;
    default:
      return refuse("an entry is of the unknown type '" +
                    terminal_safe(std::string(1, header[156])) + "'");
  }
  if (entry.kind == TarEntry::Kind::file) {
    entry.bytes = *size;
    left_ = *size;
    padding_ = (kBlock - left_ % kBlock) % kBlock;
  } else if (*size != 0) {
    return refuse("an entry that is no file has content");
  }
  const auto clean = clean_path(path);
  if (!clean)
    return refuse("the path '" + terminal_safe(path.substr(0, 100)) + "' leads out of the archive");
  entry.path = *clean;
  return check(std::move(entry));
}

Result<std::optional<TarEntry>> TarReader::check(TarEntry entry) {
  const std::string shown = "'" + terminal_safe(entry.path.substr(0, 100)) + "'";
  if (entry.path.empty() && entry.kind != TarEntry::Kind::folder)
    return refuse("its root is no folder");
  if (entry.kind == TarEntry::Kind::hard_link) {
    const auto target = clean_path(entry.target);
    if (!target || seen_.count(*target) == 0 || links_.count(*target) != 0)
      return refuse(shown + " is a hard link to no earlier file");
    entry.target = *target;
  }
  if (entry.kind == TarEntry::Kind::link &&
      (entry.target.empty() || entry.target.size() > kLongestPath))
    return refuse(shown + " is a link to nowhere");
  for (auto slash = entry.path.find('/'); slash != std::string::npos;
       slash = entry.path.find('/', slash + 1)) {
    if (links_.count(std::string_view(entry.path).substr(0, slash)) != 0)
      return refuse(shown + " lies behind a link of the archive");
  }
  if (entry.kind != TarEntry::Kind::folder) {
    const auto below = seen_.lower_bound(entry.path + '/');
    if (below != seen_.end() && below->starts_with(entry.path + '/'))
      return refuse(shown + " is no folder, but has files below it");
  }
  if (!seen_.insert(entry.path).second) return refuse(shown + " is in it twice");
  if (entry.kind == TarEntry::Kind::link) links_.insert(entry.path);
  return std::optional<TarEntry>(std::move(entry));
}

}  // namespace beaconry
