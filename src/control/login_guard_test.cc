#include "control/login_guard.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using std::chrono::seconds;

const Timestamp kNow{seconds{1'800'000'000}};
const IpAddress kHere = *IpAddress::parse("192.0.2.1"), kThere = *IpAddress::parse("192.0.2.2");

// Tries until one is not looked at; how many were.
unsigned tries(LoginGuard& guard, const std::string& user, const IpAddress& address,
               Timestamp at = kNow) {
  unsigned count = 0;
  while (count < 1000 && guard.begin(user, address, at) == seconds{})
    ++count;
  return count;
}

TEST(LoginGuard, EachFailureAfterTheFifthDoublesTheWait) {
  LoginGuard guard;
  EXPECT_EQ(tries(guard, "anna", kHere), 5U);
  Timestamp at = kNow;
  for (const int wait : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900}) {
    EXPECT_EQ(guard.begin("anna", kHere, at), seconds{wait});
    at += seconds{wait};
    EXPECT_EQ(guard.begin("anna", kHere, at), seconds{});
  }
}

TEST(LoginGuard, AnAddressWaitsWhateverUserItTries) {
  LoginGuard guard;
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(guard.begin("user" + std::to_string(i), kHere, kNow), seconds{});
  EXPECT_EQ(guard.begin("anna", kHere, kNow), seconds{1});
  EXPECT_EQ(guard.begin("anna", kThere, kNow), seconds{});
  // Whoever has one address of a /64 has them all.
  const auto v6 = [](const char* text) { return *IpAddress::parse(text); };
  EXPECT_EQ(tries(guard, "bob", v6("2001:db8::1")), 5U);
  EXPECT_EQ(tries(guard, "eve", v6("2001:db8::2")), 0U);
  EXPECT_EQ(tries(guard, "eve", v6("2001:db8:0:1::2")), 5U);
}

TEST(LoginGuard, AUserWhoIsTriedFromEverywhereWaitsHalfAMinuteAtMost) {
  LoginGuard guard;
  seconds most{};
  Timestamp at = kNow;
  for (std::uint32_t i = 0; i < 50; ++i, at += seconds{30}) {
    const IpAddress from = IpAddress::v4(0x0A00'0000 + i);
    most = std::max(most, guard.begin("anna", from, at));
    guard.begin("anna", from, at + seconds{30});
  }
  EXPECT_EQ(most, seconds{30});
}

TEST(LoginGuard, WhoHasLoggedInFromHereIsNotLockedOutByOthers) {
  LoginGuard guard;
  EXPECT_EQ(guard.begin("anna", kHere, kNow), seconds{});
  guard.succeeded("anna", kHere, kNow);
  EXPECT_EQ(tries(guard, "anna", kThere), 5U);  // somebody else
  EXPECT_EQ(tries(guard, "eve", kHere), 5U);    // and one beside her
  EXPECT_EQ(guard.begin("anna", kHere, kNow), seconds{});
}

TEST(LoginGuard, AnOwnAccountIsNoWayToGoOnWithAnothers) {
  LoginGuard guard;
  unsigned looked_at = 0;
  for (int round = 0; round < 20; ++round) {
    if (guard.begin("admin", kHere, kNow) == seconds{}) ++looked_at;
    if (guard.begin("eve", kHere, kNow) == seconds{}) guard.succeeded("eve", kHere, kNow);
  }
  EXPECT_LE(looked_at, 5U);
}

TEST(LoginGuard, ForgetsAfterADay) {
  LoginGuard guard;
  EXPECT_EQ(tries(guard, "anna", kHere), 5U);
  EXPECT_EQ(tries(guard, "anna", kHere, kNow + std::chrono::hours{25}), 5U);
}

}  // namespace
}  // namespace beaconry
