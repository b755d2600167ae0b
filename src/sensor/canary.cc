#include "sensor/canary.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "packet/craft.h"
#include "packet/parse.h"
#include "sensor/canary_traffic.h"
#include "sensor/network/tie.h"

namespace beaconry {
namespace {

constexpr std::uint16_t kFirstPort = 40'000, kPorts = 4'096;
constexpr std::uint8_t kUdp = 17;
constexpr std::string_view kPayload = "Beaconry's canary: a detector must find this";
// Locally administered: no device has them.
constexpr MacAddress kFrom{{0x02, 0xbc, 0, 0, 0, 1}}, kTo{{0x02, 0xbc, 0, 0, 0, 2}};

Bytes frame(std::uint16_t round) {
  const IpAddress source = *IpAddress::parse(kCanarySource);
  const IpAddress destination = *IpAddress::parse(kCanaryDestination);
  const auto* const payload = reinterpret_cast<const std::uint8_t*>(kPayload.data());
  // Another port each time, so that each packet begins a flow of its own.
  const auto port = static_cast<std::uint16_t>(kFirstPort + round % kPorts);
  return ethernet(
      kTo, kFrom, kEtherIpv4,
      ip(source, destination, kUdp,
         udp(source, destination, port, kCanaryPort, ByteView(payload, kPayload.size())), 64,
         round));
}

}  // namespace

std::vector<std::string> Canary::interfaces_of(const std::string& instance,
                                               const Manifest& manifest,
                                               const std::vector<InterfaceWish>& wishes) {
  std::vector<std::string> names;
  if (!manifest.canary) return names;
  for (const InterfaceWish& wish : wishes) {
    using Kind = InterfaceWish::Kind;
    const bool is_veth = wish.kind == Kind::bridge || wish.kind == Kind::mirror;
    const bool only_receives =
        std::any_of(manifest.interfaces.begin(), manifest.interfaces.end(), [&](const auto& one) {
          return one.name == wish.name && one.contract == Direction::receive;
        });
    if (!is_veth || !only_receives) continue;
    TieSpec tie;
    tie.instance = instance;
    tie.wish = wish;
    names.push_back(tie.id() + "h");
  }
  return names;
}

Result<std::unique_ptr<Canary>> Canary::open() {
  // Of protocol 0 it receives nothing.
  Fd socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno("open a socket for", "the detection canary");
  return std::unique_ptr<Canary>(new Canary(std::move(socket)));
}

void Canary::set_interfaces(const std::vector<std::string>& interfaces) {
  const std::set<std::string> wanted(interfaces.begin(), interfaces.end());
  std::erase_if(reports_, [&](const auto& one) { return wanted.count(one.first) == 0; });
  for (const std::string& name : wanted)
    reports_.try_emplace(name);
}

Result<void> Canary::send(const std::string& interface) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = __builtin_bswap16(ETH_P_IP);
  to.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (to.sll_ifindex == 0) return fail_errno("send the detection canary on", interface);
  to.sll_halen = ETH_ALEN;
  std::copy(kTo.bytes.begin(), kTo.bytes.end(), to.sll_addr);
  const Bytes bytes = frame(round_);
  if (::sendto(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
               sizeof to) < 0) {
    return fail_errno("send the detection canary on", interface);
  }
  return {};
}

void Canary::work(Clock::time_point now) {
  if (reports_.empty() || now < next_) return;
  // In step with its beginning, not with when we came to it; after a long absence anew.
  next_ = now - next_ > kCanaryEvery ? now + kCanaryEvery : next_ + kCanaryEvery;
  ++round_;
  for (auto& [interface, report] : reports_) {
    const auto sent = send(interface);
    ++(sent ? report.sent : report.failed);
    report.error = sent ? "" : sent.error().message();
  }
}

std::chrono::milliseconds Canary::pause(Clock::time_point now) const {
  if (reports_.empty()) return kCanaryEvery;
  return std::max(std::chrono::milliseconds{0},
                  std::chrono::ceil<std::chrono::milliseconds>(next_ - now));
}

}  // namespace beaconry
