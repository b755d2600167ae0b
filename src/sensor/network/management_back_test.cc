// What goes back, whatever happens.
#include <gmock/gmock.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "sensor/network/test_management.h"

namespace beaconry::test_machine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using State = ManagementReport::State;

TEST_F(ManagementNetwork, GoesBackUnlessItIsConfirmed) {
  const auto wished = whole_wish();
  work(wished, 4);
  pass(wished, 4, 29);
  EXPECT_EQ(management_->report().state, State::trial);
  pass(wished, 4, 1);
  EXPECT_EQ(network(), before_);
  const auto report = management_->report();
  EXPECT_EQ(report.state, State::reverted);
  EXPECT_EQ(report.reason, "not confirmed within 30 s");
  EXPECT_EQ(management_->health()->state, HealthState::degraded);
  EXPECT_FALSE(management_->confirm(4, clock_));
  // Not tried again, whatever version brings it, also by another daemon; another one is.
  pass(wished, 5, 10);
  restart();
  pass(wished, 5, 10);
  EXPECT_EQ(network(), before_);
  auto other = wished;
  other.confirm_within = 60;
  work(other, 6);
  EXPECT_EQ(management_->report().state, State::trial);
}

TEST_F(ManagementNetwork, IsNotConfirmedByAClockThatIsSet) {
  const auto wished = whole_wish();
  work(wished, 4);
  clock_ += std::chrono::hours{24 * 365};
  work(wished, 4);
  EXPECT_EQ(management_->report().state, State::trial);
  clock_ -= std::chrono::hours{24 * 365 * 2};
  work(wished, 4);
  pass(wished, 4, 31);
  EXPECT_EQ(management_->report().state, State::reverted);
  EXPECT_EQ(network(), before_);
}

TEST_F(ManagementNetwork, GoesBackAtTheNextStart) {
  work(whole_wish(), 4);
  restart();
  EXPECT_EQ(network(), before_);
  EXPECT_EQ(management_->report().state, State::reverted);
  EXPECT_THAT(management_->report().reason, HasSubstr("ended before it was confirmed"));
  pass(whole_wish(), 4, 10);
  EXPECT_EQ(network(), before_);
}

TEST_F(ManagementNetwork, OfABootBeforeOnlyTheResolversComeBack) {
  work(whole_wish(), 4);
  management_.reset();
  // The machine's own tools set another than was there at the last boot.
  ASSERT_TRUE(
      shell("ip addr flush dev eth0 && ip addr add 10.0.5.5/24 dev eth0 && "
            "ip link set eth0 mtu 1500 && ip route add default via 10.0.5.1 dev eth0"));
  const std::string resolvers = "search example.org\nnameserver 10.0.0.1\n";
  ASSERT_NE(read_small_file(conf(), 4'096).value_or(""), resolvers);
  boot_ = "two";
  const std::string booted = output_of("ip addr show dev eth0; ip route");
  restart();
  EXPECT_EQ(output_of("ip addr show dev eth0; ip route"), booted);
  EXPECT_EQ(read_small_file(conf(), 4'096).value_or(""), resolvers);
  EXPECT_EQ(management_->report().state, State::reverted);
  pass(whole_wish(), 4, 10);
  EXPECT_EQ(output_of("ip addr show dev eth0; ip route"), booted);
}

TEST_F(ManagementNetwork, OfABootBeforeTheOneThatWasConfirmedIsSet) {
  const auto first = whole_wish();
  work(first, 4);
  ASSERT_TRUE(management_->confirm(4, clock_));
  const std::string after = network();
  work(wish({"10.0.9.5/24"}, {"10.0.9.1"}), 5);
  management_.reset();
  ASSERT_TRUE(shell("ip addr flush dev eth0 && ip addr add 10.0.5.5/24 dev eth0"));
  boot_ = "two";
  restart();
  EXPECT_EQ(network(), after);
}

TEST_F(ManagementNetwork, GoesBackToTheOneBeforeThatWasConfirmed) {
  const auto first = whole_wish();
  work(first, 4);
  ASSERT_TRUE(management_->confirm(4, clock_));
  const std::string after = network();
  const auto second = wish({"10.0.9.5/24"}, {"10.0.9.1"});
  work(second, 5);
  EXPECT_THAT(management_->report().addresses, ElementsAre("10.0.9.5/24"));
  pass(second, 5, 31);
  EXPECT_EQ(network(), after);
  EXPECT_EQ(management_->report().state, State::reverted);
  // And is confirmed without a trial when it is wished again.
  work(first, 6);
  EXPECT_EQ(management_->report().state, State::confirmed);
  EXPECT_EQ(network(), after);
}

TEST_F(ManagementNetwork, GoesBackWhenItIsWishedForNoMore) {
  work(whole_wish(), 4);
  work(std::nullopt, 5);
  EXPECT_EQ(network(), before_);
  EXPECT_EQ(management_->report().state, State::none);
  EXPECT_FALSE(management_->health());
}

TEST_F(ManagementNetwork, IsNotTouchedForAnInterfaceThatIsNotThere) {
  auto wished = wish({"10.0.7.5/24"});
  wished.interface = "eth7";
  work(wished, 4);
  EXPECT_EQ(network(), before_);
  EXPECT_EQ(management_->report().state, State::reverted);
  EXPECT_THAT(management_->report().reason, HasSubstr("eth7: it is not there"));
}

TEST_F(ManagementNetwork, GoesBackAtOnceWhereItCannotBeSet) {
  ASSERT_TRUE(replace_file(folder_ + "/kept", "nameserver 10.0.0.1\n"));
  std::filesystem::remove(conf());
  std::filesystem::create_symlink(folder_ + "/kept", conf());
  before_ = network();
  work(whole_wish(), 4);
  EXPECT_EQ(network(), before_);
  EXPECT_EQ(management_->report().state, State::reverted);
  EXPECT_THAT(management_->report().reason, HasSubstr("another program keeps"));
  EXPECT_EQ(read_small_file(folder_ + "/kept", 4'096).value_or(""), "nameserver 10.0.0.1\n");
}

TEST_F(ManagementNetwork, GoesBackOnceTheInterfaceIsThereAgain) {
  const auto wished = whole_wish();
  work(wished, 4);
  ASSERT_TRUE(shell("ip link set eth0 name away"));
  pass(wished, 4, 31);
  EXPECT_EQ(management_->report().state, State::reverted);
  EXPECT_EQ(management_->health()->state, HealthState::failed);
  ASSERT_TRUE(shell("ip link set away down && ip link set away name eth0 && ip link set eth0 up"));
  pass(wished, 4, 6);
  EXPECT_EQ(network(), before_);
  EXPECT_EQ(management_->health()->state, HealthState::degraded);
}

// Runs `work` in a child that is killed at its `turn`-th system call of those that change
// something. False: it came to its end before.
bool killed_in(int turn, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
    ::raise(SIGSTOP);
    work();
    ::_exit(0);
  }
  int status = 0, count = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSTOPPED(status)) << "it cannot be traced";
  if (!WIFSTOPPED(status)) return false;
  bool inside = false;
  while (true) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) return false;
    if (WSTOPSIG(status) != SIGTRAP) continue;
    inside = !inside;
    if (!inside) continue;
    user_regs_struct registers{};
    ::ptrace(PTRACE_GETREGS, child, nullptr, &registers);
    const auto call = static_cast<long>(registers.orig_rax);
    const bool changes =
        call == SYS_sendto || call == SYS_rename || call == SYS_pwrite64 || call == SYS_ftruncate;
    if (!changes || ++count < turn) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return true;
  }
}

TEST_F(ManagementNetwork, GoesBackWhereverItWasKilled) {
  auto wished = whole_wish();
  if (has_vlans()) wished.vlan = 5;
  management_.reset();
  int kills = 0;
  for (int turn = 1;; ++turn) {
    const bool killed = killed_in(turn, [&] {
      auto opened = Management::open(options(), clock_);
      if (!opened) return;
      (*opened)->work(wished, 4, clock_);
      // Also in the middle of going back.
      for (int i = 0; i < 4; ++i)
        (*opened)->work(wished, 4, clock_ += std::chrono::seconds{9});
    });
    restart();
    ASSERT_EQ(network(), before_) << "killed at " << turn;
    management_.reset();
    std::filesystem::remove_all(folder_ + "/state");
    if (!killed) break;
    ++kills;
  }
  EXPECT_GT(kills, 30);
}

}  // namespace
}  // namespace beaconry::test_machine
