#include "sdk/bus_link.h"

#include <algorithm>

#include "base/log.h"

namespace beaconry::sdk {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kFirstDelay{50}, kLongestDelay{5000}, kIdle{60'000};

}  // namespace

milliseconds BusLink::pause() const {
  if (client_) return std::min(client_->pause(), kIdle);
  return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(due_ - Clock::now()));
}

bool BusLink::work(std::vector<MqttClient::Message>& messages) {
  if (client_) {
    auto worked = client_->work(messages);
    if (!worked) lose(worked.error().message());
    return false;
  }
  if (Clock::now() < due_) return false;
  if (auto connected = connect(); !connected) {
    lose(connected.error().message());
    return false;
  }
  if (!fault_.empty()) log_info("bus: connected again");
  fault_.clear();
  delay_ = milliseconds{0};
  return true;
}

Result<void> BusLink::connect() {
  auto client = MqttClient::connect(options_);
  if (!client) return tl::unexpected<Error>(std::move(client.error()));
  for (const std::string& filter : own_) {
    if (auto done = (*client)->subscribe(filter); !done) return done;
  }
  for (const std::string& filter : filters_) {
    if (auto done = (*client)->subscribe(filter); !done) {
      if (done.error().kind != ErrorKind::unsupported) return done;
      log_warning("bus: " + done.error().message());
    }
  }
  client_ = std::move(*client);
  return {};
}

void BusLink::lose(const std::string& why) {
  if (fault_ != why) log_warning("bus: " + why + "; trying again");
  fault_ = why;
  client_.reset();
  // A quarter more or less: all instruments come back when the broker does.
  delay_ = std::clamp(delay_ * 2, kFirstDelay, kLongestDelay);
  std::uniform_int_distribution<std::int64_t> spread(-delay_.count() / 4, delay_.count() / 4);
  due_ = Clock::now() + delay_ + milliseconds{spread(random_)};
}

Result<void> BusLink::subscribe(const std::string& filter) {
  if (!filters_.insert(filter).second || !client_) return {};
  auto done = client_->subscribe(filter);
  if (done || done.error().kind == ErrorKind::unsupported ||
      done.error().kind == ErrorKind::usage) {
    return done;
  }
  lose(done.error().message());
  return {};
}

Result<void> BusLink::say(const std::string& topic, std::string_view payload) {
  if (!client_) return fail(ErrorKind::io, "publish to", topic, "the bus is away: " + fault_);
  return client_->publish(topic, payload);
}

}  // namespace beaconry::sdk
