// An instrument that does as its configuration tells it, for tests of the platform.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "sdk/instrument.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

class Puppet {
 public:
  Result<void> configure(const json& config) {
    if (config.value("crash", false)) ::_exit(3);
    if (const std::string why = config.value("refuse", ""); !why.empty())
      return fail(ErrorKind::usage, "take", "the configuration", why);
    config_ = config;
    left_ = config.value("events", 0U);
    begun_ = Clock::now();
    sent_ = refused_ = 0;
    if (const unsigned fill = config.value("fill", 0U); fill > 0) {
      std::ofstream file("/persistent-data/filler", std::ios::binary);
      const std::string block(1 << 20, 'f');
      for (unsigned i = 0; i < fill && file; ++i)
        file.write(block.data(), static_cast<std::streamsize>(block.size())).flush();
      unwritten_ =
          file ? "" : std::string("cannot write /persistent-data: ") + std::strerror(errno);
    } else {
      unwritten_.clear();
      ::unlink("/persistent-data/filler");
    }
    return {};
  }

  void tick(sdk::Instrument& instrument) {
    if (left_ == 0) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
    const auto due =
        static_cast<std::uint64_t>(seconds * config_.value("every_second", 100U)) - sent_;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(due, left_); ++i) {
      if (!instrument.emit("note", "number " + std::to_string(sent_), {{"number", sent_}}))
        ++refused_;
      ++sent_;
    }
    left_ -= std::min<std::uint64_t>(due, left_);
    if (left_ == 0)
      std::printf("emitted %llu, %llu refused\n", static_cast<unsigned long long>(sent_ - refused_),
                  static_cast<unsigned long long>(refused_));
    std::fflush(stdout);
  }

  Health health(const sdk::Instrument& instrument) const {
    if (const unsigned hang = config_.value("hang", 0U); hang > 0)
      std::this_thread::sleep_for(std::chrono::seconds{hang});
    Health whole;
    whole.name = instrument.identity().instance;
    whole.cause = config_.value("sick", unwritten_);
    whole.state = whole.cause.empty() ? HealthState::healthy : HealthState::failed;
    return whole;
  }

 private:
  json config_ = json::object();
  std::string unwritten_;  // why not
  std::uint64_t left_ = 0, sent_ = 0, refused_ = 0;
  Clock::time_point begun_{};
};

int run_puppet() {
  Puppet puppet;
  sdk::Handlers handlers;
  handlers.configure = [&](sdk::Instrument&, const json& config) {
    return puppet.configure(config);
  };
  handlers.health = [&](sdk::Instrument& instrument) { return puppet.health(instrument); };
  handlers.tick = [&](sdk::Instrument& instrument) { puppet.tick(instrument); };
  return sdk::run(handlers);
}

}  // namespace
}  // namespace beaconry

int main() {
  return beaconry::run_puppet();
}
