#include "source/read_report.h"

#include <algorithm>

namespace beaconry {
namespace {

std::string to_text(const Place& place) {
  static constexpr const char* kUnits[] = {"", " line ", " byte ", " packet "};
  std::string text(place.file);
  if (place.unit != Place::Unit::none) {
    text += kUnits[static_cast<std::size_t>(place.unit)] + std::to_string(place.at);
  }
  return text;
}

}  // namespace

void ReadReport::refuse(std::string_view reason, const Place& place, std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  auto found = refusals_.find(reason);
  if (found == refusals_.end()) {
    found = refusals_.emplace(reason, Refusal{std::string(reason), to_text(place), 0}).first;
  }
  found->second.count += count;
}

void ReadReport::fail_input(std::string_view path, std::string reason) {
  const std::lock_guard lock(mutex_);
  failed_inputs_.emplace_back(path, std::move(reason));
}

std::uint64_t ReadReport::refused() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t total = 0;
  for (const auto& [reason, refusal] : refusals_)
    total += refusal.count;
  return total;
}

std::vector<ReadReport::Refusal> ReadReport::refusals() const {
  const std::lock_guard lock(mutex_);
  std::vector<Refusal> all;
  for (const auto& [reason, refusal] : refusals_)
    all.push_back(refusal);
  std::sort(all.begin(), all.end(),
            [](const Refusal& a, const Refusal& b) { return a.count > b.count; });
  return all;
}

std::vector<std::pair<std::string, std::string>> ReadReport::failed_inputs() const {
  const std::lock_guard lock(mutex_);
  return failed_inputs_;
}

}  // namespace beaconry
