#include "detect/allow_list.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "base/text.h"

namespace beaconry {

std::size_t AllowList::BlockIndex::Hash::operator()(const IpAddress& address) const {
  // Neighbouring addresses differ in few bits: multiply and fold them over the word.
  const std::uint64_t mixed = (address.high() ^ (address.low() * 0x9e3779b97f4a7c15ULL));
  return static_cast<std::size_t>((mixed ^ (mixed >> 32)) * 0x9e3779b97f4a7c15ULL);
}

void AllowList::BlockIndex::add(const Cidr& block, Row row) {
  auto length = std::find_if(lengths.begin(), lengths.end(),
                             [&](const Length& l) { return l.bits == block.bits(); });
  if (length == lengths.end()) length = lengths.insert(length, Length{block.bits(), {}});
  length->blocks[block.network()].push_back(row);
}

template <class Visit>
void AllowList::BlockIndex::find(const IpAddress& address, const Visit& visit) const {
  for (const Length& length : lengths) {
    const auto found = length.blocks.find(address.masked(length.bits));
    if (found == length.blocks.end()) continue;
    for (const Row row : found->second) {
      visit(row);
    }
  }
}

Result<void> AllowList::add(std::string_view text, std::string_view origin) {
  auto rule = AllowRule::parse(text);
  if (!rule) {
    Error error = std::move(rule.error());
    error.subject = terminal_safe(origin) + ", " + error.subject;
    return tl::unexpected<Error>(std::move(error));
  }
  if (entries_.size() >= std::numeric_limits<Row>::max()) {
    return fail(ErrorKind::limit, "read", terminal_safe(origin), "too many entries");
  }
  const Row row = static_cast<Row>(entries_.size());
  if (rule->either_end) {
    by_source_.add(*rule->either_end, row);
    by_destination_.add(*rule->either_end, row);
  } else if (rule->destination) {
    by_destination_.add(*rule->destination, row);
  } else if (rule->source) {
    by_source_.add(*rule->source, row);
  } else if (rule->name && !rule->name->fixed_ending().empty()) {
    by_ending_[std::string(rule->name->fixed_ending())].push_back(row);
  } else if (rule->name || !rule->port) {
    others_.push_back(row);
  } else {
    by_port_[*rule->port].push_back(row);
  }
  entries_.push_back({std::string(trim(text)), std::string(origin), std::move(*rule)});
  return {};
}

Result<void> AllowList::add_lines(std::string_view text, std::string_view file) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    std::string_view entry = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    entry = trim(entry.substr(0, entry.find('#')));
    if (entry.empty()) continue;
    if (auto added = add(entry, std::string(file) + " line " + std::to_string(line)); !added) {
      return added;
    }
  }
  return {};
}

const AllowEntry* AllowList::match(const PairKey& pair, std::string_view server_name) const {
  constexpr Row kNone = std::numeric_limits<Row>::max();
  Row first = kNone;
  const auto visit = [&](Row row) {
    if (row < first && entries_[row].rule.covers(pair, server_name)) first = row;
  };
  by_source_.find(pair.source, visit);
  by_destination_.find(pair.destination, visit);
  if (const auto found = by_port_.find(pair.port); found != by_port_.end()) {
    std::for_each(found->second.begin(), found->second.end(), visit);
  }
  if (!by_ending_.empty()) {
    for (std::string_view ending = server_name; !ending.empty();) {
      if (const auto found = by_ending_.find(ending); found != by_ending_.end()) {
        std::for_each(found->second.begin(), found->second.end(), visit);
      }
      const auto dot = ending.find('.');
      if (dot == std::string_view::npos) break;
      ending.remove_prefix(dot + 1);
    }
  }
  std::for_each(others_.begin(), others_.end(), visit);
  return first == kNone ? nullptr : &entries_[first];
}

}  // namespace beaconry
