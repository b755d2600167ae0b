#include "series/sample_store.h"

#include <algorithm>
#include <cstring>

namespace beaconry {

// Of five samples the last one's time; with room left, no time is too late.
Timestamp SampleStore::latest(List list) const {
  Timestamp last = Timestamp::min();
  std::size_t count = 0;
  for (List at = list; at != 0; at = slot(at).next, ++count)
    last = std::max(last, slot(at).time);
  return count < kSamples ? Timestamp::max() : last;
}

Timestamp SampleStore::offer(List& list, Timestamp time, std::string_view id) {
  if (id.empty()) return latest(list);
  if (id.size() > kLongestId) id.remove_prefix(id.size() - kLongestId);
  std::size_t count = 0;
  List place = 0;  // of the latest
  for (List at = list; at != 0; at = slot(at).next, ++count) {
    if (place == 0 || slot(at).time > slot(place).time) place = at;
  }
  if (count < kSamples) {
    place = free_;
    if (place != 0) {
      free_ = slot(place).next;
    } else {
      slots_.emplace_back();
      place = static_cast<List>(slots_.size());
    }
    slot(place).next = list;
    list = place;
    ++used_;
  } else if (slot(place).time <= time) {
    return slot(place).time;
  }
  Slot& target = slot(place);
  target.time = time;
  target.length = static_cast<std::uint8_t>(id.size());
  std::memcpy(target.text.data(), id.data(), id.size());
  return latest(list);
}

Timestamp SampleStore::offer_all(List& list, const SampleStore& other, List others) {
  for (List at = others; at != 0; at = other.slot(at).next) {
    const Slot& theirs = other.slot(at);
    offer(list, theirs.time, {theirs.text.data(), theirs.length});
  }
  return latest(list);
}

Timestamp SampleStore::drop_before(List& list, Timestamp from) {
  List* link = &list;
  while (*link != 0) {
    const List at = *link;
    if (slot(at).time >= from) {
      link = &slot(at).next;
      continue;
    }
    *link = slot(at).next;
    slot(at).next = free_;
    free_ = at;
    --used_;
  }
  return latest(list);
}

void SampleStore::read(List list, std::vector<std::pair<Timestamp, std::string>>& out) const {
  for (List at = list; at != 0; at = slot(at).next) {
    out.emplace_back(slot(at).time, std::string(slot(at).text.data(), slot(at).length));
  }
}

}  // namespace beaconry
