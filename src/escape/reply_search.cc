#include "escape/reply_search.h"

namespace beaconry {

bool take_reply_within(Wire& wire, ByteView bytes) {
  for (int tries = 0; tries < kMostCandidates; ++tries) {
    const auto found = find_ping(bytes);
    if (!found) return false;
    if (wire.take_reply(found->sealed)) return true;
    bytes = bytes.subspan(found->end);
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
