#include "series/check_in_log.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace beaconry {
namespace {

bool same(const CheckIn& a, const CheckIn& b) {
  return a.time == b.time && a.span == b.span && a.connections == b.connections &&
         a.inside_flow == b.inside_flow && a.bytes_out == b.bytes_out && a.bytes_in == b.bytes_in;
}

RC_GTEST_PROP(CheckInLog, GivesBackWhatWasAppended, ()) {
  CheckInLog log;
  std::vector<CheckInLog::Chain> chains(3);
  std::vector<std::vector<CheckIn>> expected(3);
  const auto count = *rc::gen::inRange<std::size_t>(0, 400);
  for (std::size_t i = 0; i < count; ++i) {
    const auto which = *rc::gen::inRange<std::size_t>(0, 3);
    CheckIn c;
    c.time =
        Timestamp{std::chrono::milliseconds{*rc::gen::inRange<std::int64_t>(0, 7'000'000'000'000)}};
    c.span = std::chrono::milliseconds{*rc::gen::inRange<std::int64_t>(0, 100'000)};
    c.connections = *rc::gen::inRange<std::uint32_t>(1, 1000);
    c.inside_flow = *rc::gen::arbitrary<bool>();
    c.bytes_out = *rc::gen::arbitrary<std::uint64_t>();
    c.bytes_in = *rc::gen::element<std::uint64_t>(0, 420, kUnknownBytes, kUnknownBytes - 1);
    log.append(chains[which], c);
    expected[which].push_back(c);
  }
  for (std::size_t which = 0; which < 3; ++which) {
    std::vector<CheckIn> got;
    log.decode(chains[which], got);
    RC_ASSERT(got.size() == expected[which].size());
    for (std::size_t i = 0; i < got.size(); ++i)
      RC_ASSERT(same(got[i], expected[which][i]));
  }
}

TEST(CheckInLog, TakesOverAnotherLogWithoutTouchingItsSeries) {
  const auto at = [](int seconds) {
    CheckIn c;
    c.time = Timestamp{std::chrono::seconds{seconds}};
    return c;
  };
  CheckInLog log, other;
  CheckInLog::Chain mine, theirs, fresh;
  for (int i = 0; i < 300; ++i)
    log.append(mine, at(1000 + 2 * i));
  for (int i = 0; i < 300; ++i)
    other.append(theirs, at(50'000 - 2 * i));
  const std::uint32_t adopted = log.adopt(other);
  log.append(mine, theirs, adopted);
  log.append(mine, at(7));
  log.append(fresh, at(9));
  std::vector<CheckIn> got, one;
  log.decode(mine, got);
  ASSERT_EQ(got.size(), 601U);
  EXPECT_TRUE(same(got[299], at(1598)));
  EXPECT_TRUE(same(got[300], at(50'000)));
  EXPECT_TRUE(same(got[599], at(49'402)));
  EXPECT_TRUE(same(got[600], at(7)));
  log.decode(fresh, one);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_TRUE(same(one[0], at(9)));
}

TEST(CheckInLog, AStoredCheckInCostsAtMostTwelveBytes) {
  // A thousand pairs with a hundred check-ins each, at human and at implant distances.
  for (const int seconds : {5, 60, 900, 14'400}) {
    CheckInLog log;
    std::vector<CheckInLog::Chain> chains(1000);
    for (int i = 0; i < 100; ++i) {
      for (CheckInLog::Chain& chain : chains) {
        CheckIn c;
        c.time = Timestamp{std::chrono::seconds{1'700'000'000} + std::chrono::seconds{seconds} * i +
                           std::chrono::milliseconds{i * 37 % 1000}};
        c.bytes_out = static_cast<std::uint64_t>(420 + i);
        c.bytes_in = static_cast<std::uint64_t>(18'000 + i);
        log.append(chain, c);
      }
    }
    EXPECT_LE(static_cast<double>(log.memory_bytes()) / 100'000, 12.0) << seconds;
  }
}

}  // namespace
}  // namespace beaconry
