// Pings of one probe out of an interface, each sealed for itself: bench/home counts what home makes
// of them.
//   home_flood HOME_PUBLIC PROBES_FILE INTERFACE MAC COUNT PINGS_A_SECOND udp|raw
// Makes a probe, writes it to PROBES_FILE for home and gives home three seconds to read it. udp:
// datagrams to one port after the other; raw: protocol 253, which only the sniffer sees. Prints how
// many the interface took and how many seconds it needed. Needs CAP_NET_RAW.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "packet/craft.h"
#include "packet/parse.h"
#include "ping/seal.h"

namespace {

using namespace beaconry;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 64;
constexpr std::uint8_t kExperiment = 253;

struct Sender {
  IpAddress from = *IpAddress::parse("198.51.100.5"), to = *IpAddress::parse("203.0.113.10");
  MacAddress mac;
  PartyKeys keys{PartyKeys::make_seed()};
  bool is_udp = true;

  Bytes frame(const SharedKey& key, std::uint64_t sequence) const {
    Ping ping;
    ping.method = is_udp ? MethodId::udp_port : MethodId::ip_proto;
    ping.probe = keys.id();
    ping.sequence = sequence;
    ping.sent = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    ping.source = from;
    ping.destination = to;
    ping.port = static_cast<std::uint16_t>(10'000 + sequence % 20'000);
    const Bytes sealed = seal(ping, key);
    const Bytes packet = is_udp
                             ? ip(from, to, kProtocolUdp, udp(from, to, 40'000, ping.port, sealed))
                             : ip(from, to, kExperiment, sealed);
    return ethernet(mac, MacAddress{{2, 0, 0, 0, 0, 5}}, kEtherIpv4, packet);
  }
};

int fail_with(const char* what) {
  std::perror(what);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto mac = argc == 8 ? MacAddress::parse(argv[4]) : std::nullopt;
  const auto home = argc == 8 ? parse_key(argv[1]) : Result<Key32>(Key32{});
  if (!mac || !home) {
    std::fprintf(stderr,
                 "usage: home_flood HOME_PUBLIC PROBES_FILE INTERFACE MAC COUNT RATE udp|raw\n");
    return 2;
  }
  Sender sender;
  sender.mac = *mac;
  sender.is_udp = std::string(argv[7]) == "udp";
  const auto key = SharedKey::make(sender.keys, *home);
  if (!key) return 2;
  const std::string probes = R"({"version":")" + sender.keys.id().to_string() +
                             R"(","probes":[{"id":")" + sender.keys.id().to_string() +
                             R"(","name":"flood","retired":false,"box_public":")" +
                             to_hex(sender.keys.box_public()) + R"(","sign_public":")" +
                             to_hex(sender.keys.sign_public()) + R"("}],"controls":[]})";
  // Home is not root any more, and keys of probes are public.
  if (!replace_file(argv[2], probes) || ::chmod(argv[2], 0644) != 0) return fail_with(argv[2]);
  std::this_thread::sleep_for(std::chrono::seconds{3});

  const int socket = ::socket(AF_PACKET, SOCK_RAW, 0);
  const int bypass = 1;
  ::setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(::if_nametoindex(argv[3]));
  if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    return fail_with("home_flood");
  }
  const auto count = static_cast<std::uint64_t>(std::atoll(argv[5]));
  const double rate = std::atof(argv[6]);
  std::array<Bytes, kBatch> frames;
  std::array<iovec, kBatch> pieces{};
  std::array<mmsghdr, kBatch> messages{};
  std::uint64_t sent = 0;
  const auto begin = Clock::now();
  while (sent < count) {
    const double due = std::chrono::duration<double>(Clock::now() - begin).count() * rate;
    if (static_cast<double>(sent) > due) {
      std::this_thread::sleep_for(std::chrono::microseconds{100});
      continue;
    }
    const std::size_t batch = std::min<std::size_t>(kBatch, count - sent);
    for (std::size_t i = 0; i < batch; ++i) {
      frames[i] = sender.frame(*key, sent + i + 1);
      pieces[i] = {frames[i].data(), frames[i].size()};
      messages[i].msg_hdr.msg_iov = &pieces[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (std::size_t done = 0; done < batch;) {
      const int took = ::sendmmsg(socket, &messages[done], static_cast<unsigned>(batch - done), 0);
      if (took < 0 && errno != ENOBUFS && errno != EAGAIN) return fail_with("sendmmsg");
      if (took > 0) done += static_cast<std::size_t>(took);
    }
    sent += batch;
  }
  std::printf("%llu %.6f\n", static_cast<unsigned long long>(sent),
              std::chrono::duration<double>(Clock::now() - begin).count());
  return 0;
}
