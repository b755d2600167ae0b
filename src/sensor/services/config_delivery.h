#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "bus/messages.h"
#include "sensor/reported_state.h"

namespace beaconry {

// One instance's configuration on its way: the wished one is delivered once the instrument is
// there, answered within a deadline or not, and where it failed the last one that was applied goes
// in its place. One that was applied is on trial until the instrument was healthy with it for a
// while: till then the one before is kept, and takes over where the instrument keeps ending. Times:
// `now` is the clock of the day, `steady` is that of deadlines (SteadyTime).
class ConfigDelivery {
 public:
  static constexpr std::chrono::seconds kDeadline{30};
  // The bus drops what an instrument is too slow to read: without APPLYING it is sent once more.
  static constexpr std::chrono::seconds kAgain{10};
  // An instrument that ends while it applies, or on trial, is given a second try: it may have been
  // killed.
  static constexpr unsigned kMostDeaths = 2;

  // `takes_any`: its manifest has a schema. Else nothing is delivered and the state stays UNSET.
  ConfigDelivery(std::string target, bool takes_any);
  // What kept() of an earlier run gave; damaged: as new.
  void restore(std::string_view kept_json);
  // Durable before what it says is acted on: is_changed() tells when it must be written again.
  std::string kept() const;
  bool take_changed();

  // The desired one; a new image (`maker`: its version) gives one that failed another try.
  void wish(const std::string& config_json, std::uint64_t version, const std::string& maker,
            bool takes_any, Timestamp now);
  void started(bool taken_over);  // taken over: it ran on while the platform was away
  void stopping();                // on purpose: its end says nothing of its configuration
  void stopped();
  // Anything came from it: it is there. `hello`: it is (again) without a configuration.
  void heard(bool hello, Timestamp steady);
  // The bus is away: what is under way may be lost, and so may the answer.
  void pause(Timestamp steady);
  void answered(const from_instrument::Configured& answer, Timestamp steady);

  // What to send now, if anything; sent() once the bus took it.
  std::optional<InstrumentConfig> due() const;
  void sent(Timestamp steady);
  // Deadlines.
  void work(Timestamp steady);
  // How it is now; it is trusted once it was healthy for so long with what it applied.
  void watch(bool healthy, std::chrono::seconds healthy_within, Timestamp steady);

  // It hangs in a configuration: only another start lets it take the one before.
  bool take_restart();
  // That a configuration failed, in words; once each time.
  std::optional<std::string> take_news();

  bool is_settled() const;  // applied or refused, or takes none
  ConfigState state() const;
  InstanceReport::Config report() const;

 private:
  struct Document {
    std::uint64_t version = 0;
    std::string uuid, json;
    Timestamp time{};
  };
  void fail(const std::string& why);
  void go_back();  // from what was on trial to the one before
  const Document* chosen() const;

  std::string target_;
  bool takes_any_ = false;
  Document wished_, applied_;
  Document before_;     // while applied_ is on trial: the one to go back to; empty: none
  bool trial_ = false;  // applied_ was not healthy for long enough yet
  std::string maker_;
  std::string failure_;  // why the wished one failed; empty: it did not
  unsigned deaths_ = 0;  // while the wished one was being applied, or applied_ was on trial

  bool changed_ = false, there_ = false, stopping_ = false, restart_ = false;
  std::string under_way_;  // uuid of what was sent and not answered
  std::string in_force_;   // uuid of what the instrument said that it applied, in this run
  std::string given_up_;   // uuid of a fallback that failed too, in this run
  std::optional<Timestamp> deadline_, again_, healthy_since_;
  unsigned extensions_ = 0;
  std::optional<std::string> news_;
};

}  // namespace beaconry
