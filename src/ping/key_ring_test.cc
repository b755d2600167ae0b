#include "ping/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ping/test_pings.h"

namespace beaconry {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::HasSubstr;

const Timestamp kNow = *parse_rfc3339("2026-11-21T18:00:00Z");

KnownProbe known(std::uint8_t number) {
  const PartyKeys keys = party(number);
  return {keys.id(), "probe " + std::to_string(number), keys.box_public(), keys.sign_public()};
}

// Home is party 0, probes are 1 to `probes`.
KeyRing ring_of(int probes) {
  std::vector<KnownProbe> all;
  for (int i = 1; i <= probes; ++i)
    all.push_back(known(static_cast<std::uint8_t>(i)));
  return std::move(*KeyRing::make(party(0), std::move(all)));
}

Bytes ping_of(std::uint8_t number, Timestamp sent, ProbeId says) {
  Ping ping = sample_ping();
  ping.probe = says;
  ping.sent = sent;
  return seal(ping, *SharedKey::make(party(number), party(0).box_public()));
}
Bytes ping_of(std::uint8_t number, Timestamp sent = kNow) {
  return ping_of(number, sent, party(number).id());
}

TEST(KeyRing, TellsWhosePingItIs) {
  KeyRing ring = ring_of(5);
  for (std::uint8_t i = 1; i <= 5; ++i) {
    const auto opened = ring.open(ping_of(i), kNow);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->ping.sequence, 1042U);
    EXPECT_EQ(opened->probe->id, party(i).id());
    EXPECT_EQ(opened->key, ring.key_of(party(i).id()));
  }
  EXPECT_FALSE(ring.open(ping_of(6), kNow).has_value());
  EXPECT_EQ(ring.key_of(party(6).id()), nullptr);
}

TEST(KeyRing, RefusesAPingThatBearsAnotherProbesName) {
  KeyRing ring = ring_of(2);
  EXPECT_FALSE(ring.open(ping_of(1, kNow, party(2).id()), kNow).has_value());
}

TEST(KeyRing, OpensAnAnswerToAPingOfOurs) {
  auto ring = KeyRing::make(party(4), {known(1)});
  Ping ping = sample_ping();
  ping.leg = Leg::reply;
  ping.probe = party(4).id();
  const auto key = *SharedKey::make(party(1), party(4).box_public());
  EXPECT_TRUE(ring->open(seal(ping, key), kNow).has_value());
  ping.leg = Leg::outbound;
  EXPECT_FALSE(ring->open(seal(ping, key), kNow).has_value());
}

TEST(KeyRing, FollowsTheDay) {
  KeyRing ring = ring_of(3);
  for (int day = 0; day < 3; ++day)
    EXPECT_TRUE(ring.open(ping_of(2, kNow + days{day}), kNow + days{day}).has_value());
}

TEST(KeyRing, KnowsGhostsByTheirHint) {
  KeyRing ring = ring_of(100);
  const Bytes stray = ping_of(1, kNow - days{4000});
  while (ring.tries_refused() == 0)
    (void)ring.open(stray, kNow);
  EXPECT_TRUE(ring.open(ping_of(2, kNow - days{KeyRing::kDaysBack}), kNow).has_value());
  EXPECT_TRUE(ring.open(ping_of(2, kNow + days{KeyRing::kDaysAhead}), kNow).has_value());
  EXPECT_FALSE(ring.open(ping_of(2, kNow - days{KeyRing::kDaysBack + 1}), kNow).has_value());
}

TEST(KeyRing, TriesEveryKeyOfAClockThatIsFarOffButNotForEver) {
  KeyRing ring = ring_of(100);
  const Bytes stray = ping_of(100, kNow - days{4000});
  int opened = 0;
  for (int i = 0; i < 50; ++i)
    opened += ring.open(stray, kNow).has_value() ? 1 : 0;
  EXPECT_EQ(opened, KeyRing::kTriesASecond / 100);
  EXPECT_EQ(ring.tries_refused(), 50U - 20U);
  EXPECT_TRUE(ring.open(ping_of(1), kNow).has_value()) << "whose hint is known costs no try";
  EXPECT_TRUE(ring.open(stray, kNow + std::chrono::seconds{1}).has_value());
}

TEST(KeyRing, OpensPingsOfRetiredProbesToo) {
  KnownProbe probe = known(1);
  probe.retired = true;
  auto ring = KeyRing::make(party(0), {probe});
  const auto opened = ring->open(ping_of(1), kNow);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->probe->retired);
}

TEST(KeyRing, FindsTokensOfItsHours) {
  KeyRing ring = ring_of(3);
  const auto key = *SharedKey::make(party(2), party(0).box_public());
  const auto hour = std::chrono::floor<hours>(kNow).time_since_epoch().count();
  for (const int off : {-26, -1, 0, 1, 26}) {
    const auto found = ring.find_token(bounce_token(key, hour + off, BounceForm::syn, 50), kNow);
    ASSERT_TRUE(found.has_value()) << off;
    EXPECT_EQ(found->probe->id, party(2).id());
    EXPECT_EQ(found->form, BounceForm::syn);
    EXPECT_EQ(found->neighbour, 50);
    EXPECT_EQ(found->hour, kNow + hours{off});
  }
  for (const int off : {-27, 27})
    EXPECT_FALSE(
        ring.find_token(bounce_token(key, hour + off, BounceForm::syn, 50), kNow).has_value());
  const auto strange = *SharedKey::make(party(9), party(0).box_public());
  EXPECT_FALSE(ring.find_token(bounce_token(strange, hour, BounceForm::echo, 1), kNow).has_value());
}

TEST(KeyRing, FindsNothingWithoutProbes) {
  KeyRing ring = ring_of(0);
  EXPECT_FALSE(ring.open(ping_of(1), kNow).has_value());
  EXPECT_FALSE(ring.open({}, kNow).has_value());
  EXPECT_FALSE(ring.find_token({1, 2}, kNow).has_value());
}

TEST(KeyRing, RefusesProbesThatCannotBe) {
  KnownProbe other = known(1);
  other.id = party(2).id();
  EXPECT_THAT(KeyRing::make(party(0), {other}).error().message(), HasSubstr("another probe's"));
  EXPECT_THAT(KeyRing::make(party(0), {known(1), known(1)}).error().message(), HasSubstr("twice"));
  KnownProbe weak;
  weak.id = probe_id(weak.box_public);
  EXPECT_THAT(KeyRing::make(party(0), {weak}).error().message(), HasSubstr("weak"));
  EXPECT_EQ(KeyRing::make(party(0), std::vector<KnownProbe>(KeyRing::kMostProbes + 1)).error().kind,
            ErrorKind::limit);
}

}  // namespace
}  // namespace beaconry
