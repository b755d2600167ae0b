#include "base/privileges.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/fd.h"

namespace beaconry {
namespace {

constexpr unsigned kMostCapabilities = 64;

Result<void> become(const Account& account) {
  std::vector<gid_t> groups = account.groups;
  if (groups.empty()) groups.push_back(account.gid);
  if (::setgroups(groups.size(), groups.data()) != 0 ||
      ::setresgid(account.gid, account.gid, account.gid) != 0 ||
      ::setresuid(account.uid, account.uid, account.uid) != 0) {
    return fail_errno("become user", account.name);
  }
  return {};
}

Result<void> keep_capabilities(const std::vector<unsigned>& kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2]{};
  if (::syscall(SYS_capget, &header, data) != 0) return fail_errno("read", "capabilities");
  std::uint64_t mask = 0;
  for (const unsigned capability : kept)
    mask |= std::uint64_t{1} << capability;
  for (unsigned half = 0; half < 2; ++half) {
    data[half].permitted &= static_cast<std::uint32_t>(mask >> (32 * half));
    data[half].effective = data[half].permitted;
    data[half].inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, data) != 0) return fail_errno("give up", "capabilities");
  return {};
}

// While we still may: later nobody gets these back, by whatever program.
void drop_from_bounding_set(const std::vector<unsigned>& kept) {
  for (unsigned capability = 0; capability < kMostCapabilities; ++capability) {
    if (std::find(kept.begin(), kept.end(), capability) != kept.end()) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      break;  // not permitted, or past the last
  }
}

}  // namespace

Result<void> hand_over_folder(const std::string& folder, const Account& account) {
  for (std::size_t slash = folder.find('/', 1); slash != std::string::npos;
       slash = folder.find('/', slash + 1)) {
    if (::mkdir(folder.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno("make folder", folder.substr(0, slash));
    }
  }
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("make folder", folder);
  }
  const Fd opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) return fail_errno("open folder", folder);
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) return fail_errno("look at folder", folder);
  if ((status.st_mode & (S_ISVTX | S_IWOTH)) != 0) {
    return fail(ErrorKind::usage, "use folder", folder,
                "it is shared with others; name one of its own");
  }
  if (::geteuid() != 0) return {};
  if (::fchown(opened.get(), account.uid, account.gid) != 0) {
    return fail_errno("give folder to " + account.name, folder);
  }
  DIR* entries = ::fdopendir(::dup(opened.get()));
  if (entries == nullptr) return fail_errno("read folder", folder);
  Result<void> result;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (::fchownat(opened.get(), entry->d_name, account.uid, account.gid, AT_SYMLINK_NOFOLLOW) !=
        0) {
      result = fail_errno("give to " + account.name, folder + '/' + std::string(name));
      break;
    }
  }
  ::closedir(entries);
  return result;
}

Result<void> limit_capabilities(const std::vector<unsigned>& kept) {
  drop_from_bounding_set(kept);
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return fail_errno("give up", "ambient capabilities");
  }
  if (auto done = keep_capabilities(kept); !done) return done;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("set", "no_new_privs");
  return {};
}

Result<void> restrict_process(const Restrictions& restrictions) {
  const auto& kept = restrictions.capabilities;
  drop_from_bounding_set(kept);
  if (::geteuid() == 0) {
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return fail_errno("keep", "capabilities");
    if (auto done = become(restrictions.account); !done) return done;
    if (::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return fail_errno("keep", "capabilities");
  }
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return fail_errno("give up", "ambient capabilities");
  }
  if (auto done = keep_capabilities(kept); !done) return done;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("set", "no_new_privs");
  return allow_system_calls(restrictions.allowed);
}

}  // namespace beaconry
