// Apart from privileges.cc: static programs that ask no name service must not link it.
#include <grp.h>
#include <pwd.h>

#include <cerrno>

#include "base/privileges.h"

namespace beaconry {
namespace {

constexpr int kMostGroups = 256;

}  // namespace

Result<Account> find_account(const std::string& wanted, const std::string& own) {
  std::vector<std::string> names{wanted};
  if (wanted.empty()) {
    names = {"beaconry", "nobody"};
    if (!own.empty()) names.insert(names.begin(), own);
  }
  for (const std::string& name : names) {
    errno = 0;
    const passwd* entry = ::getpwnam(name.c_str());
    if (entry == nullptr) continue;
    if (entry->pw_uid == 0) {
      return fail(ErrorKind::usage, "run as user", name, "that is root; name another");
    }
    Account account{name, entry->pw_uid, entry->pw_gid, {}};
    int count = kMostGroups;
    account.groups.resize(kMostGroups);
    if (::getgrouplist(name.c_str(), account.gid, account.groups.data(), &count) < 0) {
      return fail(ErrorKind::limit, "run as user", name, "it is in too many groups");
    }
    account.groups.resize(static_cast<std::size_t>(count));
    return account;
  }
  return fail(ErrorKind::not_found, "run as user", names.front(),
              "no such user; make it with 'useradd --system " + names.front() +
                  "', or name another in data_plane.user");
}

}  // namespace beaconry
