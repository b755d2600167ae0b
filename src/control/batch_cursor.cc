#include "control/batch_cursor.h"

#include <algorithm>

#include "base/text.h"

namespace beaconry {

bool BatchCursor::has(std::uint64_t sequence) const {
  return sequence <= highest_ && std::none_of(gaps_.begin(), gaps_.end(), [&](const Gap& gap) {
           return sequence >= gap.first && sequence <= gap.last;
         });
}

void BatchCursor::add(std::uint64_t sequence) {
  if (sequence > highest_) {
    if (first_ == 0) first_ = sequence;
    if (sequence > highest_ + 1) gaps_.push_back({highest_ + 1, sequence - 1});
    highest_ = sequence;
  } else {
    const auto gap = std::find_if(gaps_.begin(), gaps_.end(), [&](const Gap& each) {
      return sequence >= each.first && sequence <= each.last;
    });
    if (gap == gaps_.end()) return;
    const Gap after{sequence + 1, gap->last};
    gap->last = sequence - 1;
    const auto next = gap->first > gap->last ? gaps_.erase(gap) : gap + 1;
    if (after.first <= after.last) gaps_.insert(next, after);
  }
  if (gaps_.size() > kMostGaps) {
    lost_ += missed(gaps_.front());
    gaps_.erase(gaps_.begin());
  }
}

std::uint64_t BatchCursor::missed(const Gap& gap) const {
  return gap.last < first_ ? 0 : gap.last - std::max(gap.first, first_) + 1;
}

std::uint64_t BatchCursor::missing() const {
  std::uint64_t sum = lost_;
  for (const Gap& gap : gaps_)
    sum += missed(gap);
  return sum;
}

std::string BatchCursor::to_text() const {
  std::string text =
      std::to_string(highest_) + ' ' + std::to_string(first_) + ' ' + std::to_string(lost_);
  for (const Gap& gap : gaps_) {
    text += ' ' + std::to_string(gap.first) + '-' + std::to_string(gap.last);
  }
  return text;
}

Result<BatchCursor> BatchCursor::parse(std::string_view text) {
  const auto refuse = [&] {
    return fail(ErrorKind::malformed, "read", "a batch cursor",
                '\'' + terminal_safe(text.substr(0, 60)) + "' is none");
  };
  const auto words = split(text, ' ');
  if (words.size() < 3 || words.size() > 3 + kMostGaps) return refuse();
  const auto highest = parse_unsigned(words[0]), first = parse_unsigned(words[1]),
             lost = parse_unsigned(words[2]);
  if (!highest || !first || !lost || *first > *highest) return refuse();
  BatchCursor cursor;
  cursor.highest_ = *highest;
  cursor.first_ = *first;
  cursor.lost_ = *lost;
  std::uint64_t end = 0;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const auto dash = words[i].find('-');
    if (dash == std::string_view::npos) return refuse();
    const auto from = parse_unsigned(words[i].substr(0, dash)),
               to = parse_unsigned(words[i].substr(dash + 1));
    if (!from || !to || *from <= end || *from > *to || *to >= *highest) return refuse();
    cursor.gaps_.push_back({*from, *to});
    end = *to;
  }
  return cursor;
}

}  // namespace beaconry
