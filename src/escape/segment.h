#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "packet/craft.h"

namespace beaconry {

// What the probe has learnt of the network around it: who is there, who routes, who resolves, which
// addresses are ours. Learns from every frame; sends nothing. Bounded: the least recently heard of
// kMostNeighbours go, but never a gateway or resolver, so that a flood of addresses hides no way
// out. What was told stands before what was heard and is never pushed out by it; what was heard
// first stays. Nothing that a frame says is believed further than this. One thread.
class Segment {
 public:
  static constexpr std::size_t kMostNeighbours = 4096, kMostRouters = 16, kMostResolvers = 16;

  struct Neighbour {
    IpAddress address;
    MacAddress mac;
    Timestamp heard{};
    bool router = false;  // advertised itself, by RA or as DHCP's router
  };
  struct OwnAddress {
    IpAddress address;
    unsigned prefix_length = 24;
    bool kernel_owned = false;  // the kernel would answer TCP with RST: TCP methods are not tried
    bool link_local = false;
    bool borrowed = false;  // a neighbour's: what is sent from it is spoofed
  };

  // Of gateways, resolvers and proxy configuration, nothing is believed but what was told and what
  // routers advertise: not what other hosts' DHCP servers say, nor who answers DNS.
  void believe_only_routers() { believes_all_ = false; }
  // ARP, neighbour discovery, router advertisements, DHCP servers' words to anybody, answers from
  // port 53, and senders on the link.
  void learn(ByteView frame, Timestamp now);
  void add_own(const OwnAddress& address);
  void remove_own(const IpAddress& address);
  // Told, by the configuration or by our own lease.
  void add_gateway(const IpAddress& address);
  void add_resolver(const IpAddress& address);
  // Told no longer: the lease that told it is over. No word for what was not told.
  void forget_gateway(const IpAddress& address) { gateways_.forget_told(address); }
  void forget_resolver(const IpAddress& address) { resolvers_.forget_told(address); }
  void set_wpad(const std::string& url);

  const std::vector<OwnAddress>& own() const { return own_; }
  // The address to speak from to a destination: same family, same network first.
  std::optional<OwnAddress> own_for(const IpAddress& destination) const;
  bool is_own(const IpAddress& address) const;
  bool is_on_link(const IpAddress& address) const;
  const std::vector<IpAddress>& gateways() const { return gateways_.all; }
  const std::vector<IpAddress>& resolvers() const { return resolvers_.all; }
  const std::string& wpad() const { return wpad_; }  // of DHCP option 252, or empty
  std::vector<Neighbour> neighbours() const;         // by address
  std::optional<Neighbour> neighbour(const IpAddress& address) const;
  std::optional<MacAddress> mac_of(const IpAddress& address) const;
  // Hosts of which only frames were seen: MAC addresses without IP.
  std::size_t silent_macs() const;

 private:
  // Told first, then heard, in the order of hearing.
  struct Known {
    std::vector<IpAddress> all;
    std::size_t told = 0;
    void tell(const IpAddress& address, std::size_t most);
    void hear(const IpAddress& address, std::size_t most);
    void forget_heard(const IpAddress& address);
    void forget_told(const IpAddress& address);
    bool holds(const IpAddress& address) const;
  };
  struct Entry {
    Neighbour neighbour;
    bool said_so = false;  // by ARP or neighbour discovery, not only as the source of a packet
  };

  void hear_mac(const MacAddress& mac, Timestamp now);
  void hear_neighbour(const IpAddress& address, const MacAddress& mac, bool said_so, Timestamp now);
  void hear_router(const IpAddress& address);
  void hear_packet(const struct Frame& frame, Timestamp now);
  void make_room();

  std::vector<OwnAddress> own_;
  Known gateways_, resolvers_;
  std::map<IpAddress, Entry> neighbours_;
  std::set<std::pair<Timestamp, IpAddress>> by_age_;  // of neighbours_
  std::map<MacAddress, Timestamp> macs_;
  std::set<std::pair<Timestamp, MacAddress>> macs_by_age_;
  std::string wpad_;
  bool believes_all_ = true;
};

}  // namespace beaconry
