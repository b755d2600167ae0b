#pragma once
#include <map>
#include <optional>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "packet/craft.h"

namespace beaconry {

// What the probe has learnt of the network around it: who is there, who routes, who resolves, which
// addresses are ours. Learns from every frame; sends nothing. Bounded: the least recently heard of
// kMostNeighbours go. Nothing that a frame says is believed further than this. One thread.
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
  };

  void learn(ByteView frame, Timestamp now);
  void add_own(const OwnAddress& address);
  void remove_own(const IpAddress& address);
  void add_gateway(const IpAddress& address);
  void add_resolver(const IpAddress& address);
  void set_wpad(const std::string& url);

  const std::vector<OwnAddress>& own() const { return own_; }
  // The address to speak from to a destination: same family, same network first.
  std::optional<OwnAddress> own_for(const IpAddress& destination) const;
  bool is_own(const IpAddress& address) const;
  bool is_on_link(const IpAddress& address) const;
  const std::vector<IpAddress>& gateways() const { return gateways_; }
  const std::vector<IpAddress>& resolvers() const { return resolvers_; }
  const std::string& wpad() const { return wpad_; }  // of DHCP option 252, or empty
  std::vector<Neighbour> neighbours() const;         // by address
  std::optional<MacAddress> mac_of(const IpAddress& address) const;
  // Hosts of which only frames were seen: MAC addresses without IP.
  std::size_t silent_macs() const;

 private:
  std::vector<OwnAddress> own_;
  std::vector<IpAddress> gateways_, resolvers_;
  std::map<IpAddress, Neighbour> neighbours_;
  std::map<MacAddress, Timestamp> macs_;
  std::string wpad_;
};

}  // namespace beaconry
