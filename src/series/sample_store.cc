#include "series/sample_store.h"

#include <algorithm>
#include <cstring>

namespace beaconry {

// Of five samples the last one's time; with room left, no time is too late.
Timestamp SampleStore::latest(const Ids& ids) const {
  if (ids.back() == 0) return Timestamp::max();
  Timestamp last = slot(ids[0]).time;
  for (const std::uint32_t each : ids)
    last = std::max(last, slot(each).time);
  return last;
}

Timestamp SampleStore::offer(Ids& ids, Timestamp time, std::string_view id) {
  if (id.empty()) return latest(ids);
  if (id.size() > kLongestId) id.remove_prefix(id.size() - kLongestId);
  const auto free = std::find(ids.begin(), ids.end(), 0U);
  std::uint32_t* place = free;
  if (free == ids.end()) {
    place = std::max_element(ids.begin(), ids.end(), [&](std::uint32_t a, std::uint32_t b) {
      return slot(a).time < slot(b).time;
    });
    if (slot(*place).time <= time) return slot(*place).time;
  } else {
    slots_.emplace_back();
    *place = static_cast<std::uint32_t>(slots_.size());
  }
  Slot& target = slots_[*place - 1];
  target.time = time;
  target.length = static_cast<std::uint8_t>(id.size());
  std::memcpy(target.text.data(), id.data(), id.size());
  return latest(ids);
}

Timestamp SampleStore::offer_all(Ids& ids, const SampleStore& other, const Ids& others) {
  for (const std::uint32_t each : others) {
    if (each == 0) continue;
    const Slot& theirs = other.slot(each);
    offer(ids, theirs.time, {theirs.text.data(), theirs.length});
  }
  return latest(ids);
}

void SampleStore::read(const Ids& ids, std::vector<std::pair<Timestamp, std::string>>& out) const {
  for (const std::uint32_t each : ids) {
    if (each == 0) continue;
    out.emplace_back(slot(each).time, std::string(slot(each).text.data(), slot(each).length));
  }
}

}  // namespace beaconry
