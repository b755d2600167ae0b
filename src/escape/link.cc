#include "escape/link.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLargestFrame = 65'536 + 64;
constexpr int kReceiveBuffer = 4 << 20;

std::optional<IpAddress> address_of(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    return IpAddress::v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    return IpAddress::v6_bytes(v6.sin6_addr.s6_addr);
  }
  return std::nullopt;
}

unsigned bits_set(const IpAddress& mask) {
  unsigned bits = 0;
  for (std::size_t at = mask.is_v4() ? 12 : 0; at < 16; ++at)
    bits += static_cast<unsigned>(std::popcount(mask.bytes()[at]));
  return bits;
}

void read_kernel_addresses(InterfaceFacts& facts) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (facts.name != at->ifa_name) continue;
    const auto address = address_of(at->ifa_addr);
    const auto mask = address_of(at->ifa_netmask);
    if (!address) continue;
    facts.kernel_addresses.push_back(*address);
    // A mask of ::ffff:… reads as IPv4, which no IPv6 netmask is.
    facts.kernel_prefixes.push_back(mask ? bits_set(*mask) : (address->is_v4() ? 24U : 64U));
  }
  ::freeifaddrs(list);
}

// Default routes, from the routing table of IPv4: Iface Destination Gateway …, in hexadecimal as
// the machine's memory has it.
void read_kernel_gateways(InterfaceFacts& facts) {
  const auto text = read_small_file("/proc/thread-self/net/route", 1 << 20);
  if (!text) return;
  std::istringstream lines(*text);
  std::string line;
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string name, destination, gateway;
    words >> name >> destination >> gateway;
    if (name != facts.name || destination != "00000000" || gateway.size() != 8) continue;
    const auto value = static_cast<std::uint32_t>(std::strtoul(gateway.c_str(), nullptr, 16));
    if (value != 0) facts.kernel_gateways.push_back(IpAddress::v4(ntohl(value)));
  }
}

Result<InterfaceFacts> read_facts(int socket, const std::string& name) {
  InterfaceFacts facts;
  facts.name = name;
  ifreq request{};
  if (name.empty() || name.size() >= sizeof request.ifr_name) {
    return fail(ErrorKind::usage, "open", "interface " + name, "no such interface");
  }
  std::copy(name.begin(), name.end(), request.ifr_name);
  if (::ioctl(socket, SIOCGIFHWADDR, &request) != 0) {
    if (errno == ENODEV) {
      return fail(ErrorKind::not_found, "open", "interface " + name,
                  "no such interface; `ip link` lists those that there are");
    }
    return fail_errno("open", "interface " + name);
  }
  if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
    return fail(ErrorKind::unsupported, "open", "interface " + name,
                "it is no Ethernet interface: the probe sends whole Ethernet frames");
  }
  std::memcpy(facts.mac.bytes.data(), request.ifr_hwaddr.sa_data, facts.mac.bytes.size());
  if (::ioctl(socket, SIOCGIFMTU, &request) != 0) return fail_errno("open", "interface " + name);
  facts.mtu = static_cast<std::uint32_t>(std::clamp(request.ifr_mtu, 576, 65'535));
  if (::ioctl(socket, SIOCGIFFLAGS, &request) != 0) return fail_errno("open", "interface " + name);
  facts.up = (request.ifr_flags & IFF_UP) != 0;
  read_kernel_addresses(facts);
  read_kernel_gateways(facts);
  return facts;
}

class PacketLink : public Link {
 public:
  PacketLink(Fd socket, InterfaceFacts facts)
      : socket_(std::move(socket)), facts_(std::move(facts)), buffer_(kLargestFrame) {}

  const InterfaceFacts& facts() const override { return facts_; }
  int descriptor() const override { return socket_.get(); }

  Result<void> attach() {
    const unsigned index = ::if_nametoindex(facts_.name.c_str());
    if (index == 0) return fail_errno("bind", "interface " + facts_.name);
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(index);
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      return fail_errno("bind", "interface " + facts_.name);
    }
    // Neighbour solicitations for the probe's addresses are sent to groups that the kernel is not a
    // member of.
    packet_mreq every_group{};
    every_group.mr_ifindex = address.sll_ifindex;
    every_group.mr_type = PACKET_MR_ALLMULTI;
    if (::setsockopt(socket_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, &every_group,
                     sizeof every_group) != 0) {
      return fail_errno("listen to groups on", "interface " + facts_.name);
    }
    attached_ = true;
    return {};
  }

  // What came back under the name may be another card, in another network.
  Result<void> look_again() {
    auto found = read_facts(socket_.get(), facts_.name);
    if (!found) {
      attached_ = false;  // gone again
      return {};
    }
    if (found->mac != facts_.mac) {
      return fail(ErrorKind::unsupported, "go on with", "interface " + facts_.name,
                  "it came back with another MAC, " + found->mac.to_string() + ": start again");
    }
    // Both may be out of reach since privileges were given up: then what was so still is.
    if (found->kernel_gateways.empty()) found->kernel_gateways = facts_.kernel_gateways;
    if (found->kernel_addresses.empty()) {
      found->kernel_addresses = facts_.kernel_addresses;
      found->kernel_prefixes = facts_.kernel_prefixes;
    }
    facts_ = std::move(*found);
    return {};
  }

  Result<void> send(ByteView frame, Timestamp) override {
    const ssize_t sent = ::send(socket_.get(), frame.data(), frame.size(), MSG_DONTWAIT);
    if (sent == static_cast<ssize_t>(frame.size())) return {};
    if (errno == ENXIO || errno == ENODEV) attached_ = false;
    return fail_errno("send on", "interface " + facts_.name);
  }

  Result<std::optional<ByteView>> receive(std::chrono::milliseconds wait) override {
    if (!attached_ && attach()) {
      if (auto same = look_again(); !same) return tl::unexpected<Error>(same.error());
    }
    if (!attached_) {
      std::this_thread::sleep_for(std::min(wait, std::chrono::milliseconds(1000)));
      return std::nullopt;
    }
    pollfd readable{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&readable, 1, static_cast<int>(wait.count()));
    if (ready < 0 && errno != EINTR) return fail_errno("wait for", "interface " + facts_.name);
    if (ready <= 0) return std::nullopt;
    return take();
  }

  std::uint64_t drops() const override {
    tpacket_stats statistics{};
    socklen_t size = sizeof statistics;
    // Reading sets the kernel's own count to 0.
    if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0) {
      drops_ += statistics.tp_drops;
    }
    return drops_;
  }

 private:
  Result<std::optional<ByteView>> take() {
    // Room in front, where a tag that the card stripped is put back.
    iovec part{buffer_.data() + 4, buffer_.size() - 4};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(tpacket_auxdata))> control{};
    sockaddr_ll from{};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
    if (got < 0) {
      if (errno == ENXIO || errno == ENODEV) attached_ = false;
      if (errno == EAGAIN || errno == EINTR || errno == ENETDOWN || !attached_) return std::nullopt;
      return fail_errno("receive on", "interface " + facts_.name);
    }
    if (from.sll_pkttype == PACKET_OUTGOING || got < 14) return std::nullopt;
    std::uint8_t* const frame = buffer_.data() + 4;
    const auto size = static_cast<std::size_t>(got);
    for (cmsghdr* at = CMSG_FIRSTHDR(&message); at != nullptr; at = CMSG_NXTHDR(&message, at)) {
      if (at->cmsg_level != SOL_PACKET || at->cmsg_type != PACKET_AUXDATA) continue;
      tpacket_auxdata aux;
      std::memcpy(&aux, CMSG_DATA(at), sizeof aux);
      if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0) continue;
      const std::uint16_t type = (aux.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0
                                     ? aux.tp_vlan_tpid
                                     : std::uint16_t{ETHERTYPE_VLAN};
      std::memmove(frame - 4, frame, 12);
      frame[8] = static_cast<std::uint8_t>(type >> 8);
      frame[9] = static_cast<std::uint8_t>(type);
      frame[10] = static_cast<std::uint8_t>(aux.tp_vlan_tci >> 8);
      frame[11] = static_cast<std::uint8_t>(aux.tp_vlan_tci);
      return ByteView(frame - 4, size + 4);
    }
    return ByteView(frame, size);
  }

  Fd socket_;
  InterfaceFacts facts_;
  std::vector<std::uint8_t> buffer_;
  bool attached_ = false;
  mutable std::uint64_t drops_ = 0;
};

class CaptureLink : public Link {
 public:
  CaptureLink(const std::string& path, InterfaceFacts facts,
              std::function<void(std::chrono::milliseconds)> waited)
      : path_(path),
        facts_(std::move(facts)),
        waited_(std::move(waited)),
        file_(path, std::ios::binary | std::ios::trunc) {
    // https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html, in this machine's byte order
    for (const std::uint32_t word : {0xa1b2c3d4U, 4U << 16 | 2U, 0U, 0U, 262'144U, 1U})
      put(word);
    file_.flush();
  }
  bool is_open() const { return file_.good(); }

  const InterfaceFacts& facts() const override { return facts_; }
  int descriptor() const override { return -1; }
  std::uint64_t drops() const override { return 0; }

  Result<void> send(ByteView frame, Timestamp now) override {
    const std::int64_t at = now.time_since_epoch().count();
    put(static_cast<std::uint32_t>(at / 1'000'000));
    put(static_cast<std::uint32_t>(at % 1'000'000));
    put(static_cast<std::uint32_t>(frame.size()));
    put(static_cast<std::uint32_t>(frame.size()));
    file_.write(reinterpret_cast<const char*>(frame.data()),
                static_cast<std::streamsize>(frame.size()));
    file_.flush();
    if (!file_) return fail(ErrorKind::io, "write", path_, "is the disk full?");
    return {};
  }

  Result<std::optional<ByteView>> receive(std::chrono::milliseconds wait) override {
    if (waited_) waited_(wait);
    return std::nullopt;
  }

 private:
  void put(std::uint32_t word) { file_.write(reinterpret_cast<const char*>(&word), sizeof word); }

  std::string path_;
  InterfaceFacts facts_;
  std::function<void(std::chrono::milliseconds)> waited_;
  std::ofstream file_;
};

}  // namespace

Result<std::unique_ptr<Link>> open_packet_link(const std::string& interface) {
  // Protocol 0: deaf until it is bound, so that no frame of another interface is heard.
  Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!socket) {
    if (errno == EPERM || errno == EACCES) {
      return fail(ErrorKind::unsupported, "open", "interface " + interface,
                  "it needs CAP_NET_RAW: run as root, or `setcap cap_net_raw+ep` the program");
    }
    return fail_errno("open", "a packet socket");
  }
  auto facts = read_facts(socket.get(), interface);
  if (!facts) return tl::unexpected(facts.error());
  const int on = 1, room = kReceiveBuffer;
  if (::setsockopt(socket.get(), SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) != 0) {
    return fail_errno("ask for VLAN tags of", "interface " + interface);
  }
  // Kernels before 4.20 do not know it; take() looks at each frame as well. The buffer is a wish.
#ifdef PACKET_IGNORE_OUTGOING
  ::setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on);
#endif
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  auto link = std::make_unique<PacketLink>(std::move(socket), std::move(*facts));
  if (auto attached = link->attach(); !attached) return tl::unexpected(attached.error());
  return link;
}

Result<std::unique_ptr<Link>> open_capture_link(
    const std::string& path, InterfaceFacts facts,
    std::function<void(std::chrono::milliseconds)> waited) {
  auto link = std::make_unique<CaptureLink>(path, std::move(facts), std::move(waited));
  if (!link->is_open()) return fail_errno("write", path);
  return link;
}

}  // namespace beaconry
