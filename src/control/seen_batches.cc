#include "control/seen_batches.h"

#include <algorithm>

namespace beaconry {

SeenBatches::Claim SeenBatches::claim(const BatchIdentity& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !in_work_.contains(batch); });
  if (knows(batch)) return Claim(nullptr, {});
  in_work_.insert(batch);
  return Claim(this, batch);
}

bool SeenBatches::contains(const BatchIdentity& batch) const {
  const std::lock_guard lock(mutex_);
  return knows(batch);
}

bool SeenBatches::knows(const BatchIdentity& batch) const {
  if (batch.stream.empty()) return digests_.contains(batch.digest);
  const auto at = streams_.find(batch.stream);
  if (at == streams_.end()) return false;
  const Window& window = at->second;
  if (batch.sequence > window.highest) return false;
  if (window.highest - batch.sequence >= kWindow) return true;
  return window.seen[batch.sequence % kWindow];
}

void SeenBatches::add(const BatchIdentity& batch) {
  const std::lock_guard lock(mutex_);
  ++additions_;
  if (batch.stream.empty()) {
    if (!digests_.insert(batch.digest).second) return;
    by_age_.push_back(batch.digest);
    if (by_age_.size() <= kMostDigests) return;
    digests_.erase(by_age_.front());
    by_age_.pop_front();
    return;
  }
  Window& window = streams_[batch.stream];
  if (batch.sequence > window.highest) {
    // What comes into the window has not been seen, whatever stood at its place before.
    const std::uint64_t steps = std::min<std::uint64_t>(batch.sequence - window.highest, kWindow);
    for (std::uint64_t i = 1; i <= steps; ++i)
      window.seen[(batch.sequence - steps + i) % kWindow] = false;
    window.highest = batch.sequence;
  }
  if (window.highest - batch.sequence < kWindow) window.seen[batch.sequence % kWindow] = true;
  window.used = additions_;
  if (streams_.size() <= kMostStreams) return;
  streams_.erase(
      std::min_element(streams_.begin(), streams_.end(),
                       [](const auto& x, const auto& y) { return x.second.used < y.second.used; }));
}

void SeenBatches::drop(const BatchIdentity& batch) {
  const std::lock_guard lock(mutex_);
  in_work_.erase(batch);
  changed_.notify_all();
}

}  // namespace beaconry
