#include "accuracy/inputs.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "accuracy/detectors.h"

namespace beaconry::accuracy {
namespace {

simulate::Traffic small() {
  return simulate::simulate(*simulate::preset("demo", 7));
}

TEST(Truncated, KeepsTheFirstCheckInsOfEachImplantAndAllElse) {
  const simulate::Traffic whole = small();
  const simulate::Traffic cut = truncated(whole, 5);
  std::map<std::uint32_t, std::set<std::uint32_t>> visits;
  std::size_t harmless = 0, harmless_before = 0;
  for (const auto& flow : cut.flows) {
    if (flow.truth == simulate::kNoTruth) {
      ++harmless;
    } else {
      visits[flow.truth].insert(flow.check_in);
    }
  }
  for (const auto& flow : whole.flows)
    harmless_before += flow.truth == simulate::kNoTruth ? 1 : 0;
  EXPECT_EQ(harmless, harmless_before);
  EXPECT_EQ(visits.size(), 2U);
  for (const auto& [truth, seen] : visits)
    EXPECT_EQ(seen.size(), 5U);
}

TEST(Labels, CoverWhatTheTrafficHolds) {
  const simulate::Traffic traffic = small();
  const Labels labels = labels_of(traffic);
  EXPECT_EQ(labels.malicious.size(), 2U);
  for (const LabelledPair& pair : labels.malicious) {
    const bool seen = std::any_of(traffic.flows.begin(), traffic.flows.end(), [&](const auto& f) {
      return f.source == pair.source && f.destination == pair.destinations.front() &&
             f.port == pair.port;
    });
    EXPECT_TRUE(seen);
  }
}

TEST(ReadClaim, TakesANamedPairWithAllItsAddresses) {
  const auto claim = read_claim(
      R"({"kind":"named","pair_key":"10.0.0.1->198.18.0.1:443/TCP","server_name":"c2.example",)"
      R"("dst_ips":["198.18.0.1","198.18.0.2"],"combined_score":0.81,"is_beacon":true})");
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->name, "c2.example");
  EXPECT_EQ(claim->destinations.size(), 2U);
  EXPECT_EQ(claim->port, 443);
  EXPECT_TRUE(claim->is_beacon);
  EXPECT_FALSE(read_claim("{}"));
  EXPECT_FALSE(read_claim("beacon"));
}

}  // namespace
}  // namespace beaconry::accuracy
