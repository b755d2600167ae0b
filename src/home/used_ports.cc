#include "home/used_ports.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "base/fd.h"

namespace beaconry {
namespace {

// One line a socket: "sl: LOCAL:PORT REMOTE:PORT STATE ...", addresses as hexadecimal words of the
// machine's byte order. Listeners come first in TCP's.
constexpr unsigned kListening = 0x0a;

bool is_loopback(std::string_view words) {
  constexpr std::size_t kFirstByte = std::endian::native == std::endian::little ? 6 : 0;
  if (words.size() == 8) return words.substr(kFirstByte, 2) == "7F";
  return words == "00000000000000000000000001000000" || words == "00000000000000000000000000000001";
}

void read_table(const char* path, bool listeners_only, const std::array<std::uint16_t, 2>& ours,
                std::array<std::uint64_t, UsedPorts::kWords>& ports) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path, "re"));
  if (!file) return;  // a kernel without that family
  std::array<char, 512> line;
  bool heading = true;
  while (std::fgets(line.data(), line.size(), file.get()) != nullptr) {
    if (std::exchange(heading, false)) continue;
    char local[33], remote[33];
    unsigned port = 0, remote_port = 0, state = 0;
    if (std::sscanf(line.data(), " %*[0-9]: %32[0-9A-F]:%x %32[0-9A-F]:%x %x", local, &port, remote,
                    &remote_port, &state) != 5) {
      continue;
    }
    if (listeners_only && state != kListening) return;
    const auto number = static_cast<std::uint16_t>(port);
    if (is_loopback(local) || number == ours[0] || number == ours[1]) continue;
    UsedPorts::set(ports, number);
  }
}

}  // namespace

UsedPorts read_used_ports(const OwnPorts& ours) {
  UsedPorts used;
  read_table("/proc/self/net/tcp", true, ours.tcp, used.tcp);
  read_table("/proc/self/net/tcp6", true, ours.tcp, used.tcp);
  read_table("/proc/self/net/udp", false, ours.udp, used.udp);
  read_table("/proc/self/net/udp6", false, ours.udp, used.udp);
  return used;
}

std::uint16_t first_client_port() {
  constexpr std::uint16_t kUsual = 32'768;
  const Fd file(::open("/proc/sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC));
  std::array<char, 64> text{};
  if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0) return kUsual;
  unsigned first = 0;
  return std::sscanf(text.data(), "%u", &first) == 1 && first <= 65'535
             ? static_cast<std::uint16_t>(first)
             : kUsual;
}

}  // namespace beaconry
