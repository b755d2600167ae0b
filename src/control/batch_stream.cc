#include "control/batch_stream.h"

#include <algorithm>

#include "base/text.h"

namespace beaconry {
namespace {

std::string count_of(Timestamp time) {
  return std::to_string(std::max<std::int64_t>(time.time_since_epoch().count(), 0));
}
Timestamp time_of(std::uint64_t count) {
  return Timestamp{Duration{static_cast<std::int64_t>(count)}};
}

}  // namespace

void BatchStream::take(const Batch& batch, Timestamp received) {
  if (cursor_.has(batch.sequence)) return;
  ++received_;
  const std::uint64_t highest = cursor_.highest();
  if (batch.sequence < highest) {  // into a gap, after all
    cursor_.add(batch.sequence);
    if (unexplained() == 0) held_since_ = {};
    return;
  }
  if (held_since_ != Timestamp{} && held_since_ + kGivenUp <= received) {
    explained_ += unexplained();
    held_since_ = {};
  }
  const Timestamp before = latest_;
  const std::uint64_t gap = highest == 0 ? 0 : batch.sequence - highest - 1;
  std::uint64_t reasons = static_cast<std::uint64_t>(std::count_if(
      refused_.begin(), refused_.end(), [&](std::uint64_t s) { return s < batch.sequence; }));
  if (batch.dropped && dropped_ && *batch.dropped > *dropped_) {
    reasons += *batch.dropped - *dropped_;
  }
  explained_ += std::min(gap, reasons);
  cursor_.add(batch.sequence);
  std::erase_if(refused_, [&](std::uint64_t s) { return s <= batch.sequence; });
  if (batch.dropped) dropped_ = batch.dropped;
  latest_ = std::max(latest_, batch.made);
  if (gap > reasons && held_since_ == Timestamp{}) {
    held_at_ = before;
    held_since_ = received;
  }
}

void BatchStream::refuse(std::uint64_t sequence) {
  if (sequence <= cursor_.highest() || refused_.size() >= kMostRefused ||
      std::find(refused_.begin(), refused_.end(), sequence) != refused_.end()) {
    return;
  }
  refused_.push_back(sequence);
}

std::uint64_t BatchStream::unexplained() const {
  const std::uint64_t missing = cursor_.missing();
  return missing - std::min(missing, explained_);
}

std::optional<Timestamp> BatchStream::complete_up_to(Timestamp now) const {
  if (latest_ == Timestamp{}) return std::nullopt;
  const bool is_held = held_since_ != Timestamp{} && now < held_since_ + kGivenUp;
  return is_held ? held_at_ : latest_;
}

std::string BatchStream::to_text() const {
  std::string text = std::to_string(received_) + ' ' + std::to_string(explained_) + ' ' +
                     (dropped_ ? std::to_string(*dropped_) : "-") + ' ' + count_of(latest_) + ' ' +
                     count_of(held_at_) + ' ' + count_of(held_since_);
  for (const std::uint64_t sequence : refused_)
    text += ' ' + std::to_string(sequence);
  return text;
}

Result<BatchStream> BatchStream::parse(BatchCursor cursor, std::string_view text) {
  BatchStream stream;
  stream.cursor_ = std::move(cursor);
  if (text.empty()) return stream;  // kept before streams were told from cursors
  const auto words = split(text, ' ');
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto number =
        i == 2 && words[i] == "-" ? std::optional<std::uint64_t>(0) : parse_unsigned(words[i]);
    if (!number || *number > INT64_MAX) break;
    numbers.push_back(*number);
  }
  if (numbers.size() != words.size() || words.size() < 6 || words.size() > 6 + kMostRefused) {
    return fail(ErrorKind::malformed, "read", "a stream of batches",
                '\'' + terminal_safe(text.substr(0, 60)) + "' is none");
  }
  stream.received_ = numbers[0];
  stream.explained_ = numbers[1];
  if (words[2] != "-") stream.dropped_ = numbers[2];
  stream.latest_ = time_of(numbers[3]);
  stream.held_at_ = time_of(numbers[4]);
  stream.held_since_ = time_of(numbers[5]);
  stream.refused_.assign(numbers.begin() + 6, numbers.end());
  return stream;
}

}  // namespace beaconry
