#include "control/edge_hops.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace beaconry {
namespace {

std::optional<LedgerHop> hop(const Edges::Edge& edge, std::string_view name) {
  for (const LedgerHop& one : ledger_of(edge)) {
    if (one.hop == name) return one;
  }
  return std::nullopt;
}

TEST(EdgeHopsTest, CountersOfAllInterfacesAreOneHop) {
  Edges::Edge edge;
  edge.counters =
      R"({"packets.eth0":100,"packets.eth1":20,"kernel_drops.eth0":3,"ring_drops.eth1":4,"flows":7})";
  EXPECT_EQ(hop(edge, "capture")->count, 120U);
  EXPECT_EQ(hop(edge, "capture")->lost, 7U);
  EXPECT_EQ(hop(edge, "flows")->count, 7U);
  EXPECT_EQ(hop(edge, "flows")->lost, std::nullopt);
  EXPECT_FALSE(hop(edge, "observations"));
}

TEST(EdgeHopsTest, SpoolWayAndServerAreThereWhateverTheEdgeTells) {
  Edges::Edge edge;
  edge.counters = "[no json";
  edge.batches = 8;
  edge.missing = 3;
  edge.dropped = 2;
  edge.unexplained = 1;
  edge.refused = 4;
  edge.events = 90;
  EXPECT_EQ(hop(edge, "spool")->count, 11U);
  EXPECT_EQ(hop(edge, "spool")->lost, 2U);
  EXPECT_EQ(hop(edge, "way")->lost, 1U);
  EXPECT_EQ(hop(edge, "server")->count, 8U);
  EXPECT_EQ(hop(edge, "server")->lost, 4U);
  EXPECT_EQ(hop(edge, "kept")->count, 90U);
}

}  // namespace
}  // namespace beaconry
