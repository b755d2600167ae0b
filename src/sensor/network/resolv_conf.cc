#include "sensor/network/resolv_conf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostBytes = 65'536;

}  // namespace

bool ResolvConf::is_link() const {
  struct stat status {};
  return ::lstat(path_.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

Result<std::optional<std::string>> ResolvConf::read() const {
  if (is_link()) return std::optional<std::string>();
  auto text = read_small_file(path_, kMostBytes);
  if (text) return std::optional<std::string>(std::move(*text));
  if (text.error().kind == ErrorKind::not_found) return std::optional<std::string>();
  return tl::unexpected<Error>(text.error());
}

Result<void> ResolvConf::write(const std::string& text) const {
  const Fd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return fail_errno("write", path_);
  // The shorter rest is cut last: who reads meanwhile finds a name server at any time.
  if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0 || ::fsync(file.get()) != 0)
    return fail_errno("write", path_);
  return {};
}

Result<void> ResolvConf::set_servers(const std::vector<std::string>& servers) const {
  if (is_link())
    return fail(ErrorKind::usage, "write", path_,
                "it is a link that another program keeps: make it a file, or leave resolvers out");
  const auto had = read();
  if (!had) return tl::unexpected<Error>(had.error());
  std::string text;
  for (const std::string& one : servers)
    text += "nameserver " + one + '\n';
  const std::string before = had->value_or("");
  for (const std::string_view line : split(before, '\n')) {
    if (!line.empty() && !trim(line).starts_with("nameserver")) text += std::string(line) + '\n';
  }
  return text == before ? Result<void>() : write(text);
}

Result<void> ResolvConf::put_back(const std::optional<std::string>& text) const {
  if (is_link()) return {};  // was never written
  const auto is = read();
  if (!is) return tl::unexpected<Error>(is.error());
  if (*is == text) return {};
  if (text) return write(*text);
  // An empty one, where none may be removed, says the same as none.
  return ::unlink(path_.c_str()) == 0 ? Result<void>() : write("");
}

}  // namespace beaconry
