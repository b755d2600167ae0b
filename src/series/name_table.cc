#include "series/name_table.h"

namespace beaconry {

NameTable::NameTable() {
  intern("");
}

NameTable::Id NameTable::intern(std::string_view name) {
  const auto found = ids_.find(name);
  if (found != ids_.end()) return found->second;
  const auto id = static_cast<Id>(names_.size());
  const std::string& kept = names_.emplace_back(name);
  ids_.emplace(std::string_view(kept), id);
  constexpr std::size_t kOverhead = sizeof(std::string) + sizeof(std::string_view) + sizeof(Id) + 8;
  memory_bytes_ += name.size() + kOverhead;
  return id;
}

}  // namespace beaconry
