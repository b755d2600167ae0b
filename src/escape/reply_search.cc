#include "escape/reply_search.h"

#include <algorithm>

#include "base/text.h"

namespace beaconry {
namespace {

bool same_letter(std::uint8_t byte, char lower) {
  return (byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte) == lower;
}

// Where the first magic of either kind ends; the size where there is none.
std::size_t behind_magic(ByteView bytes) {
  const auto binary = std::search(bytes.begin(), bytes.end(), kPingMagic.begin(), kPingMagic.end());
  const auto text = std::search(bytes.begin(), bytes.end(), kPingTextMagic.begin(),
                                kPingTextMagic.end(), same_letter);
  const auto first = std::min(binary, text);
  if (first == bytes.end()) return bytes.size();
  return static_cast<std::size_t>(first - bytes.begin()) + kPingMagic.size();
}
static_assert(kPingMagic.size() == kPingTextMagic.size());

}  // namespace

bool take_reply_within(Wire& wire, ByteView bytes) {
  for (int tries = 0; tries < kMostCandidates; ++tries) {
    const auto found = find_ping(bytes);
    if (!found) return false;
    if (wire.take_reply(found->sealed)) return true;
    bytes = bytes.subspan(behind_magic(bytes));
  }
  return false;
}

bool ReplyStream::add(Wire& wire, ByteView piece) {
  if (exhausted()) return false;
  read_ += piece.size();
  kept_.insert(kept_.end(), piece.begin(), piece.end());
  const bool taken = take_reply_within(wire, kept_);
  if (kept_.size() > kKept) {
    kept_.erase(kept_.begin(), kept_.end() - static_cast<std::ptrdiff_t>(kKept));
  }
  return taken;
}

}  // namespace beaconry
