#include "base/privileges.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "base/fd.h"

namespace beaconry {
namespace {

// Runs in a process of its own: what is given up does not come back. The child ends without the
// sanitizers' leak check, which starts a tracer.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

constexpr int kSkip = 77;

int restricted(const std::vector<unsigned>& kept, const std::vector<SystemCallGroup>& allowed,
               const std::function<int()>& body) {
  return in_child([&] {
    const auto account = find_account("nobody");
    if (!account) return kSkip;
    if (const auto done = restrict_process({*account, kept, allowed}); !done) {
      ::dprintf(STDERR_FILENO, "%s\n", done.error().message().c_str());
      return 99;
    }
    return body();
  });
}

TEST(Privileges, a_local_account_is_found_without_a_name_service_and_is_never_root) {
  const Account account = find_local_account("root");
  EXPECT_NE(account.uid, 0U);
  EXPECT_NE(account.gid, 0U);
  const Account nobody = find_local_account("");
  if (const auto known = find_account("nobody")) {
    EXPECT_EQ(nobody.uid, known->uid);
  }
}

TEST(Privileges, uid_capabilities_and_new_privileges_go) {
  const bool root = ::geteuid() == 0;
  const int result = restricted({CAP_NET_ADMIN}, {SystemCallGroup::basic}, [] {
    if (::geteuid() == 0 || ::getuid() == 0 || ::getgid() == 0) return 1;
    if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 2;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    if (::syscall(SYS_capget, &header, data) != 0) return 3;
    if ((data[0].permitted & ~(1U << CAP_NET_ADMIN)) != 0 || data[1].permitted != 0) return 4;
    return data[0].effective == data[0].permitted ? static_cast<int>(data[0].effective != 0) + 10
                                                  : 5;
  });
  EXPECT_EQ(result, root ? 11 : 10);
}

TEST(Privileges, calls_outside_the_groups_fail_and_the_program_goes_on) {
  EXPECT_EQ(restricted({}, {SystemCallGroup::basic},
                       [] {
                         char* const none[] = {nullptr};
                         if (::execve("/bin/true", none, none) != -1 || errno != EPERM) return 1;
                         if (::socket(AF_INET, SOCK_STREAM, 0) != -1 || errno != EPERM) return 2;
                         return 0;
                       }),
            0);
}

TEST(Privileges, threads_and_files_work_as_before) {
  EXPECT_EQ(restricted({}, {SystemCallGroup::basic, SystemCallGroup::network},
                       [] {
                         int result = 1;
                         std::thread([&] { result = 0; }).join();
                         const Fd file(::open("/dev/null", O_WRONLY | O_CLOEXEC));
                         const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
                         if (!file || !socket) return 2;
                         return result;
                       }),
            0);
}

TEST(Privileges, packet_sockets_and_program_loading_are_in_no_group) {
  EXPECT_EQ(restricted({CAP_NET_RAW, CAP_BPF},
                       {SystemCallGroup::basic, SystemCallGroup::network, SystemCallGroup::bpf},
                       [] {
                         if (::socket(AF_PACKET, SOCK_RAW, 0) != -1 || errno != EPERM) return 1;
                         bpf_attr none{};
                         if (::syscall(SYS_bpf, BPF_PROG_LOAD, &none, sizeof none) != -1 ||
                             errno != EPERM) {
                           return 2;
                         }
                         // Asked of a map that is none: the kernel's own answer.
                         if (::syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &none, sizeof none) != -1) {
                           return 3;
                         }
                         return errno == EPERM ? 4 : 0;
                       }) %
                4,  // without CAP_BPF the kernel itself refuses
            0);
}

TEST(Privileges, a_refused_call_is_named_once) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  EXPECT_EQ(restricted({}, {SystemCallGroup::basic},
                       [&] {
                         ::dup2(pipe_ends[1], STDERR_FILENO);
                         for (int i = 0; i < 3; ++i)
                           ::syscall(SYS_sync);
                         return 0;
                       }),
            0);
  ::close(pipe_ends[1]);
  std::string said(1000, '\0');
  said.resize(static_cast<std::size_t>(::read(pipe_ends[0], said.data(), said.size())));
  ::close(pipe_ends[0]);
  EXPECT_EQ(said, "refused system call " + std::string(9 - std::to_string(SYS_sync).size(), ' ') +
                      std::to_string(SYS_sync) + " : not one that this program needs\n");
}

TEST(Privileges, namespaces_cannot_be_made) {
  EXPECT_EQ(restricted({CAP_SYS_ADMIN}, {SystemCallGroup::basic},
                       [] {
                         // CLONE_NEWUSER, CLONE_NEWNET
                         if (::syscall(SYS_clone, 0x10000000 | SIGCHLD, 0, 0, 0, 0) != -1) return 1;
                         if (::syscall(SYS_unshare, 0x40000000) != -1) return 2;
                         return errno == EPERM ? 0 : 3;
                       }),
            0);
}

TEST(Account, root_and_nobody_of_that_name_are_refused) {
  EXPECT_FALSE(find_account("root"));
  EXPECT_FALSE(find_account("no-such-user-here"));
  EXPECT_TRUE(find_account(""));
  EXPECT_EQ(find_account("", "no-such-user-here")->uid, find_account("")->uid);
  EXPECT_EQ(find_account("", "daemon")->name, "daemon");
  EXPECT_EQ(find_account("nobody", "daemon")->name, "nobody");
}

TEST(HandOverFolder, is_made_private_and_given_away_with_its_files_but_not_what_links_point_to) {
  std::string base = ::testing::TempDir() + "hand_over_XXXXXX";
  ASSERT_NE(::mkdtemp(base.data()), nullptr);
  const auto account = find_account("nobody");
  ASSERT_TRUE(account);
  const std::string folder = base + "/a/b/spool";
  ASSERT_TRUE(hand_over_folder(folder, *account));
  std::ofstream(folder + "/file") << "x";
  std::ofstream(base + "/outside") << "x";
  ASSERT_EQ(::symlink((base + "/outside").c_str(), (folder + "/link").c_str()), 0);
  ASSERT_TRUE(hand_over_folder(folder, *account));
  ASSERT_EQ(::mkdir((base + "/shared").c_str(), 0700), 0);
  ASSERT_EQ(::chmod((base + "/shared").c_str(), 01777), 0);
  EXPECT_FALSE(hand_over_folder(base + "/shared", *account));
  struct stat status {};
  ASSERT_EQ(::stat(folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  if (::geteuid() == 0) {
    EXPECT_EQ(status.st_uid, account->uid);
    ASSERT_EQ(::stat((folder + "/file").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, account->uid);
    ASSERT_EQ(::stat((base + "/outside").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 0U);
  }
}

}  // namespace
}  // namespace beaconry
