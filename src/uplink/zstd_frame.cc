#include "uplink/zstd_frame.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>

namespace beaconry::uplink {
namespace {

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "batch", std::move(cause));
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

tl::unexpected<Error> past(const char* what, std::size_t limit) {
  return fail(ErrorKind::limit, "read", "batch",
              std::string("more than ") + std::to_string(limit) + " " + what);
}

Result<Plain> decompress(std::string_view content, std::size_t most_bytes) {
  constexpr const char* kNoFrame = "its content is not one zstd frame";
  const unsigned long long told = ZSTD_getFrameContentSize(content.data(), content.size());
  if (told == ZSTD_CONTENTSIZE_ERROR) return malformed(kNoFrame);
  const bool is_told = told != ZSTD_CONTENTSIZE_UNKNOWN;
  if (is_told && told > most_bytes) return past("bytes, decompressed", most_bytes);
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (!context) return fail(ErrorKind::limit, "read", "batch", "out of memory");
  const int window = std::clamp(static_cast<int>(std::bit_width(most_bytes)), 10, 27);
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, window);
  std::size_t room = is_told
                         ? static_cast<std::size_t>(told)
                         : std::min(most_bytes, std::max<std::size_t>(content.size() * 4, 4096));
  Plain plain;
  plain.bytes.reset(new char[std::max<std::size_t>(room, 1)]);  // not zeroed: it is written over
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  for (;;) {
    ZSTD_outBuffer out{plain.bytes.get(), room, plain.size};
    const std::size_t before = in.pos;
    const std::size_t status = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge) {
      return past("bytes, decompressed", most_bytes);
    }
    if (ZSTD_isError(status)) {
      return malformed(std::string("its zstd data is corrupt (") + ZSTD_getErrorName(status) + ")");
    }
    const bool advanced = out.pos > plain.size || in.pos > before;
    plain.size = out.pos;
    if (status == 0) break;
    if (plain.size < room && !advanced) return malformed("its zstd data is truncated");
    if (plain.size < room || advanced) continue;
    if (is_told) return malformed("its zstd data is longer than it says");
    if (room == most_bytes) return past("bytes, decompressed", most_bytes);
    room = std::min(most_bytes, room * 2);
    std::unique_ptr<char[]> wider(new char[room]);
    std::copy_n(plain.bytes.get(), plain.size, wider.get());
    plain.bytes = std::move(wider);
  }
  if (in.pos != in.size) return malformed(kNoFrame);
  return plain;
}

Result<std::string> decompress_start(std::string_view content, std::size_t most_bytes) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (!context) return fail(ErrorKind::limit, "read", "batch", "out of memory");
  std::string start(most_bytes, '\0');
  ZSTD_inBuffer in{content.data(), content.size(), 0};
  ZSTD_outBuffer out{start.data(), start.size(), 0};
  while (out.pos < out.size) {
    const std::size_t read = in.pos, written = out.pos;
    const std::size_t status = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(status)) return malformed("its zstd data is corrupt");
    if (status == 0 || (in.pos == read && out.pos == written)) break;
  }
  start.resize(out.pos);
  return start;
}

std::string compress(std::string_view plain, int level) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  // Cannot fail: the room is enough, and a level is all that is asked.
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), level));
  return packed;
}

}  // namespace beaconry::uplink
