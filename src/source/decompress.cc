#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "source/byte_stream.h"

namespace beaconry {
namespace {

constexpr std::size_t kInputBytes = std::size_t{128} << 10;
constexpr std::size_t kTrailerBytes = 8;  // of a gzip member: CRC-32 and size (RFC 1952 §2.3.1)
constexpr int kLargestWindowLog = 27;     // zstd's own limit for streaming: 128 MiB

bool is_gzip(std::string_view bytes) {
  return bytes.size() >= 3 && bytes[0] == '\x1f' && bytes[1] == '\x8b' && bytes[2] == '\x08';
}

bool is_zstd(std::string_view bytes) {  // RFC 8878 §3.1: frames and skippable frames
  if (bytes.size() < 4) return false;
  std::uint32_t magic = 0;
  for (std::size_t i = 4; i-- > 0;) {
    magic = magic << 8 | static_cast<std::uint8_t>(bytes[i]);
  }
  return magic == 0xfd2fb528U || (magic & 0xfffffff0U) == 0x184d2a50U;
}

class DecompressedStream final : public ByteStream {
 public:
  explicit DecompressedStream(std::unique_ptr<ByteStream> stored)
      : stored_(std::move(stored)), input_(kInputBytes) {}

  ~DecompressedStream() override {
    if (format_ == Format::gzip) inflateEnd(&gzip_);
    ZSTD_freeDStream(zstd_);
  }
  DecompressedStream(const DecompressedStream&) = delete;
  DecompressedStream& operator=(const DecompressedStream&) = delete;

  Result<std::size_t> read(std::span<char> out) override {
    if (error_) return tl::unexpected<Error>(*error_);
    if (out.empty()) return std::size_t{0};
    if (format_ == Format::unknown) recognise();
    std::size_t made = 0;
    if (!error_) {
      switch (format_) {
        case Format::gzip:
          made = inflate_into(out);
          break;
        case Format::zstd:
          made = unzstd_into(out);
          break;
        default:
          made = copy_into(out);
      }
    }
    if (made == 0 && error_) return tl::unexpected<Error>(*error_);
    return made;  // an error waits until what came before it was taken
  }
  const std::string& name() const override { return stored_->name(); }

 private:
  enum class Format { unknown, stored, gzip, zstd };

  std::string_view waiting() const { return {input_.data() + begin_, end_ - begin_}; }
  std::uint64_t offset() const { return stored_bytes_ - (end_ - begin_); }

  void fail_at(std::string cause) {
    error_ = Error{ErrorKind::malformed, "decompress", name(),
                   std::move(cause) + " at byte " + std::to_string(offset())};
  }

  // Appends what the stored stream gives next; false at its end or an error.
  bool refill() {
    if (ended_) return false;
    if (begin_ > kTrailerBytes) {  // what was taken last stays: it may be a trailer
      const std::size_t gone = begin_ - kTrailerBytes;
      std::memmove(input_.data(), input_.data() + gone, end_ - gone);
      end_ -= gone, begin_ -= gone;
    }
    if (end_ == input_.size()) return true;
    const auto got = stored_->read(std::span(input_).subspan(end_));
    if (!got) {
      stored_error_ = got.error();
      ended_ = true;
      return false;
    }
    end_ += *got;
    stored_bytes_ += *got;
    ended_ = *got == 0;
    return !ended_;
  }

  void recognise() {
    while (end_ - begin_ < 4 && refill()) {
    }
    format_ = Format::stored;
    if (is_gzip(waiting())) {
      if (inflateInit2(&gzip_, MAX_WBITS + 16) == Z_OK) {
        format_ = Format::gzip;
        begin_member();
      } else {
        fail_at("out of memory");
      }
    } else if (is_zstd(waiting())) {
      zstd_ = ZSTD_createDStream();
      if (zstd_ != nullptr) {
        format_ = Format::zstd;
        ZSTD_DCtx_setParameter(zstd_, ZSTD_d_windowLogMax, kLargestWindowLog);
      } else {
        fail_at("out of memory");
      }
    }
  }

  // The stored bytes ended while `what` still needs more.
  void fail_truncated(std::string_view what) {
    if (stored_error_) {
      error_ = stored_error_;
    } else {
      fail_at(std::string(what) + " is truncated");
    }
  }

  std::size_t copy_into(std::span<char> out) {
    if (begin_ == end_) {
      if (stored_error_) error_ = stored_error_;
      if (ended_) return 0;
      const auto got = stored_->read(out);
      if (!got) error_ = got.error();
      return got ? *got : 0;
    }
    const std::size_t count = std::min(out.size(), end_ - begin_);
    std::memcpy(out.data(), input_.data() + begin_, count);
    begin_ += count;
    return count;
  }

  std::size_t inflate_into(std::span<char> out) {
    std::size_t made = 0;
    while (made < out.size() && !error_) {
      if (between_ && !next_member()) break;
      if (begin_ == end_ && !refill()) {
        fail_truncated("gzip data");
        break;
      }
      gzip_.next_in = reinterpret_cast<Bytef*>(input_.data() + begin_);
      gzip_.avail_in = static_cast<uInt>(end_ - begin_);
      gzip_.next_out = reinterpret_cast<Bytef*>(out.data() + made);
      const auto room = static_cast<uInt>(std::min<std::size_t>(out.size() - made, 1U << 30));
      gzip_.avail_out = room;
      const int status = inflate(&gzip_, Z_NO_FLUSH);
      begin_ = end_ - gzip_.avail_in;
      const std::size_t produced = room - gzip_.avail_out;
      crc_ = libdeflate_crc32(crc_, out.data() + made, produced);
      member_bytes_ += static_cast<std::uint32_t>(produced);
      made += produced;
      if (status == Z_STREAM_END) {
        between_ = true;
        check_trailer();
      } else if (status != Z_OK && status != Z_BUF_ERROR) {
        fail_at(std::string("gzip data is corrupt (") +
                (gzip_.msg != nullptr ? gzip_.msg : "unknown reason") + ")");
      }
    }
    return made;
  }

  // zlib's own checksum costs an eighth of all inflating, libdeflate's a hundredth.
  void begin_member() {
    inflateValidate(&gzip_, 0);
    crc_ = 0;
    member_bytes_ = 0;
  }

  void check_trailer() {
    const auto word = [&](std::size_t before) {
      std::uint32_t value = 0;
      for (std::size_t i = 4; i-- > 0;) {
        value = value << 8 | static_cast<std::uint8_t>(input_[begin_ - before + i]);
      }
      return value;
    };
    if (word(8) != crc_) fail_at("gzip data is corrupt (its checksum is wrong)");
    if (!error_ && word(4) != member_bytes_) fail_at("gzip data is corrupt (its size is wrong)");
  }

  // After a gzip member: another one, zero padding (as tapes leave it) or the end.
  bool next_member() {
    while (end_ - begin_ < 3 && refill()) {
    }
    if (is_gzip(waiting())) {
      inflateReset(&gzip_);
      begin_member();
      between_ = false;
      return true;
    }
    while (begin_ != end_ || refill()) {
      if (waiting().find_first_not_of('\0') != std::string_view::npos) {
        fail_at("something that is not gzip follows the gzip data");
        return false;
      }
      begin_ = end_;
    }
    if (stored_error_) error_ = stored_error_;
    return false;
  }

  std::size_t unzstd_into(std::span<char> out) {
    ZSTD_outBuffer made{out.data(), out.size(), 0};
    while (made.pos < made.size) {
      if (begin_ == end_ && !refill()) {
        if (!between_) {
          // What the decoder still holds comes out without input.
          const std::size_t before = made.pos;
          ZSTD_inBuffer none{nullptr, 0, 0};
          const std::size_t status = ZSTD_decompressStream(zstd_, &made, &none);
          between_ = status == 0;
          if (made.pos > before) continue;
          if (!between_) fail_truncated("zstd data");
        } else if (stored_error_) {
          error_ = stored_error_;
        }
        break;
      }
      ZSTD_inBuffer in{input_.data() + begin_, end_ - begin_, 0};
      const std::size_t status = ZSTD_decompressStream(zstd_, &made, &in);
      begin_ += in.pos;
      if (ZSTD_isError(status)) {
        fail_at(std::string("zstd data is corrupt (") + ZSTD_getErrorName(status) + ")");
        break;
      }
      between_ = status == 0;
    }
    return made.pos;
  }

  std::unique_ptr<ByteStream> stored_;
  std::vector<char> input_;
  std::size_t begin_ = 0, end_ = 0;  // waiting input
  std::uint64_t stored_bytes_ = 0;
  bool ended_ = false;
  bool between_ = false;  // a member or frame is complete
  Format format_ = Format::unknown;
  z_stream gzip_{};
  std::uint32_t crc_ = 0, member_bytes_ = 0;  // of the gzip member so far; the size modulo 2^32
  ZSTD_DStream* zstd_ = nullptr;
  std::optional<Error> error_, stored_error_;
};

}  // namespace

std::unique_ptr<ByteStream> decompress(std::unique_ptr<ByteStream> stored) {
  return std::make_unique<DecompressedStream>(std::move(stored));
}

}  // namespace beaconry
