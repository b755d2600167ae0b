#include "ping/replay_window.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

namespace beaconry {
namespace {

constexpr ProbeId kProbe{7};

RC_GTEST_PROP(ReplayWindow, SaysAsASetWouldWithinItsWindow, ()) {
  ReplayWindow window;
  std::set<std::uint64_t> seen;
  const auto start = *rc::gen::arbitrary<std::uint64_t>();
  const auto steps = *rc::gen::container<std::vector<std::uint64_t>>(
      rc::gen::element<std::uint64_t>(0, 1, 2, 63, 64, 65, 1000, 65'535, 65'536, 65'537, 200'000,
                                      std::uint64_t{0} - 1, std::uint64_t{0} - 65'535));
  std::uint64_t at = start;
  for (const std::uint64_t step : steps) {
    at += step;
    const bool too_old =
        !seen.empty() && *seen.rbegin() >= at && *seen.rbegin() - at >= ReplayWindow::kWindow;
    const bool expected = !too_old && seen.count(at) == 0;
    RC_ASSERT(window.add(kProbe, at, Leg::outbound) == expected);
    seen.insert(at);
  }
}

TEST(ReplayWindow, KeepsProbesAndLegsApart) {
  ReplayWindow window;
  EXPECT_TRUE(window.add(kProbe, 5, Leg::outbound));
  EXPECT_TRUE(window.add(kProbe, 5, Leg::confirmed));
  EXPECT_TRUE(window.add(ProbeId{8}, 5, Leg::outbound));
  EXPECT_FALSE(window.add(kProbe, 5, Leg::outbound));
  EXPECT_FALSE(window.add(kProbe, 5, Leg::confirmed));
}

TEST(ReplayWindow, ForgetsTheProbeThatItDidNotHearForLongest) {
  ReplayWindow window;
  for (std::uint64_t i = 0; i < ReplayWindow::kMostProbes; ++i)
    ASSERT_TRUE(window.add(ProbeId{i}, 1, Leg::outbound));
  EXPECT_FALSE(window.add(ProbeId{0}, 1, Leg::outbound));  // heard again: 1 is the oldest now
  EXPECT_TRUE(window.add(ProbeId{1'000'000}, 1, Leg::outbound));
  EXPECT_FALSE(window.add(ProbeId{0}, 1, Leg::outbound));
  EXPECT_TRUE(window.add(ProbeId{1}, 1, Leg::outbound));
}

}  // namespace
}  // namespace beaconry
