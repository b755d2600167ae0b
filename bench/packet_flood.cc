// Small UDP packets out of an interface, as fast as it takes them: bench/veth counts them at the
// other end.
//   packet_flood INTERFACE DESTINATION_MAC SECONDS FLOWS [PACKETS_A_SECOND]
// FLOWS 0: a new flow each packet. Prints how many packets the interface took, and how many seconds
// it needed. Needs CAP_NET_RAW.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFrame = 60, kBatch = 64;
constexpr std::size_t kIp = 14, kUdp = kIp + 20;

void put16(std::uint8_t* at, unsigned value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}
void put32(std::uint8_t* at, std::uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

using Frame = std::array<std::uint8_t, kFrame>;

Frame frame_to(const char* mac) {
  Frame frame{};
  unsigned bytes[6] = {};
  if (std::sscanf(mac, "%x:%x:%x:%x:%x:%x", &bytes[0], &bytes[1], &bytes[2], &bytes[3], &bytes[4],
                  &bytes[5]) != 6) {
    std::fprintf(stderr, "packet_flood: '%s' is no MAC address\n", mac);
    std::exit(2);
  }
  for (std::size_t i = 0; i < 6; ++i)
    frame[i] = static_cast<std::uint8_t>(bytes[i]);
  frame[6] = 2;  // a local address
  put16(&frame[12], ETHERTYPE_IP);
  frame[kIp] = 0x45;
  put16(&frame[kIp + 2], kFrame - kIp);
  frame[kIp + 8] = 64;
  frame[kIp + 9] = IPPROTO_UDP;
  put32(&frame[kIp + 16], 0xc6336401);  // 198.51.100.1
  put16(&frame[kUdp + 2], 9);           // discard
  put16(&frame[kUdp + 4], kFrame - kUdp);
  return frame;
}

// Flow number n: a source address and port of its own.
void set_flow(Frame& frame, std::uint64_t n) {
  put32(&frame[kIp + 12], 0x0a000000 + static_cast<std::uint32_t>(n / 60'000 % 0xffffff));
  put16(&frame[kUdp], static_cast<unsigned>(1024 + n % 60'000));
  put16(&frame[kIp + 10], 0);
  std::uint32_t sum = 0;
  for (std::size_t i = kIp; i < kUdp; i += 2)
    sum += static_cast<std::uint32_t>(frame[i] << 8 | frame[i + 1]);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  put16(&frame[kIp + 10], ~sum & 0xffff);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || argc > 6) {
    std::fprintf(stderr, "usage: packet_flood INTERFACE MAC SECONDS FLOWS [PACKETS_A_SECOND]\n");
    return 2;
  }
  const double seconds = std::atof(argv[3]);
  const auto flows = static_cast<std::uint64_t>(std::atoll(argv[4]));
  const double rate = argc == 6 ? std::atof(argv[5]) : 0;
  const int socket = ::socket(AF_PACKET, SOCK_RAW, 0);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(::if_nametoindex(argv[1]));
  to.sll_halen = 6;
  if (socket < 0 || ::bind(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    std::perror("packet_flood");
    return 1;
  }
  std::array<Frame, kBatch> frames;
  frames.fill(frame_to(argv[2]));
  std::array<iovec, kBatch> pieces{};
  std::array<mmsghdr, kBatch> messages{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    pieces[i] = {frames[i].data(), kFrame};
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  std::uint64_t sent = 0;
  const auto begin = Clock::now();
  const auto end =
      begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (auto now = begin; now < end; now = Clock::now()) {
    if (rate > 0 &&
        static_cast<double>(sent) > std::chrono::duration<double>(now - begin).count() * rate) {
      std::this_thread::sleep_for(std::chrono::microseconds{100});
      continue;
    }
    for (std::size_t i = 0; i < kBatch; ++i)
      set_flow(frames[i], flows == 0 ? sent + i : (sent + i) % flows);
    const int took = ::sendmmsg(socket, messages.data(), kBatch, 0);
    if (took > 0) sent += static_cast<std::uint64_t>(took);
    // The other end's queue is full: what this counts as sent is exact, and the rest comes again.
    if (took < 0 && errno != ENOBUFS && errno != EAGAIN) {
      std::perror("packet_flood: sendmmsg");
      return 1;
    }
  }
  std::printf("%llu %.6f\n", static_cast<unsigned long long>(sent),
              std::chrono::duration<double>(Clock::now() - begin).count());
  ::close(socket);
  return 0;
}
