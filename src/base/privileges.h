#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/system_calls.h"

namespace beaconry {

// Who a program becomes once it has what it needs.
struct Account {
  std::string name;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups{};  // all of them, as the system knows them; empty: gid alone
};

// The account `wanted`; of an empty name the first that exists of the program's own (`own`, as
// packages make it; may be empty), "beaconry" and "nobody". Refuses accounts of uid 0.
Result<Account> find_account(const std::string& wanted, const std::string& own = {});

// The same for a program that must run without the C library's name service, wherever there is a
// kernel: `own`, "beaconry" or "nobody" of /etc/passwd, else uid and gid 65534. Never uid 0.
Account find_local_account(const std::string& own);

// Makes the folder with mode 0700 if it is missing (its parents with 0755) and, run by root, gives
// it and the files directly in it to the account, so that it can be used after
// restrict_process(). Links in it are not followed; a folder that everybody may write to is
// refused.
Result<void> hand_over_folder(const std::string& folder, const Account& account);

struct Restrictions {
  Account account;                     // taken only if we are root: others stay who they are
  std::vector<unsigned> capabilities;  // to keep, if we have them: CAP_… of linux/capability.h
  std::vector<SystemCallGroup> allowed{SystemCallGroup::basic};
};

// Gives up for good what is not needed any more: uid 0, capabilities (bounding and ambient sets
// too), new privileges by programs that are started, and all system calls but the allowed groups.
// A refused call fails with EPERM and is named once on standard error. To be called before threads
// are started that must keep a capability: threads that are already there lose all of them when
// root's uid goes, and get the same filter. Errors leave the process perhaps half restricted: end.
Result<void> restrict_process(const Restrictions& restrictions);

// For a program that must stay root and start others: it and all that it starts keep these
// capabilities at most, and nothing that it starts gets new privileges. No system call is refused.
// To be called before threads are started.
Result<void> limit_capabilities(const std::vector<unsigned>& kept);

}  // namespace beaconry
