#include "home/used_ports.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
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

Result<void> read_table(const std::string& path, bool listeners_only, bool may_be_missing,
                        std::array<std::uint64_t, UsedPorts::kWords>& ports) {
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "re"));
  if (!file) {
    if (may_be_missing && errno == ENOENT) return {};  // a kernel without that family
    return fail_errno("read", path);
  }
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
    if (listeners_only && state != kListening) return {};
    const auto number = static_cast<std::uint16_t>(port);
    if (!is_loopback(local)) UsedPorts::set(ports, number);
  }
  if (std::ferror(file.get()) != 0) return fail_errno("read", path);
  if (heading) return fail(ErrorKind::malformed, "read", path, "it is empty");
  return {};
}

}  // namespace

Result<UsedPorts> read_used_ports(const std::string& folder) {
  UsedPorts used;
  for (const bool is_v6 : {false, true}) {
    const char* const suffix = is_v6 ? "6" : "";
    auto tcp = read_table(folder + "/tcp" + suffix, true, is_v6, used.tcp);
    if (!tcp) return tl::unexpected<Error>(std::move(tcp.error()));
    auto udp = read_table(folder + "/udp" + suffix, false, is_v6, used.udp);
    if (!udp) return tl::unexpected<Error>(std::move(udp.error()));
  }
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
