#include "sensor/network/dhcp.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>

#include "base/file.h"
#include "base/find_program.h"
#include "base/text.h"
#include "sensor/network/child.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostResolvers = 4;
constexpr std::size_t kMostBytes = 4'096;
constexpr int kPatienceMs = 2'000;

// Every value is udhcpc's own rendering of what the server said. It writes a file and does no more.
constexpr std::string_view kScript =
    "#!/bin/sh\n"
    "printf '%s\\n' \"state=$1\" \"ip=$ip\" \"mask=$mask\" \"router=$router\" \"dns=$dns\" "
    ">\"$BEACONRY_LEASE.new\" && mv \"$BEACONRY_LEASE.new\" \"$BEACONRY_LEASE\"\n";

std::vector<IpAddress> addresses_of(std::string_view text) {
  std::vector<IpAddress> all;
  while (!text.empty() && all.size() < kMostResolvers) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const auto address = IpAddress::parse(text.substr(0, end));
    if (address && !address->is_unspecified() && !address->is_multicast()) all.push_back(*address);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

std::string file_of(const std::string& folder, const std::string& name, const char* what) {
  return folder + "/" + name + what;
}

}  // namespace

DhcpNews DhcpNews::parse(std::string_view text) {
  DhcpNews news;
  std::vector<IpAddress> own;
  unsigned bits = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals), value = line.substr(equals + 1);
    if (key == "state") news.state = value.substr(0, 20);
    if (key == "ip") own = addresses_of(value);
    if (key == "mask") std::from_chars(value.data(), value.data() + value.size(), bits);
    if (key == "dns") news.resolvers = addresses_of(value);
    if (key == "router") {
      const auto routers = addresses_of(value);
      if (!routers.empty()) news.router = routers.front();
    }
  }
  // Without a mask (option 1) the address is alone.
  if (!own.empty() && own.front().is_v4() && bits <= 32)
    news.address = Prefix{own.front(), static_cast<std::uint8_t>(bits == 0 ? 32 : bits)};
  return news;
}

std::vector<std::string> find_dhcp_client(const std::string& named) {
  const std::string client = find_program(named.empty() ? "udhcpc" : named);
  const std::string busybox = find_program("busybox");
  if (client.empty())
    return busybox.empty() ? std::vector<std::string>()
                           : std::vector{busybox, std::string("udhcpc")};
  if (std::filesystem::path(client).filename() == "busybox") return {client, "udhcpc"};
  return {client};
}

Result<std::unique_ptr<DhcpClient>> DhcpClient::start(const Options& options) {
  end_left_over(options.folder, options.name);
  const std::string lease = file_of(options.folder, options.name, ".lease");
  const Fd script(::memfd_create("lease", MFD_CLOEXEC));  // /run may be mounted noexec
  if (!script || ::pwrite(script.get(), kScript.data(), kScript.size(), 0) !=
                     static_cast<ssize_t>(kScript.size()))
    return fail_errno("write", "the DHCP client's script");
  Child child;
  child.command = options.program;
  for (const std::string& word :
       {std::string("-f"), std::string("-i"), options.interface, std::string("-s"),
        "/proc/self/fd/" + std::to_string(kKeptAs), std::string("-p"),
        file_of(options.folder, options.name, ".pid"), std::string("-t"), std::string("3"),
        std::string("-T"), std::string("2"), std::string("-A"), std::string("5")})
    child.command.push_back(word);
  child.environment = {"BEACONRY_LEASE=" + lease};
  child.name_space = options.name_space;
  child.kept = script.get();
  child.capture_rights_only = true;
  const auto pid = start_child(child);
  if (!pid) return tl::unexpected<Error>(pid.error());
  std::unique_ptr<DhcpClient> client(new DhcpClient);
  client->options_ = options;
  client->pid_ = *pid;
  client->process_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  return client;
}

DhcpClient::~DhcpClient() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    pollfd waiting{process_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, kPatienceMs) != 1) ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  std::error_code ignored;
  for (const char* what : {".lease", ".pid"})
    std::filesystem::remove(file_of(options_.folder, options_.name, what), ignored);
}

bool DhcpClient::ended() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) {
    pid_ = -1;
    process_.reset();
  }
  return pid_ < 0;
}

std::optional<DhcpNews> DhcpClient::news() const {
  const auto text = read_small_file(file_of(options_.folder, options_.name, ".lease"), kMostBytes);
  if (!text) return std::nullopt;
  return DhcpNews::parse(*text);
}

void DhcpClient::end_left_over(const std::string& folder, const std::string& name) {
  const std::string file = file_of(folder, name, ".pid");
  if (const auto text = read_small_file(file, 32)) {
    const std::string_view digits = trim(*text);
    pid_t pid = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    // A number alone could be somebody else's by now: its command names our file.
    const auto words = pid > 1 ? read_small_file("/proc/" + std::to_string(pid) + "/cmdline", 4'096)
                               : Result<std::string>{std::string{}};
    if (words && words->find(file) != std::string::npos) ::kill(pid, SIGKILL);
  }
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  std::filesystem::remove(file_of(folder, name, ".lease"), ignored);
}

}  // namespace beaconry
