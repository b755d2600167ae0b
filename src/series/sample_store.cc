#include "series/sample_store.h"

#include <algorithm>
#include <cstring>

namespace beaconry {

void SampleStore::offer(Ids& ids, Timestamp time, std::string_view id) {
  if (id.empty()) return;
  std::uint32_t* place = nullptr;
  for (std::uint32_t& each : ids) {
    if (each == 0) {
      slots_.emplace_back();
      each = static_cast<std::uint32_t>(slots_.size());
      place = &each;
      break;
    }
    if (place == nullptr || slot(each).time > slot(*place).time) place = &each;
  }
  Slot& target = slots_[*place - 1];
  if (target.length != 0 && target.time <= time) return;
  if (id.size() > target.text.size()) id.remove_prefix(id.size() - target.text.size());
  target.time = time;
  target.length = static_cast<std::uint8_t>(id.size());
  std::memcpy(target.text.data(), id.data(), id.size());
}

void SampleStore::offer_all(Ids& ids, const SampleStore& other, const Ids& others) {
  for (const std::uint32_t each : others) {
    if (each == 0) continue;
    const Slot& theirs = other.slot(each);
    offer(ids, theirs.time, {theirs.text.data(), theirs.length});
  }
}

void SampleStore::read(const Ids& ids, std::vector<std::pair<Timestamp, std::string>>& out) const {
  for (const std::uint32_t each : ids) {
    if (each == 0) continue;
    out.emplace_back(slot(each).time, std::string(slot(each).text.data(), slot(each).length));
  }
}

}  // namespace beaconry
