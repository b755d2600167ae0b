#include "bus/bus_probe.h"

#include <algorithm>
#include <utility>

#include "bus/messages.h"

namespace beaconry {
namespace {

// So much memory must be left; in one piece it still goes into a socket at once.
constexpr std::size_t kLength = std::size_t{64} << 10;
// A word may be dropped where much is said, so it is said again.
constexpr std::chrono::seconds kAgain{1};

}  // namespace

BusProbe::BusProbe(Options options, Clock::time_point now)
    : options_(std::move(options)), next_(now + options_.every), last_(now) {}

void BusProbe::heard(const std::string& payload, Clock::time_point now) {
  if (word_.empty() || payload != word_) return;
  word_.clear();
  client_.reset();
  next_ = now + options_.every;
}

bool BusProbe::work(Clock::time_point now) {
  // Where we ourselves were held up, the broker had no chance: a turn counts for a second at most.
  const auto passed = std::min<Clock::duration>(now - std::exchange(last_, now), kAgain);
  if (word_.empty()) {
    if (now < next_) return true;
    word_ = make_uuid();
    word_.resize(kLength, '.');
    waited_ = {};
    said_ = now - kAgain;
  } else {
    waited_ += passed;
  }
  if (waited_ > options_.patience) return false;
  if (now - said_ >= kAgain) say(now);
  if (client_ && !client_->work(ignored_)) client_.reset();
  ignored_.clear();
  return true;
}

void BusProbe::say(Clock::time_point now) {
  said_ = now;
  MqttClient::Options options;
  options.socket = options_.socket;
  options.client_id = options.user = options_.user;
  options.password = options_.password;
  client_.reset();
  auto client = MqttClient::begin(options);
  if (!client || !(*client)->publish(options_.topic, word_, true)) return;
  client_ = std::move(*client);
}

}  // namespace beaconry
