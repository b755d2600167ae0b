#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry::uplink {

// A batch's content as it travels: one zstd frame (RFC 8878).
struct Plain {
  std::unique_ptr<char[]> bytes;
  std::size_t size = 0;
  std::string_view view() const { return {bytes.get(), size}; }
};

// One frame and nothing behind it. A size that the frame does not tell, or tells wrongly, is found
// while it is written: never more memory than twice `most_bytes`.
Result<Plain> decompress(std::string_view content, std::size_t most_bytes);
// Its first bytes, at most so many; what is behind them is not looked at.
Result<std::string> decompress_start(std::string_view content, std::size_t most_bytes);
std::string compress(std::string_view plain, int level);

// ErrorKind::limit: "read batch: more than 10 counters".
tl::unexpected<Error> past(const char* what, std::size_t limit);

}  // namespace beaconry::uplink
