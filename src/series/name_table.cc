#include "series/name_table.h"

namespace beaconry {
namespace {

// Of an entry and its place in the map, which is between half and seven eighths full.
constexpr std::size_t kOverhead =
    sizeof(std::string) + 8 + (sizeof(std::string_view) + sizeof(NameTable::Id) + 5) * 3 / 2;
constexpr std::size_t kInPlace = 15;  // a string up to this long needs no memory of its own

std::size_t cost_of(std::size_t length) {
  return kOverhead + (length > kInPlace ? length + 16 : 0);
}

}  // namespace

NameTable::NameTable() {
  use(intern(""));
}

NameTable::Id NameTable::intern(std::string_view name) {
  const auto found = ids_.find(name);
  if (found != ids_.end()) return found->second;
  Id id = 0;
  if (free_.empty()) {
    id = static_cast<Id>(names_.size());
    names_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  names_[id].text = name;
  ids_.emplace(std::string_view(names_[id].text), id);
  memory_bytes_ += cost_of(name.size());
  return id;
}

void NameTable::release(Id id) {
  Entry& entry = names_[id];
  if (--entry.uses != 0) return;
  ids_.erase(std::string_view(entry.text));
  memory_bytes_ -= cost_of(entry.text.size());
  entry.text = std::string();
  free_.push_back(id);
}

}  // namespace beaconry
