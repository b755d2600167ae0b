// kill -9 of either side at random points under load: what was accepted is there, once.
#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <thread>

#include "control/journal_record.h"
#include "faults/collector.h"
#include "faults/edge.h"
#include "faults/server.h"

namespace beaconry::faults {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

milliseconds up_to(std::mt19937& random, int most) {
  return milliseconds{std::uniform_int_distribution<int>(0, most)(random)};
}

// All that the server counts of what one edge sent.
void expect_exactly(Server& server, std::uint64_t flows, std::uint64_t batches) {
  const Json status = server.status();
  EXPECT_EQ(status["storage"]["total_connections"], flows);
  EXPECT_EQ(status["storage"]["records_added"], flows);
  EXPECT_EQ(status["events_received"], flows);
  EXPECT_EQ(status["batches_processed"], batches);
  const Json edges = server.edges();
  ASSERT_EQ(edges.size(), 1U) << edges.dump();
  EXPECT_EQ(edges[0]["batches"], batches);
  EXPECT_EQ(edges[0]["events"], flows);
  EXPECT_EQ(edges[0]["batches_missing"], 0);
  std::uint64_t connections = 0;
  for (const Json& pair : server.get("/api/v1/connections?limit=1000")["pairs"])
    connections += pair["connection_count"].get<std::uint64_t>();
  EXPECT_EQ(connections, flows);
}

TEST(CrashesOfTheServer, LoseAndDoubleNothingThatAnEdgeSends) {
  const Folder folder;
  std::mt19937 random(crash_seed());
  Server server(folder.path());
  Edge edge({.folder = folder / "spool", .url = server.url()});
  server.start();
  edge.begin_sending();
  for (unsigned point = 0; point < crash_points() && !HasFatalFailure(); ++point) {
    // One in four comes while it reads its journal.
    const bool early = point % 4 == 3;
    if (point > 0) early ? server.begin() : server.start();
    const auto until = steady_clock::now() + up_to(random, 150);
    while (steady_clock::now() < until) {
      edge.add(std::uniform_int_distribution<unsigned>(1, 400)(random));
      std::this_thread::sleep_for(up_to(random, 4));
    }
    server.crash();
  }
  server.start();
  ASSERT_TRUE(wait_for([&] { return edge.is_drained(); }))
      << edge.sender().status().last_error << end_of(server.log());
  EXPECT_EQ(edge.sender().status().refused, 0U);
  EXPECT_GT(edge.sender().status().retries, 0U);
  {
    SCOPED_TRACE("after the last crash");
    expect_exactly(server, edge.flows(), edge.batches());
  }
  std::printf("%u crashes, %llu batches, of them %llu sent again\n", crash_points(),
              static_cast<unsigned long long>(edge.batches()),
              static_cast<unsigned long long>(server.edges()[0]["repeated"].get<unsigned>()));
  server.end();
  server.start();
  SCOPED_TRACE("after a restart");
  expect_exactly(server, edge.flows(), edge.batches());
}

TEST(CrashesOfTheCollector, AndOfTheServerLoseAndDoubleNoLineOfAGrowingLog) {
  const Folder folder;
  std::mt19937 random(crash_seed());
  Server server(folder.path());
  server.start();
  GrowingLog zeek(folder / "zeek");
  zeek.add(random);
  Collector collector(folder.path(), server.url());
  for (unsigned point = 0; point < crash_points() && !HasFatalFailure(); ++point) {
    collector.begin();
    // Half of the points come while it starts.
    const auto until = steady_clock::now() + up_to(random, point % 2 == 0 ? 200 : 700);
    while (steady_clock::now() < until) {
      for (auto i = random() % 20; i > 0; --i)
        zeek.add(random);
      std::this_thread::sleep_for(up_to(random, 5));
    }
    if (point % 4 == 1) {
      server.crash();
      server.begin();
    }
    collector.crash();
    if (point % 7 == 6) zeek.rotate();
  }
  server.crash();
  server.start();
  collector.begin();
  const auto arrived = [&] {
    return server.status()["storage"]["total_connections"].get<std::uint64_t>();
  };
  EXPECT_TRUE(wait_for([&] { return arrived() >= zeek.lines(); }))
      << arrived() << " of " << zeek.lines() << " lines" << end_of(collector.log());
  collector.end();
  EXPECT_EQ(arrived(), zeek.lines()) << end_of(collector.log());
  std::map<std::string, std::uint64_t> seen;
  for (const Json& pair : server.get("/api/v1/connections?limit=1000")["pairs"])
    seen[pair["src_ip"]] = pair["connection_count"];
  for (std::uint64_t i = 0; i < 50; ++i) {
    EXPECT_EQ(seen["10.0.0." + std::to_string(1 + i)],
              zeek.lines() / 50 + (i < zeek.lines() % 50 ? 1 : 0))
        << i;
  }
  std::printf("%u crashes, %llu lines\n", crash_points(),
              static_cast<unsigned long long>(zeek.lines()));
}

TEST(AServerThatWasAway, GetsTheBatchesInTheirOrder) {
  const Folder folder;
  Server server(folder.path());
  Edge edge({.folder = folder / "spool", .url = server.url()});
  edge.begin_sending();
  for (int i = 0; i < 200; ++i)
    edge.add(20);
  ASSERT_TRUE(wait_for([&] { return edge.sender().status().retries >= 3; }));
  EXPECT_EQ(edge.spool().next() - edge.spool().first(), 200U);
  EXPECT_NE(edge.sender().status().last_error.find("refused"), std::string::npos)
      << edge.sender().status().last_error;
  server.start();
  ASSERT_TRUE(wait_for([&] { return edge.is_drained(); })) << end_of(server.log());
  expect_exactly(server, 4000, 200);
  server.end();

  Spool::Options options;
  options.folder = server.journal();
  const auto journal = std::move(Spool::open(options).value());
  std::uint64_t expected = 1;
  for (std::uint64_t number = journal->first(); number < journal->next(); ++number) {
    const auto record = journal->read(number).value();
    ASSERT_TRUE(record);
    const auto read = read_journal_record(record->bytes);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(std::get<Envelope>(*read).sequence, expected++);
  }
  EXPECT_EQ(expected, 201U);
}

TEST(ASpoolThatOverflowed, IsCountedWhereTheUserSeesIt) {
  const Folder folder;
  Server server(folder.path());
  Edge edge({.folder = folder / "spool",
             .url = server.url(),
             .most_bytes = 256 << 10,
             .segment_bytes = 32 << 10});
  for (int i = 0; i < 400; ++i)
    edge.add(200);
  const std::uint64_t dropped = edge.spool().dropped();
  ASSERT_GT(dropped, 0U);
  server.start();
  edge.begin_sending();
  ASSERT_TRUE(wait_for([&] { return edge.is_drained(); })) << end_of(server.log());
  const Json listed = server.edges()[0];
  EXPECT_EQ(listed["batches_dropped"], dropped);
  EXPECT_EQ(listed["batches"], 400 - dropped);
  EXPECT_EQ(server.status()["storage"]["total_connections"], (400 - dropped) * 200);
  EXPECT_EQ(server.status()["buffer_overflow_total"], dropped);
}

}  // namespace
}  // namespace beaconry::faults
