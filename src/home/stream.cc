#include "home/stream.h"

#include <algorithm>

#include "ping/seal.h"

namespace beaconry {

bool Stream::take(ByteView bytes, Desk& desk, Bytes& out) {
  const std::size_t room = kMostHeld - held_.size();
  const ByteView taken = bytes.first(std::min(bytes.size(), room));
  held_.insert(held_.end(), taken.begin(), taken.end());
  const auto found = find_ping(held_);
  if (!found) return held_.size() < kMostHeld;
  Observation seen = where_;
  seen.received = desk.now();
  seen.receiver = "tcp";
  seen.raw.assign(as_text(ByteView(held_).first(std::min(held_.size(), Observation::kMostRaw))));
  const auto answer = desk.found(found->sealed, std::move(seen));
  held_.clear();
  if (answer) out.insert(out.end(), answer->reply.begin(), answer->reply.end());
  return true;
}

}  // namespace beaconry
