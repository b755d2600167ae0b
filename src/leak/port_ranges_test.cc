#include "leak/port_ranges.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

namespace beaconry {
namespace {

RC_GTEST_PROP(PortRanges, AreTheSetOfPortsWhateverTheOrder, ()) {
  const auto ports = *rc::gen::container<std::vector<std::uint16_t>>(
      rc::gen::weightedOneOf<std::uint16_t>({{3, rc::gen::inRange<std::uint16_t>(0, 40)},
                                             {1, rc::gen::arbitrary<std::uint16_t>()},
                                             {1, rc::gen::just<std::uint16_t>(65'535)}}));
  PortRanges ranges;
  std::set<std::uint16_t> expected;
  for (const std::uint16_t port : ports) {
    add_port(ranges, port, 1024);
    expected.insert(port);
  }
  RC_ASSERT(count_ports(ranges) == expected.size());
  for (const std::uint16_t port : expected)
    RC_ASSERT(holds(ranges, port));
  for (std::size_t at = 1; at < ranges.size(); ++at)
    RC_ASSERT(ranges[at].first > ranges[at - 1].second + 1);
}

TEST(PortRanges, OfAWholeCycleAreOneRangeInTheEnd) {
  PortRanges ranges;
  for (std::uint32_t at = 0; at < 65'536; ++at)
    add_port(ranges, static_cast<std::uint16_t>(at * 40'503u % 65'536u), 1024);
  EXPECT_EQ(ranges.size(), 1u);
  EXPECT_EQ(count_ports(ranges), 65'536u);
}

TEST(PortRanges, JoinTheNearestOnceThereAreTooMany) {
  PortRanges ranges;
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{100, 200, 203, 400})
    add_port(ranges, port, 3);
  EXPECT_EQ(ranges, (PortRanges{{100, 100}, {200, 203}, {400, 400}}));
}

}  // namespace
}  // namespace beaconry
