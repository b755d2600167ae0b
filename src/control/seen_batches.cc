#include "control/seen_batches.h"

#include <algorithm>

namespace beaconry {
namespace {

// A stream is called EDGE/INCARNATION.
std::string edge_of(const std::string& stream) {
  return stream.substr(0, stream.find('/'));
}

}  // namespace

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
  const auto edge = edges_.find(edge_of(batch.stream));
  if (edge == edges_.end()) return false;
  const auto at = edge->second.find(batch.stream);
  if (at == edge->second.end()) return false;
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
  Streams& streams = edges_[edge_of(batch.stream)];
  const auto [at, is_new] = streams.try_emplace(batch.stream);
  if (is_new) ++streams_;
  Window& window = at->second;
  if (batch.sequence > window.highest) {
    // What comes into the window has not been seen, whatever stood at its place before.
    const std::uint64_t steps = std::min<std::uint64_t>(batch.sequence - window.highest, kWindow);
    for (std::uint64_t i = 1; i <= steps; ++i)
      window.seen[(batch.sequence - steps + i) % kWindow] = false;
    window.highest = batch.sequence;
  }
  if (window.highest - batch.sequence < kWindow) window.seen[batch.sequence % kWindow] = true;
  window.used = additions_;
  // One edge that begins stream after stream pushes out its own, and no other's.
  if (streams.size() > kMostStreamsOfEdge) forget_oldest(streams);
  if (streams_ <= kMostStreams) return;
  // More edges than there is room for: of those with the most streams one goes.
  const auto most = std::max_element(
      edges_.begin(), edges_.end(),
      [](const auto& x, const auto& y) { return is_sooner_forgotten(y.second, x.second); });
  forget_oldest(most->second);
  if (most->second.empty()) edges_.erase(most);
}

std::uint64_t SeenBatches::oldest_use(const Streams& streams) {
  std::uint64_t oldest = ~std::uint64_t{0};
  for (const auto& [name, window] : streams)
    oldest = std::min(oldest, window.used);
  return oldest;
}

bool SeenBatches::is_sooner_forgotten(const Streams& one, const Streams& other) {
  if (one.size() != other.size()) return one.size() > other.size();
  return oldest_use(one) < oldest_use(other);
}

void SeenBatches::forget_oldest(Streams& streams) {
  streams.erase(std::min_element(streams.begin(), streams.end(), [](const auto& x, const auto& y) {
    return x.second.used < y.second.used;
  }));
  --streams_;
}

void SeenBatches::drop(const BatchIdentity& batch) {
  const std::lock_guard lock(mutex_);
  in_work_.erase(batch);
  changed_.notify_all();
}

}  // namespace beaconry
