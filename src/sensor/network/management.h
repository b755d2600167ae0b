#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bus/messages.h"
#include "sensor/network/dhcp.h"
#include "sensor/network/management_memory.h"
#include "sensor/network/resolv_conf.h"
#include "sensor/services/steady_time.h"

namespace beaconry {

// The network by which the sensor reaches its server. A wish is tried: what holds now is kept on
// disk first, and all of it comes back unless somebody confirms the change in time, also where the
// daemon or the machine ended meanwhile. A wish that went back is not tried again until there is
// another; one that was confirmed is set again at each start, and kept. One thread; blocks for
// small files and the kernel's answers.
class Management {
 public:
  struct Options {
    std::string state_folder;  // of its own: what outlives the daemon, and the DHCP client's files
    std::vector<std::string> dhcp_program;
    std::string resolv_conf = "/etc/resolv.conf";
    std::string boot;  // which running system this is: another's addresses are not put back
  };
  // A trial that a daemon before this one began goes back now; what was confirmed is set.
  static Result<std::unique_ptr<Management>> open(const Options& options, Timestamp now);

  // Often: with what is wished, of which version of the desired state.
  void work(const std::optional<ManagementWish>& wish, std::uint64_t version, Timestamp now);

  // The wish that is on trial: of this version.
  std::optional<std::uint64_t> trial() const;
  std::string device() const;  // of what is set; empty: nothing is
  // It works: it stays. An error where that version is on no trial, or cannot be kept.
  Result<void> confirm(std::uint64_t version, Timestamp now);

  ManagementReport report() const;
  // Nothing where nothing is wished.
  std::optional<Health> health() const;
  // What is ours: no instrument may have it.
  std::vector<std::string> interfaces() const;

 private:
  using State = ManagementReport::State;
  explicit Management(const Options& options) : options_(options), conf_(options.resolv_conf) {}

  void begin(Timestamp now);
  void take(const std::optional<ManagementWish>& wish, std::uint64_t version, Timestamp now);
  void try_out(const ManagementWish& wish, std::uint64_t version, Timestamp now);
  Result<void> keep_way_back(const ManagementWish& wish);
  Result<void> set(const ManagementWish& wish, bool keep_v4);
  Result<void> start_dhcp(const ManagementWish& wish);
  void follow_lease();
  void go_back(const std::string& reason, Timestamp now);
  void put_back();
  void look_again(Timestamp steady);
  void leave(Timestamp now);
  void enter(State state, Timestamp now);
  Result<void> save() const;
  const ManagementWish* in_force() const;  // what is set: on trial or confirmed
  std::string file() const { return options_.state_folder + "/management.json"; }

  const Options options_;
  const ResolvConf conf_;
  ManagementMemory memory_;
  SteadyTime steady_time_;
  Timestamp deadline_{}, next_look_{};                 // steady
  std::optional<Timestamp> until_;                     // by the clock of the day
  std::optional<std::optional<ManagementWish>> seen_;  // as work() was told last
  std::unique_ptr<DhcpClient> dhcp_;
  DhcpNews lease_;
  std::string fault_;  // what is wrong with what shall hold
};

}  // namespace beaconry
