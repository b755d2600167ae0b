#include "control/login_guard.h"

#include <algorithm>

namespace beaconry {
namespace {

constexpr std::size_t kMost = 10'000;
constexpr unsigned kFree = 5;
constexpr std::chrono::seconds kMostOfUser{30}, kMostOfAddress{15 * 60};
constexpr auto kForgotten = std::chrono::hours{24};

std::string place_of(const IpAddress& address) {
  if (address.is_v4()) return address.to_string();
  std::string text;  // whoever has one address of a /64 has them all
  const auto bytes = address.bytes();
  text.assign(reinterpret_cast<const char*>(bytes.data()), 8);
  return text;
}

}  // namespace

LoginGuard::Entry* LoginGuard::Table::find(const std::string& key, Timestamp now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  if (found->second->last + kForgotten < now) {
    erase(key);
    return nullptr;
  }
  return &*found->second;
}

LoginGuard::Entry& LoginGuard::Table::touch(const std::string& key, Timestamp now) {
  if (find(key, now) == nullptr) {
    if (entries_.size() >= kMost) {
      by_key_.erase(entries_.back().key);
      entries_.pop_back();
    }
    entries_.push_front(Entry{key, 0, false, now});
    by_key_[key] = entries_.begin();
  } else {
    entries_.splice(entries_.begin(), entries_, by_key_[key]);
  }
  entries_.front().last = now;
  return entries_.front();
}

void LoginGuard::Table::erase(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  entries_.erase(found->second);
  by_key_.erase(found);
}

std::chrono::seconds LoginGuard::left(const Entry* entry, std::chrono::seconds most,
                                      Timestamp now) {
  if (entry == nullptr || entry->failures < kFree) return {};
  const unsigned doubled = std::min(entry->failures - kFree, 20U);
  const auto delay = std::min(most, std::chrono::seconds{1U << doubled});
  const auto rest = entry->last + delay - now;
  return rest <= Duration::zero() ? std::chrono::seconds{}
                                  : std::min(delay, std::chrono::ceil<std::chrono::seconds>(rest));
}

std::chrono::seconds LoginGuard::begin(const std::string& user, const IpAddress& address,
                                       Timestamp now) {
  const std::lock_guard lock(mutex_);
  const std::string place = place_of(address), both = place + ' ' + user;
  const Entry* const pair = pairs_.find(both, now);
  const auto wait = pair != nullptr && pair->known
                        ? left(pair, kMostOfUser, now)
                        : std::max(left(addresses_.find(place, now), kMostOfAddress, now),
                                   left(users_.find(user, now), kMostOfUser, now));
  if (wait > std::chrono::seconds{}) return wait;
  ++addresses_.touch(place, now).failures;
  ++users_.touch(user, now).failures;
  ++pairs_.touch(both, now).failures;
  return {};
}

void LoginGuard::succeeded(const std::string& user, const IpAddress& address, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const std::string place = place_of(address);
  Entry& pair = pairs_.touch(place + ' ' + user, now);
  if (Entry* const all = addresses_.find(place, now); all != nullptr) {
    all->failures -= std::min(all->failures, pair.failures);
  }
  users_.erase(user);
  pair.failures = 0;
  pair.known = true;
}

}  // namespace beaconry
