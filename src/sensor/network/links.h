#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "packet/mac_address.h"
#include "sensor/network/netlink.h"

namespace beaconry {

struct Link {
  int index = 0;
  std::string name, kind, alias;  // kind: "veth", "bridge", "macvlan"; empty: a device
  bool up = false, carrier = false, promiscuous = false;
  int master = 0, lower = 0;  // what it is a part of; what it is a child of; 0: none
  std::uint32_t mtu = 0;
  std::uint64_t received = 0, sent = 0;  // packets
};

// The network interfaces of one namespace, by rtnetlink. One thread at a time.
class Links {
 public:
  Links() = default;
  static Result<Links> open();  // of the calling thread's namespace

  Result<std::vector<Link>> list();
  Result<std::optional<Link>> find(const std::string& name);

  struct Veth {
    std::string name, peer;
    std::optional<MacAddress> peer_mac;
    std::uint32_t mtu = 1500;
  };
  Result<void> add_veth(const Veth& veth);
  // A child of `parent` that its siblings can talk to (mode bridge).
  Result<void> add_macvlan(const std::string& name, int parent, std::optional<MacAddress> mac);
  // What of `parent` is tagged with `id`.
  Result<void> add_vlan(const std::string& name, int parent, std::uint16_t id);
  Result<void> remove(const std::string& name);  // that is not there: fine

  Result<void> set_up(int index, bool up);
  Result<void> set_mtu(int index, std::uint32_t mtu);
  Result<void> set_promiscuous(int index, bool on);
  Result<void> set_master(int index, int master);  // 0: none
  Result<void> set_alias(int index, const std::string& alias);
  // Off: it neither asks nor answers, and the instrument cannot undo it.
  Result<void> set_arp(int index, bool on);
  // No addresses of its own making in IPv6, so that the kernel solicits and joins nothing.
  Result<void> set_no_ipv6_addresses(int index);
  Result<void> rename(int index, const std::string& name);
  Result<void> move(int index, int name_space, const std::string& name);  // comes down by it

  // Addresses and routes of an interface.
  Result<void> add_address(int index, const std::string& address_and_prefix);
  Result<void> add_default_route(int index, const std::string& gateway);
  Result<void> remove_addresses(int index, bool v6);      // but link-local ones
  Result<std::vector<std::string>> addresses(int index);  // but link-local ones

 private:
  Result<void> set_flag(int index, unsigned flag, bool on, const std::string& operation);
  NetlinkSocket socket_;
};

}  // namespace beaconry
