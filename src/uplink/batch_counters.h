#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "uplink/flow_batch.h"
#include "uplink/wire.h"

namespace beaconry::uplink {

// An edge's counters in batches of any kind. Messages is a RepeatedPtrField of the generated
// Counter, which headers do not know.
template <class Messages>
void put_counters(const std::vector<EdgeCounter>& counters, Messages& messages,
                  std::string& buffer) {
  for (std::size_t i = 0; i < std::min(counters.size(), kMostCounters); ++i) {
    auto& message = *messages.Add();
    message.set_name(std::string(cleaned(counters[i].name, buffer)));
    message.set_place(std::string(cleaned(counters[i].place, buffer)));
    message.set_value(counters[i].value);
  }
}

template <class Messages>
const char* find_counter_fault(const Messages& messages) {
  for (const auto& message : messages) {
    if (message.name().empty() || !is_text(message.name()) || !is_text(message.place())) {
      return "a counter's name or place is empty, too long or not plain text";
    }
  }
  return nullptr;
}

template <class Messages>
std::vector<EdgeCounter> take_counters(const Messages& messages) {
  std::vector<EdgeCounter> counters;
  counters.reserve(static_cast<std::size_t>(messages.size()));
  for (const auto& message : messages)
    counters.push_back({message.name(), message.place(), message.value()});
  return counters;
}

}  // namespace beaconry::uplink
