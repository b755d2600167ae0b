#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "image/manifest.h"
#include "sensor/runtime.h"

namespace beaconry {

// How an instance's interface is tied to the host, of the desired state.
struct InterfaceWish {
  std::string name;  // as in the manifest
  enum class Kind : std::uint8_t { physical, bridge, macvlan, mirror } kind = Kind::bridge;
  std::string
      parent;  // physical: moved in; bridge: which; macvlan: of which; mirror: what is copied
  std::string address;  // "none", "dhcp" or address/prefix
  std::string gateway;  // empty: none
  std::vector<std::string> resolvers;
};

struct InterfaceReport {
  std::string name;
  // As wished, up, with its contract in force. Absent without a cause: the container is ending,
  // which is no loss.
  bool present = false;
  bool carrier = false;
  std::string cause, evidence, fix;                      // why not
  std::string address;                                   // what it has
  std::uint64_t received = 0, sent = 0;                  // packets the instrument got and sent
  std::uint64_t refused_sent = 0, refused_received = 0;  // dropped by the contract, ever
  std::uint64_t sent_past = 0;  // of refused_sent: what went out although it must not
};

// Interfaces of instances: made on the host's side, contracts in force (nftables netdev) before the
// container starts, addresses set in its namespace, changes followed. Two threads of callers at
// most: one op at a time for an instance. Names of what it makes begin with "bcy".
class Network {
 public:
  struct Options {
    std::string nft, dhcp_client;  // empty: found in PATH and sbin (udhcpc or busybox udhcpc)
    std::string run_folder;        // leases, resolv.conf; one folder an instance
    std::function<Timestamp()> clock;
    // Interfaces that no instrument may take away: the sensor's way to its server. Any thread.
    std::function<std::vector<std::string>()> reserved = [] { return std::vector<std::string>(); };
  };
  // Cleans up what a killed predecessor left, but for running instances.
  static Result<std::unique_ptr<Network>> open(const Options& options,
                                               const std::vector<std::string>& running);
  virtual ~Network() = default;

  // Before a start: makes the host's side and the contract; returns what is moved in. An interface
  // that is not there: an error unless the manifest has it as optional.
  virtual Result<std::vector<ContainerSpec::Nic>> prepare(
      const std::string& instance, const Manifest& manifest,
      const std::vector<InterfaceWish>& wishes) = 0;
  // After a start, and again when the daemon takes over a running one: the loopback, addresses,
  // DHCP client.
  virtual Result<void> attach(const std::string& instance, int process, const Manifest& manifest,
                              const std::vector<InterfaceWish>& wishes) = 0;
  // After a stop: what was made goes, physical interfaces are the host's again.
  virtual void release(const std::string& instance) = 0;
  // It is gone for good: one of its name begins with counters of its own.
  virtual void forget(const std::string& instance) = 0;

  virtual int descriptor() const = 0;  // readable: interfaces changed
  struct Work {
    bool changed = false;               // something was heard: reports may be others
    std::vector<std::string> restarts;  // instances whose interface came back, and that get it so
  };
  // Follows what changed: capture interfaces that came back, bridges. At once where nothing did.
  virtual Work work(Timestamp now) = 0;
  virtual std::vector<InterfaceReport> report(const std::string& instance) = 0;
};

}  // namespace beaconry
