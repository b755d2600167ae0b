#include "recorder/capture_counters.h"

#include <vector>

#include "base/text.h"
#include "base/time.h"

namespace beaconry {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::minutes kRememberDrops{5};
constexpr unsigned kStuck = 3;

// The number before `words`.
std::optional<std::uint64_t> before(std::string_view line, std::string_view words) {
  const std::size_t at = line.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view front = trim(line.substr(0, at));
  const std::size_t blank = front.rfind(' ');
  return parse_unsigned(blank == std::string_view::npos ? front : front.substr(blank + 1));
}

}  // namespace

std::optional<CaptureCounters> CaptureCounters::parse(std::string_view line) {
  // One packet is "1 packet captured".
  const auto number = [&](std::string_view words) {
    auto found = before(line, std::string("packets ").append(words));
    return found ? found : before(line, std::string("packet ").append(words));
  };
  const auto captured = number("captured"), received = number("received by filter"),
             dropped = number("dropped by kernel");
  if (!captured || !received || !dropped) return std::nullopt;
  return CaptureCounters{*captured, *received, *dropped};
}

void RecordingWatch::started(Clock::time_point now) {
  *this = RecordingWatch();
  asked_ = answered_ = now;
}

void RecordingWatch::take(const CaptureCounters& counters, const std::string& progress,
                          Clock::time_point now) {
  answered_ = now;
  const bool more = heard_ && counters.captured > counters_.captured;
  stuck_ = more && progress == progress_ ? stuck_ + 1 : 0;
  if (counters.dropped > counters_.dropped) {
    if (dropped_lately_ == 0 || now - dropping_ > kRememberDrops) dropped_lately_ = 0;
    dropped_lately_ += counters.dropped - counters_.dropped;
    dropping_ = now;
  }
  counters_ = counters;
  progress_ = progress;
  heard_ = true;
}

Health RecordingWatch::health(Clock::time_point now) const {
  Health part;
  part.name = "recording";
  part.evidence = with_thousands(counters_.captured) + " packets captured since its start, " +
                  with_thousands(counters_.dropped) + " dropped by the kernel";
  if (now - answered_ > kPatience) {
    part.state = HealthState::failed;
    part.cause = "tcpdump does not answer";
    part.evidence = "it has said nothing of its counters for " +
                    to_words(std::chrono::floor<std::chrono::seconds>(now - answered_));
    part.fix = "restart the instrument";
  } else if (!heard_) {
    part.state = HealthState::unknown;
    part.cause = "starting";
    part.evidence = "tcpdump was started just now";
  } else if (stuck_ >= kStuck) {
    part.state = HealthState::failed;
    part.cause = "the recording does not grow";
    part.evidence += "; the newest file stays as it is: " + progress_;
    part.fix = "look at the space in /persistent-data; restart the instrument";
  } else if (dropped_lately_ > 0 && now - dropping_ <= kRememberDrops) {
    part.state = HealthState::degraded;
    part.cause = "packets are dropped";
    part.evidence = with_thousands(dropped_lately_) + " packets were dropped lately, the last " +
                    to_words(std::chrono::floor<std::chrono::seconds>(now - dropping_)) + " ago";
    part.fix = "record less: a 'filter', a smaller 'snaplen'; or give it more CPU";
  } else {
    part.state = HealthState::healthy;
  }
  return part;
}

}  // namespace beaconry
