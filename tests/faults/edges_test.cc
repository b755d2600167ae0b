// Edges that are not as they should be: with one name, or with a clock of their own.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <random>

#include "faults/collector.h"
#include "faults/edge.h"
#include "faults/server.h"

namespace beaconry::faults {
namespace {

TEST(TwoCollectorsWithOneName, AreTwoEdgesInConflict) {
  const Folder folder;
  Server server(folder.path());
  server.start();
  Edge one({.folder = folder / "one", .url = server.url(), .key = std::string(64, '1')});
  Edge two({.folder = folder / "two", .url = server.url(), .key = std::string(64, '2')});
  Edge other({.folder = folder / "other",
              .url = server.url(),
              .key = std::string(64, '3'),
              .name = "another"});
  for (Edge* edge : {&one, &two, &other}) {
    edge->begin_sending();
    for (int i = 0; i < (edge == &one ? 3 : 5); ++i)
      edge->add(10);
  }
  ASSERT_TRUE(wait_for([&] { return one.is_drained() && two.is_drained() && other.is_drained(); }));
  for (const bool again : {false, true}) {
    SCOPED_TRACE(again ? "after a crash" : "at once");
    const Json edges = server.edges();
    ASSERT_EQ(edges.size(), 3U) << edges.dump(1);
    EXPECT_EQ(edges[0]["name"], "another");
    EXPECT_EQ(edges[0]["name_conflict"], false);
    for (const std::size_t i : {1U, 2U}) {
      EXPECT_EQ(edges[i]["name"], "edge");
      EXPECT_EQ(edges[i]["name_conflict"], true);
      EXPECT_EQ(edges[i]["state"], "not enrolled");
      EXPECT_EQ(edges[i]["batches_missing"], 0);
      const bool is_one = edges[i]["fingerprint"] == std::string(64, '1');
      EXPECT_EQ(edges[i]["batches"], is_one ? 3 : 5);
    }
    EXPECT_NE(edges[1]["fingerprint"], edges[2]["fingerprint"]);
    EXPECT_EQ(server.status()["storage"]["total_connections"], 130);
    server.crash();
    server.start();
  }
}

TEST(AnEdgeWhoseClockIsOff, IsMeasuredAndShown) {
  const Folder folder;
  Server server(folder.path());
  server.start();
  Edge ahead({.folder = folder / "ahead",
              .url = server.url(),
              .key = std::string(64, '1'),
              .name = "ahead",
              .clock_ahead = std::chrono::minutes{90}});
  Edge behind({.folder = folder / "behind",
               .url = server.url(),
               .key = std::string(64, '2'),
               .name = "behind",
               .clock_ahead = -std::chrono::hours{5}});
  ahead.begin_sending();
  behind.begin_sending();
  ahead.add(10, std::chrono::minutes{90});  // of the future: refused, and counted
  ahead.add(10);
  behind.add(10, -std::chrono::hours{5});
  ASSERT_TRUE(wait_for([&] { return ahead.is_drained() && behind.is_drained(); }));
  const Json edges = server.edges();
  ASSERT_EQ(edges.size(), 2U);
  // What a loaded machine takes between a batch's sending and its counting is part of it.
  EXPECT_NEAR(edges[0]["clock_skew_seconds"].get<double>(), 5400, 30);
  EXPECT_NEAR(edges[1]["clock_skew_seconds"].get<double>(), -18'000, 30);
  EXPECT_NEAR(to_seconds(ahead.sender().status().clock_skew), -5400, 30);
  const Json storage = server.status()["storage"];
  EXPECT_EQ(storage["records_from_the_future"], 10);
  EXPECT_EQ(storage["total_connections"], 20);
}

TEST(AClockThatJumps, LosesNoLineAndIsShown) {
  const Folder folder;
  Server server(folder.path());
  server.start();
  std::mt19937 random(crash_seed());
  GrowingLog zeek(folder / "zeek");
  Collector collector(folder.path(), server.url());
  const std::string step = folder / "step";
  const auto set = [&](std::int64_t seconds) {
    // In place: it is mapped.
    std::fstream file(step, std::ios::binary | std::ios::in | std::ios::out);
    file.write(reinterpret_cast<const char*>(&seconds), sizeof seconds);
  };
  write_file(step, std::string(8, '\0'));
  ::chmod(step.c_str(), 0644);
  collector.begin({{"LD_PRELOAD", BEACONRY_CLOCK_STEP_LIBRARY}, {"BEACONRY_CLOCK_STEP", step}});
  for (const std::int64_t seconds : {0, 7200, -10'800, 0, 40}) {
    SCOPED_TRACE(seconds);
    set(seconds);
    for (int i = 0; i < 100; ++i)
      zeek.add(random);
    const auto shown = [&] {
      const Json edges = server.edges();
      if (edges.empty() || edges[0]["clock_skew_seconds"].is_null()) return false;
      const double skew = edges[0]["clock_skew_seconds"];
      return std::abs(skew - static_cast<double>(seconds)) < 20;
    };
    EXPECT_TRUE(wait_for(shown)) << server.edges().dump(1) << end_of(collector.log());
    const auto arrived = [&] { return server.status()["storage"]["total_connections"]; };
    EXPECT_TRUE(wait_for([&] { return arrived() >= zeek.lines(); })) << arrived();
  }
  collector.end();
  EXPECT_EQ(server.status()["storage"]["total_connections"], 500);
  EXPECT_EQ(server.edges()[0]["batches_missing"], 0);
}

}  // namespace
}  // namespace beaconry::faults
