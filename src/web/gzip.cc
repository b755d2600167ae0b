#include "web/gzip.h"

#include <zlib.h>

namespace beaconry {

Result<std::string> unpack_gzip(std::span<const unsigned char> packed, std::size_t size) {
  std::string out(size + 1, '\0');  // one more than comes: too much is noticed
  z_stream stream{};
  constexpr int kGzip = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzip) != Z_OK)
    return fail(ErrorKind::limit, "unpack", "gzip", "memory");
  // zlib reads through a pointer that is not const.
  stream.next_in = const_cast<unsigned char*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<unsigned char*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int ended = inflate(&stream, Z_FINISH);
  const std::size_t got = stream.total_out;
  inflateEnd(&stream);
  if (ended != Z_STREAM_END || got != size) {
    return fail(ErrorKind::malformed, "unpack", "gzip", "it is damaged");
  }
  out.resize(size);
  return out;
}

}  // namespace beaconry
