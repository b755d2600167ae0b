#include "base/status_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace beaconry {
namespace {

constexpr int kBacklog = 16;
constexpr int kMostAtOnce = 16;
constexpr std::size_t kLongestDocument = std::size_t{4} << 20;
constexpr int kPatienceSeconds = 5;

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::usage, "use socket", path,
                "a socket's path has at most " + std::to_string(sizeof address.sun_path - 1) +
                    " characters");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

bool connects(const Fd& socket, const sockaddr_un& address) {
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Fd make_socket(int flags) {
  return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

}  // namespace

Result<std::unique_ptr<StatusSocket>> StatusSocket::open(const std::string& path,
                                                         const std::string& setting) {
  auto address = address_of(path);
  if (!address) return tl::unexpected<Error>(std::move(address.error()));
  Fd listener = make_socket(SOCK_NONBLOCK);
  if (!listener) return fail_errno("open socket", path);
  if (connects(make_socket(0), *address)) {
    return fail(ErrorKind::io, "open socket", path,
                "another program answers there; end it first, or name another " + setting);
  }
  struct stat present {};
  if (::lstat(path.c_str(), &present) == 0 && S_ISSOCK(present.st_mode)) ::unlink(path.c_str());
  const mode_t before = ::umask(0177);
  const int bound =
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  const int error = errno;
  ::umask(before);
  errno = error;
  if (bound != 0 || ::listen(listener.get(), kBacklog) != 0) return fail_errno("open socket", path);
  return std::unique_ptr<StatusSocket>(new StatusSocket(std::move(listener), path));
}

StatusSocket::~StatusSocket() {
  // Where the folder is not ours any more, the next start removes it.
  ::unlink(path_.c_str());
}

void StatusSocket::answer(const std::function<std::string()>& document) {
  std::string text;
  for (int i = 0; i < kMostAtOnce; ++i) {
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return;
    if (text.empty()) text = document();
    const int room = static_cast<int>(kLongestDocument);
    ::setsockopt(client.get(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    // What does not fit into the socket's buffer a client of ours would miss as an end too early.
    [[maybe_unused]] const ssize_t sent =
        ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
}

Result<std::string> ask_status(const std::string& path) {
  auto address = address_of(path);
  if (!address) return tl::unexpected<Error>(std::move(address.error()));
  const Fd socket = make_socket(0);
  const timeval patience{kPatienceSeconds, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (!socket || !connects(socket, *address)) {
    if (errno == ENOENT || errno == ECONNREFUSED) {
      return fail(ErrorKind::not_found, "ask", path, "nothing is running there");
    }
    return fail_errno("ask", path);
  }
  std::string text;
  char block[16 * 1024];
  for (;;) {
    const ssize_t got = ::recv(socket.get(), block, sizeof block, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("ask", path);
    if (got == 0) return text;
    text.append(block, static_cast<std::size_t>(got));
    if (text.size() > kLongestDocument) {
      return fail(ErrorKind::limit, "ask", path, "the answer is too long");
    }
  }
}

}  // namespace beaconry
