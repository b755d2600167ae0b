#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/broker.h"
#include "sensor/services.h"
#include "sensor/services/accounts.h"
#include "sensor/services/event_intake.h"
#include "sensor/services/member.h"
#include "sensor/services/relay.h"
#include "sensor/services/resources.h"
#include "sensor/services/run_folders.h"
#include "sensor/services/steady_time.h"
#include "sensor/services/uplink_senders.h"

namespace beaconry {

// The services, wired to the bus. services.cc: what the lifecycle calls; messages.cc: what
// instruments say and are told; reports.cc: what is known of them.
class BusServices final : public Services {
 public:
  explicit BusServices(const Options& options);
  ~BusServices() override;
  Result<void> begin();

  Result<std::vector<ContainerSpec::Folder>> prepare(const Instance& instance) override;
  void started(const Instance& instance, Timestamp now) override;
  void stopping(const std::string& instance) override;
  void stopped(const std::string& instance, Timestamp now) override;
  void removed(const std::string& instance) override;
  void changed(const Instance& instance, Timestamp now) override;

  void observe(const std::string& instance, const std::vector<InterfaceReport>& interfaces,
               const InstanceReport::Storage& persistent,
               const InstanceReport::Storage& transient) override;
  void observe(const std::string& instance, InstanceState state, const std::string& cause) override;
  void tell(const std::string& instance, const std::string& word, const std::string& message,
            const std::string& data_json) override;

  bool is_healthy_since(const std::string& instance, Timestamp since) const override;
  void fill(InstanceReport& report) const override;
  Health health() const override;

  std::vector<int> descriptors() const override;
  void work(Timestamp now) override;

  std::vector<KeptEvent> events(const std::string& instance, std::size_t most) const override;
  std::optional<Result<void>> fetch_now(const std::string& instance) override;
  std::string bus_fault() const override;
  std::uint64_t bus_restarts() const override;
  SensorReport::Uplink uplink() const override;

 private:
  // What one says that is not known yet, as it came.
  struct Early {
    std::vector<std::string> payloads;
    std::size_t bytes = 0;
  };

  // --- services.cc
  Result<void> open_spools();
  Resources::Options resource_options();
  Result<void> give(const Instance& instance, Timestamp now);  // all but its start
  Member& member(const Instance& instance);
  Result<void> follow_accounts(const std::string& concerned);
  std::string file_of(const char* kind, const std::string& instance) const;
  void keep(Member& member);  // what changed and must be on disk

  // --- messages.cc
  void take(const MqttClient::Message& message);
  bool charge(Member& member, std::size_t bytes);  // false: it is dropped
  void admit_again(Member& member);
  void keep_early(const std::string& instance, const std::string& payload);
  void take(Member& member, FromInstrument message);
  bool say(const std::string& instance, const ToInstrument& message);
  void find(const Member& member, const from_instrument::Find& question);
  void attend(Member& member);  // what is due for it
  void commit_events();

  // --- reports.cc
  bool is_healthy_since_steady(const std::string& instance, Timestamp steady) const;
  void refresh_health();
  void name_past_shares();
  void tell_health(Member& member);
  Health instance_health_of(const Member& member, InstanceReport report) const;
  std::vector<Health> platform_health() const;
  void read_told();
  void write_slow_state();

  Options options_;
  SteadyTime steady_time_;
  Timestamp now_{}, steady_{};
  RunFolders run_;
  Accounts accounts_;
  std::unique_ptr<Spool> events_spool_, relayed_spool_;
  std::unique_ptr<EventIntake> intake_;
  std::unique_ptr<UplinkSenders> senders_;  // before relay_, which wakes it
  std::unique_ptr<Relay> relay_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<Resources> resources_;
  std::map<std::string, std::unique_ptr<Member>> members_;
  std::map<std::string, Member::Told> told_;  // of those that are not members yet
  std::map<std::string, Early> early_;        // of those that ran on, until they are handed over
  std::uint64_t turns_ = 0;                   // of work()
  std::vector<MqttClient::Message> messages_;
  Timestamp next_refresh_{}, next_write_{};
  std::string told_written_;
  Health health_;
};

}  // namespace beaconry
