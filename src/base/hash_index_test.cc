#include "base/hash_index.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

namespace beaconry {
namespace {

// Few hashes, so that runs of neighbours collide, wrap around and are closed up again.
RC_GTEST_PROP(HashIndex, FindsExactlyWhatIsInIt, ()) {
  HashIndex index;
  std::map<std::uint32_t, std::uint32_t> flows;  // flow -> hash
  const auto steps = *rc::gen::container<std::vector<std::pair<std::uint32_t, std::uint32_t>>>(
      rc::gen::pair(rc::gen::inRange(0U, 200U), rc::gen::inRange(0U, 20U)));
  for (const auto& [flow, bucket] : steps) {
    const std::uint32_t hash = bucket + 1014;  // about the least table's end
    if (const auto found = flows.find(flow); found != flows.end()) {
      index.erase(found->second, flow);
      flows.erase(found);
    } else {
      index.insert(hash, flow);
      flows.emplace(flow, hash);
    }
  }
  RC_ASSERT(index.size() == flows.size());
  for (std::uint32_t flow = 0; flow < 200; ++flow) {
    const auto known = flows.find(flow);
    for (std::uint32_t hash = 1014; hash < 1034; ++hash) {
      const auto found = index.find(hash, [&](std::uint32_t it) { return it == flow; });
      const bool here = known != flows.end() && known->second == hash;
      RC_ASSERT(found == (here ? flow : HashIndex::kNone));
    }
  }
}

TEST(HashIndex, GrowsWithItsFlows) {
  HashIndex index;
  for (std::uint32_t flow = 0; flow < 10'000; ++flow)
    index.insert(flow * 2'654'435'761U, flow);
  for (std::uint32_t flow = 0; flow < 10'000; ++flow) {
    EXPECT_EQ(index.find(flow * 2'654'435'761U, [&](std::uint32_t it) { return it == flow; }),
              flow);
  }
}

}  // namespace
}  // namespace beaconry
