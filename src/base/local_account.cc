#include <string_view>

#include "base/file.h"
#include "base/privileges.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestFile = 4 << 20;
constexpr std::uint64_t kNobody = 65'534, kMostId = 0xfffffffe;

// name:password:uid:gid:...
bool read_line(std::string_view line, Account& account) {
  const auto fields = split(line, ':');
  if (fields.size() < 4) return false;
  const auto uid = parse_unsigned(fields[2]), gid = parse_unsigned(fields[3]);
  if (!uid || !gid || *uid == 0 || *gid == 0 || *uid > kMostId || *gid > kMostId) return false;
  account = {std::string(fields[0]), static_cast<uid_t>(*uid), static_cast<gid_t>(*gid), {}};
  return true;
}

}  // namespace

Account find_local_account(const std::string& own) {
  const auto text = read_small_file("/etc/passwd", kLongestFile);
  Account account;
  for (const std::string& name : {own, std::string("beaconry"), std::string("nobody")}) {
    if (!text || name.empty()) continue;
    for (const std::string_view line : split(*text, '\n')) {
      if (line.starts_with(name + ':') && read_line(line, account)) return account;
    }
  }
  return {"nobody", static_cast<uid_t>(kNobody), static_cast<gid_t>(kNobody), {}};
}

}  // namespace beaconry
