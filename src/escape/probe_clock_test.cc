// What a probe does when the machine's clock jumps.
#include <gtest/gtest.h>

#include "escape/test_probe_faults.h"

namespace beaconry {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

using ProbeClock = test::SmallProbe;

TEST_F(ProbeClock, SetBackItDoesNotStopTheTries) {
  bool done = false;
  const Timestamp begun = link.now;
  link.turn = [&] {
    if (done || link.now < begun + minutes{5}) return;
    done = true;
    jumped = -hours{24};
  };
  run(minutes{20});
  EXPECT_GE(evidence.count("tried"), 18U);
  ASSERT_FALSE(lines.empty());
  EXPECT_LT(lines.back().substr(0, 19), to_rfc3339(begun).substr(0, 19)) << "but lines bear it";
}

TEST_F(ProbeClock, SetBackBehindTheEndDateItStaysSilent) {
  config.end = link.now + minutes{3};
  link.turn = [&] {
    if (link.now >= *config.end + minutes{1}) jumped = -hours{1};
  };
  run(minutes{30});
  ASSERT_FALSE(link.sent.empty());
  EXPECT_LT(link.sent.back().when, *config.end);
}

TEST_F(ProbeClock, SetBackBeforeTheEndDateThatDateStillComes) {
  config.end = link.now + minutes{5};
  link.turn = [&] { jumped = -hours{1}; };
  run(minutes{30});
  ASSERT_FALSE(link.sent.empty());
  EXPECT_LT(link.sent.back().when, *config.end + seconds{1});
}

TEST_F(ProbeClock, ARestartBehindTheRecordsTimeKeepsToTheEndDate) {
  config.end = link.now + minutes{5};
  evidence.latest = *config.end;
  run(minutes{4});
  EXPECT_TRUE(link.sent.empty());
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("silent"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
