#include "sensor/services/seen_events.h"

#include <functional>

namespace beaconry {

SeenEvents::Key SeenEvents::key_of(std::string_view instance, std::string_view uuid) {
  Key key{};
  std::size_t digit = 0;
  for (const char c : uuid) {
    if (c == '-') continue;
    const auto value = static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10) & 15U;
    std::uint64_t& half = key[digit++ / 16 % 2];
    half = half << 4 | value;
  }
  key[2] = std::hash<std::string_view>{}(instance);
  return key;
}

bool SeenEvents::has(std::string_view instance, std::string_view uuid) const {
  return keys_.count(key_of(instance, uuid)) != 0;
}

void SeenEvents::add(std::string_view instance, std::string_view uuid) {
  const Key key = key_of(instance, uuid);
  if (!keys_.insert(key).second) return;
  order_.push_back(key);
  if (order_.size() <= most_) return;
  keys_.erase(order_.front());
  order_.pop_front();
}

}  // namespace beaconry
