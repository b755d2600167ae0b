#include "sensor/lxd_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/fd.h"
#include "base/text.h"
#include "http/target.h"
#include "sensor/console_text.h"

namespace beaconry::lxd {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr seconds kLook{10}, kSilence{15}, kPull{300};
constexpr std::size_t kMostConsole = 256 << 10;

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Takes the pieces of a file; ends with why it stopped, if it did.
class Taker {
 public:
  Taker(int fd, std::uint64_t most) : fd_(fd), most_(most) {}

  bool take(std::string_view piece) {
    const auto now = Clock::now();
    if (!piece.empty()) heard_ = now;
    if (now - heard_ > kSilence || now - began_ > kPull)
      return stop(ErrorKind::limit, "nothing more came in time");
    if (piece.size() > most_ - size_)
      return stop(ErrorKind::limit, "it is longer than " + with_thousands(most_) + " bytes");
    if (!write_all(fd_, piece)) {
      failure_ = fail_errno("", "").value();
      return false;
    }
    size_ += piece.size();
    return true;
  }
  std::uint64_t size() const { return size_; }
  const std::optional<Error>& failure() const { return failure_; }

 private:
  bool stop(ErrorKind kind, std::string why) {
    failure_ = Error{kind, "", "", std::move(why)};
    return false;
  }

  const int fd_;
  const std::uint64_t most_;
  std::uint64_t size_ = 0;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point heard_ = began_;
  std::optional<Error> failure_;
};

std::string header(const HttpResponse& response, const std::string& name) {
  std::string value(response.header("x-lxd-" + name));
  return value.empty() ? std::string(response.header("x-incus-" + name)) : value;
}

// The last bytes of a file, which may grow or be cut meanwhile.
Result<std::string> end_of(const std::string& path, std::size_t most) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat about {};
  if (!fd || ::fstat(fd.get(), &about) != 0) return fail_errno("read", path);
  if (!S_ISREG(about.st_mode)) return fail(ErrorKind::io, "read", path, "it is no file");
  const auto size = static_cast<std::size_t>(about.st_size);
  std::string out(std::min(size, most), '\0');
  const ssize_t count =
      ::pread(fd.get(), out.data(), out.size(), static_cast<off_t>(size - out.size()));
  if (count < 0) return fail_errno("read", path);
  out.resize(static_cast<std::size_t>(count));
  return out;
}

// LXC's configuration of the last start says where the console's file is.
std::string console_file(const std::string& lxc_conf) {
  std::string path;
  for (const std::string_view line : split(lxc_conf, '\n')) {
    const auto equals = line.find('=');
    if (equals != line.npos && trim(line.substr(0, equals)) == "lxc.console.logfile")
      path = trim(line.substr(equals + 1));
  }
  return path;
}

}  // namespace

Result<void> pull(const Connection& lxd, const Containers& containers, const std::string& name,
                  const std::string& path, const std::string& to, std::uint64_t most_bytes) {
  const std::string part = to + ".part";
  const auto no = [&](Error error) {
    ::unlink(part.c_str());
    return named(Result<void>(tl::unexpected(std::move(error))), "pull " + terminal_safe(path),
                 "of " + name);
  };
  if (const auto one = containers.one(name); !one) return no(one.error());
  ::unlink(part.c_str());
  const Fd fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno("make", part);
  Taker taker(fd.get(), most_bytes);
  const auto got = lxd.stream(
      make_request("GET", "/1.0/instances/" + name + "/files?path=" + percent_encoded(path)),
      [&](std::string_view piece) { return taker.take(piece); }, kSilence);
  if (taker.failure()) return no(*taker.failure());
  if (!got) return no(got.error());
  if (const std::string type = header(*got, "type"); type != "file")
    return no({ErrorKind::usage, "", "", "it is no file but a " + terminal_safe(type)});
  // A stream that breaks off is no error of its own.
  const auto announced = parse_unsigned(got->header("content-length"));
  if (announced && *announced != taker.size())
    return no({ErrorKind::io, "", "",
               "LXD broke off after " + with_thousands(taker.size()) + " of " +
                   with_thousands(*announced) + " bytes"});
  if (::fsync(fd.get()) != 0 || ::rename(part.c_str(), to.c_str()) != 0) {
    const Error error = fail_errno("", "").value();
    return no(error);
  }
  return {};
}

Result<std::string> console_log(const Connection& lxd, const Containers& containers,
                                const std::string& name, std::size_t most_bytes) {
  using Text = Result<std::string>;
  const auto no = [&](Error error) {
    return named(Text(tl::unexpected(std::move(error))), "read the log of", name);
  };
  if (const auto one = containers.one(name); !one) return no(one.error());
  const auto got = lxd.raw(make_request("GET", "/1.0/instances/" + name + "/logs/lxc.conf"), kLook);
  // LXD has the file of every start, and fails by another status where there was none yet.
  if (!got && (got.error().kind == ErrorKind::not_found ||
               got.error().cause.find("no such file") != std::string::npos)) {
    return no({ErrorKind::usage, "", "", "it has not started yet"});
  }
  if (!got) return no(got.error());
  const std::string path = console_file(got->body);
  if (path.empty()) return std::string();
  const auto written = end_of(path, kMostConsole);
  if (!written && written.error().kind == ErrorKind::not_found) return std::string();
  if (!written) return no({written.error().kind, "", "", written.error().message()});
  return console_text(*written, most_bytes);
}

}  // namespace beaconry::lxd
