#include "home/probe_book.h"

#include <gtest/gtest.h>

#include "ping/test_pings.h"

namespace beaconry {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp kNow{seconds{1'700'000'000}};

class ProbeBookTest : public testing::Test {
 protected:
  void SetUp() override {
    const PartyKeys keys = party(1);
    book_.know({{keys.id(), "cell 7", keys.box_public(), keys.sign_public(), false}});
  }
  static Ping ping(std::uint64_t sequence, Timestamp sent) {
    Ping ping = sample_ping();
    ping.sequence = sequence;
    ping.sent = sent;
    return ping;
  }
  ProbeBook book_{3, 5};
};

TEST_F(ProbeBookTest, AClockThatIsDaysOffBecomesKnown) {
  const hours off{72};
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const Timestamp received = kNow + seconds{static_cast<std::int64_t>(i)};
    const auto heard = book_.hear(ping(i, received - off), received);
    EXPECT_TRUE(heard.first);
    EXPECT_EQ(heard.fresh, i >= ProbeBook::kAgreeing) << i;
  }
  // What that clock said an hour ago is an hour old.
  EXPECT_FALSE(book_.hear(ping(30, kNow - off - hours{1}), kNow).fresh);
}

TEST_F(ProbeBookTest, OneOldPingDoesNotMoveAKnownClock) {
  for (std::uint64_t i = 1; i <= 10; ++i)
    (void)book_.hear(ping(i, kNow), kNow);
  EXPECT_FALSE(book_.hear(ping(11, kNow - hours{5}), kNow).fresh);
  EXPECT_TRUE(book_.hear(ping(12, kNow), kNow + minutes{9}).fresh);
}

TEST_F(ProbeBookTest, RepeatsAreKnownAndKeptUpToABound) {
  EXPECT_TRUE(book_.hear(ping(1, kNow), kNow).first);
  unsigned kept = 0;
  for (int i = 0; i < 100; ++i) {
    const auto heard = book_.hear(ping(1, kNow), kNow);
    EXPECT_FALSE(heard.first);
    if (heard.keep) ++kept;
  }
  EXPECT_EQ(kept, 5U);
  EXPECT_EQ(book_.find(party(1).id())->repeats, 100U);
  EXPECT_TRUE(book_.hear(ping(1, kNow), kNow + minutes{1}).keep);
}

TEST_F(ProbeBookTest, AnswersAreLimitedForEachProbe) {
  const ProbeId probe = party(1).id();
  unsigned answers = 0;
  for (int i = 0; i < 10; ++i) {
    if (book_.may_answer(probe, kNow)) ++answers;
  }
  EXPECT_EQ(answers, 3U);
  EXPECT_TRUE(book_.may_answer(probe, kNow + seconds{1}));
  EXPECT_FALSE(book_.may_answer(party(2).id(), kNow));
}

TEST_F(ProbeBookTest, ProbesThatAreNotKnownAnyMoreAreForgotten) {
  book_.know({});
  EXPECT_EQ(book_.find(party(1).id()), nullptr);
}

}  // namespace
}  // namespace beaconry
