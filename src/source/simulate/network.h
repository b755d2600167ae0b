#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "source/simulate/traffic.h"

namespace beaconry::simulate {

// When a host is switched on, in hours of the day; people use it within.
struct Host {
  IpAddress address;
  std::string name;
  bool always_on = false;
  double from_hour = 8;
  double to_hour = 18;

  // The first moment at or after `time` at which it is on.
  Timestamp next_on(Timestamp time) const;
};

// The simulated organisation and the part of the Internet that it sees. Outside addresses come
// from 198.18.0.0/15 (RFC 2544) and 2001:db8::/32 (RFC 3849), names end in .example (RFC 2606), so
// that nothing simulated can be taken for somebody's.
class SimulatedNetwork {
 public:
  SimulatedNetwork(Traffic& traffic, int hosts, Random random);

  // A new server of the Internet with `addresses` addresses that nobody else has.
  Server internet_server(int addresses, std::uint16_t port = 443, Protocol protocol = Protocol::tcp,
                         Service service = Service::tls);
  // One of ours, without a name on the wire.
  Server internal_server(std::uint16_t port, Protocol protocol, Service service);
  IpAddress internet_address();
  std::string domain();     // "velora.example", new with every call
  std::string host_name();  // "api.velora.example": the first word says nothing of who it is

  const Host& any_workstation() { return workstations[random_.below(workstations.size())]; }

  Traffic& traffic;
  std::vector<Host> workstations;
  std::vector<Host> devices;  // printers, cameras: always on, nobody browses
  std::vector<Host> servers;  // always on
  std::vector<Host> public_servers;
  std::vector<Server> resolvers;
  std::vector<Server> sites;          // by popularity
  std::vector<Server> third_parties;  // content networks, advertisers: by popularity

 private:
  Random random_;
  std::uint32_t internal_servers_ = 0;
  std::set<std::string> domains_;
  std::set<std::uint32_t> used_;
};

// How many of something to have, given how many there are in a network of 800 hosts.
int scaled(double count_at_800, int hosts);

}  // namespace beaconry::simulate
