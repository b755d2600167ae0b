#include "home/stream.h"

#include <algorithm>

#include "home/first_bytes.h"

namespace beaconry {

bool VisitStream::take(ByteView bytes, Desk& desk, Bytes& out) {
  held_.insert(held_.end(), bytes.begin(), bytes.end());
  for (;;) {
    StreamFind find = read_stream(held_);
    if (find.kind == StreamKind::needs_more) return true;
    if (find.kind == StreamKind::nothing) return false;
    Observation seen = where_;
    seen.received = desk.now();
    seen.receiver = std::string(find.receiver);
    seen.carrier = find.carrier;
    seen.raw.assign(as_text(ByteView(held_).first(std::min(held_.size(), Observation::kMostRaw))));
    if (const auto answer = desk.found(find.sealed, std::move(seen))) {
      const Bytes words = stream_answer(find.kind, *answer);
      out.insert(out.end(), words.begin(), words.end());
    }
    if (find.kind != StreamKind::ping) return false;
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(find.used));
    if (held_.empty()) return true;
  }
}

}  // namespace beaconry
