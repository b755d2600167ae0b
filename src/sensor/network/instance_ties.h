#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "sensor/network/dhcp.h"
#include "sensor/network/tie.h"

namespace beaconry {

// All interfaces of one instance. One call at a time.
class InstanceTies {
 public:
  struct Options {
    std::string nft;
    std::vector<std::string> dhcp_program;
    std::function<std::vector<std::string>()> reserved;
    std::string run_folder;  // RUN: RUN/INSTANCE/resolv.conf, RUN/.network/ID.lease
  };
  // Adds a descriptor to those that wake the daemon; it goes by being closed.
  using Watch = std::function<void(int)>;

  InstanceTies(std::string instance, const Options& options)
      : instance_(std::move(instance)), options_(options) {}

  Result<std::vector<ContainerSpec::Nic>> prepare(Links& host, const Manifest& manifest,
                                                  const std::vector<InterfaceWish>& wishes);
  Result<void> attach(Links& host, int process, const Manifest& manifest,
                      const std::vector<InterfaceWish>& wishes, const Watch& watch);
  void release(Links& host);

  // Looks at every interface; true: it needs a restart.
  bool follow(Links& host, bool rules_changed);
  // Takes what the DHCP clients told, and starts those that ended; true: one waits to be started.
  bool renew(Timestamp steady, const Watch& watch);
  std::vector<InterfaceReport> report(Links& host);

  // What is kept of one that is gone for good.
  static void forget(const Options& options, const std::string& instance);

  static std::string private_folder(const Options& options) {
    return options.run_folder + "/.network";
  }

 private:
  Result<void> adopt(const Manifest& manifest, const std::vector<InterfaceWish>& wishes);
  Result<void> start_dhcp(Tie& tie, const Watch& watch);
  void take_news(Tie& tie, const DhcpNews& before, const DhcpNews& news);
  Result<void> write_resolvers();
  void keep_counts(const Tie& tie);
  std::string counts_file(const std::string& id) const;
  ContractCounts kept_counts(const Tie& tie) const;

  struct Client {
    std::unique_ptr<DhcpClient> process;
    DhcpNews last;
    Timestamp again{};  // steady: when it is started after it ended
  };

  const std::string instance_;
  const Options options_;
  std::vector<std::unique_ptr<Tie>> ties_;
  bool has_ended() const;

  std::optional<Inside> inside_;
  Fd process_;                             // of the container, to see its end
  std::map<std::string, Client> clients_;  // by interface
};

}  // namespace beaconry
