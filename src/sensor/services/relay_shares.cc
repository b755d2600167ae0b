#include "sensor/services/relay_shares.h"

#include <algorithm>

#include "uplink/relayed_batch.h"

namespace beaconry {

RelayShares::RelayShares(Spool& spool, std::uint64_t most_bytes)
    : spool_(spool), most_bytes_(most_bytes) {
  if (most_bytes_ == 0) return;
  // What a predecessor took waits still; what cannot be read is not sent either.
  for (std::uint64_t next = spool_.first(); next < spool_.next(); ++next) {
    const auto record = spool_.read(next);
    if (!record) continue;
    if (!*record) break;
    next = (*record)->sequence;
    const auto instance = instance_of_relayed((*record)->bytes);
    if (instance) appended(*instance, next, (*record)->bytes.size());
  }
}

void RelayShares::set_instances(std::size_t instances) {
  const std::lock_guard lock(mutex_);
  instances_ = std::max<std::size_t>(instances, 1);
}

bool RelayShares::has_room(const std::string& instance, std::uint64_t bytes) {
  if (most_bytes_ == 0) return true;
  const std::lock_guard lock(mutex_);
  forget_released();
  const auto at = waiting_.find(instance);
  return at == waiting_.end() || at->second + bytes <= most_bytes_ / (instances_ + 1);
}

std::uint64_t RelayShares::share() {
  const std::lock_guard lock(mutex_);
  return most_bytes_ / (instances_ + 1);
}

void RelayShares::appended(const std::string& instance, std::uint64_t sequence,
                           std::uint64_t bytes) {
  if (most_bytes_ == 0) return;
  const std::lock_guard lock(mutex_);
  batches_.push_back({sequence, bytes, instance});
  waiting_[instance] += bytes;
}

std::uint64_t RelayShares::waiting(const std::string& instance) {
  const std::lock_guard lock(mutex_);
  forget_released();
  const auto at = waiting_.find(instance);
  return at == waiting_.end() ? 0 : at->second;
}

void RelayShares::forget_released() {
  const std::uint64_t first = spool_.first();
  // Instances append side by side: what is behind a later number goes with that one.
  while (!batches_.empty() && batches_.front().sequence < first) {
    const auto at = waiting_.find(batches_.front().instance);
    at->second -= batches_.front().bytes;
    if (at->second == 0) waiting_.erase(at);
    batches_.pop_front();
  }
}

}  // namespace beaconry
