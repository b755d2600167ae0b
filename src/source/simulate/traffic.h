#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "flow/flow_event.h"
#include "source/simulate/random.h"
#include "source/simulate/sleep_model.h"

namespace beaconry::simulate {

enum class Service : std::uint8_t { none, tls, http, dns, ntp, quic, ssh, smb, kerberos, ldap };
enum class Ending : std::uint8_t { finished, reset, rejected, unanswered };

using NameId = std::uint32_t;  // an index into Traffic::names; 0 is no name
constexpr NameId kNoName = 0;

constexpr std::uint32_t kNoTruth = std::numeric_limits<std::uint32_t>::max();

// One whole simulated conversation.
struct SimulatedFlow {
  Timestamp time{};
  Duration duration{0};
  IpAddress source;
  IpAddress destination;
  std::uint16_t source_port = 0;
  std::uint16_t port = 0;
  Protocol protocol = Protocol::tcp;
  Service service = Service::none;
  Ending ending = Ending::finished;
  NameId name = kNoName;  // SNI, Host or, for DNS, the query
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t id = 0;            // unique; writers make uids of it
  IpAddress answer;                // DNS: what the name resolves to, unspecified for NXDOMAIN
  std::uint32_t truth = kNoTruth;  // an implant's flow: its place in Traffic::truth
  std::uint32_t check_in = 0;      // and the check-in that it belongs to, from 0
};

// Somebody that offers a service, on one or several addresses behind one name.
struct Server {
  std::vector<IpAddress> addresses;
  NameId name = kNoName;
  std::uint16_t port = 443;
  Protocol protocol = Protocol::tcp;
  Service service = Service::tls;
  Duration rotation{0};  // how long a client keeps one of several addresses; 0: for ever

  const IpAddress& address_for(const IpAddress& client, Timestamp time) const;
  PairKey pair_of(const IpAddress& client, const IpAddress& address) const {
    return {client, address, port, protocol};
  }
};

struct Exchange {
  double bytes_out = 0;
  double bytes_in = 0;
  double seconds = 0.2;
  Ending ending = Ending::finished;
};

enum class TruthLabel : std::uint8_t { malicious, benign_periodic };

// What a pair really is; pairs without an entry are aperiodic and harmless.
struct TruthPair {
  PairKey pair;                      // its first address
  std::vector<IpAddress> addresses;  // every address used by it
  NameId name = kNoName;             // its server name, where one is seen on the wire
  TruthLabel label = TruthLabel::malicious;
  std::string group;  // "cobalt-strike-jitter", "telemetry"
  SleepModel model;
  std::uint64_t check_ins = 0;  // that happened within the window
};

struct HostName {
  IpAddress host;
  std::string name;
};

// What a simulation gives: all that happened between `start` and `end`, in order of time.
struct Traffic {
  Timestamp start{};
  Timestamp end{};
  std::vector<std::string> names{""};
  std::vector<SimulatedFlow> flows;
  std::vector<TruthPair> truth;
  std::vector<HostName> host_names;  // by DHCP, leased at the start
  IpAddress dhcp_server;

  NameId add_name(std::string name) {
    names.push_back(std::move(name));
    return static_cast<NameId>(names.size() - 1);
  }
  // Records one conversation, unless it begins outside the window: then returns nullptr.
  SimulatedFlow* connect(const IpAddress& client, const Server& server, Timestamp time,
                         const Exchange& exchange, Random& random);
  void sort();  // by time; ids break ties
};

// Everything as flow events, in order of time, as a log's reader would report them.
void feed(const Traffic& traffic, FlowSink& sink);

std::string uid_of(std::uint64_t id);  // as Zeek writes them: C and 17 letters or digits

}  // namespace beaconry::simulate
