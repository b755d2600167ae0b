#include "control/ingest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "control/relayed_edge.h"
#include "uplink/relayed_batch.h"

namespace beaconry {
namespace {

using Outcome = Ingest::Outcome;
using testing::HasSubstr;

constexpr Timestamp kNow{std::chrono::seconds{1'763'700'000}};

class Folder {
 public:
  Folder() {
    std::string pattern = testing::TempDir() + "ingest-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

// What reached the series, by edge.
struct Series {
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> events;

  Ingest::SinkOf sinks() {
    struct Sink final : FlowSink {
      Sink(Series& all, std::string name) : series(all), edge(std::move(name)) {}
      void add(const FlowEvent& event) override {
        const std::lock_guard lock(series.mutex);
        series.events[edge].push_back(event.pair.to_string() + ' ' + to_rfc3339(event.time));
      }
      void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
      void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
      Series& series;
      std::string edge;
    };
    return
        [this](const std::string& edge, Timestamp) { return std::make_unique<Sink>(*this, edge); };
  }
  std::size_t count() {
    const std::lock_guard lock(mutex);
    std::size_t all = 0;
    for (const auto& [edge, some] : events)
      all += some.size();
    return all;
  }
};

// The real one, with faults on demand.
class FaultySpool final : public Spool {
 public:
  explicit FaultySpool(const std::string& folder)
      : spool_(std::move(Spool::open({.folder = folder}).value())) {}
  Result<std::uint64_t> append(std::string_view record, Timestamp now) override {
    if (full) return fail(ErrorKind::limit, "write", "journal", "no space left on device");
    return spool_->append(record, now);
  }
  Result<void> sync(std::uint64_t sequence) override {
    if (unsynced) return fail(ErrorKind::limit, "write", "journal", "no space left on device");
    return spool_->sync(sequence);
  }
  Result<std::optional<Record>> read(std::uint64_t sequence) override {
    return spool_->read(sequence);
  }
  void release(std::uint64_t sequence) override { spool_->release(sequence); }
  void release_before(Timestamp time) override { spool_->release_before(time); }
  std::uint64_t first() const override { return spool_->first(); }
  std::uint64_t next() const override { return spool_->next(); }
  std::uint64_t bytes() const override { return spool_->bytes(); }
  std::uint64_t dropped() const override { return spool_->dropped(); }
  std::uint64_t damaged() const override { return spool_->damaged(); }
  const std::string& incarnation() const override { return spool_->incarnation(); }
  std::atomic<bool> full = false, unsynced = false;

 private:
  std::unique_ptr<Spool> spool_;
};

struct Server {
  explicit Server(const Folder& folder) : journal(folder / "journal") {}
  FaultySpool journal;
  Series series;
  Ingest ingest{{}, journal, series.sinks()};
};

std::string envelope(std::uint64_t sequence, unsigned events = 3, char edge = 'a') {
  FlowBatchBuilder builder;
  for (unsigned i = 0; i < events; ++i) {
    FlowEvent event;
    event.pair = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
    event.time = kNow + std::chrono::seconds{60 * i};
    builder.add(event);
  }
  Envelope e;
  e.edge = std::string(64, edge);
  e.edge_name = "sensor";
  e.incarnation = std::string(32, '1');
  e.sequence = sequence;
  e.sent = kNow;
  e.content =
      builder.finish(kNow, {{"packets", "eth0", 10 * sequence}, {"ring_drops", "eth0", sequence}});
  return encode_envelope(e);
}

std::string json(int batch, int events = 1) {
  std::string all;
  for (int i = 0; i < events; ++i) {
    const auto ns = std::chrono::nanoseconds(kNow.time_since_epoch()).count() +
                    (batch * 1000 + i) * 60'000'000'000LL;
    all += (i == 0 ? "" : ",") +
           std::string(R"({"src_ip":"10.0.0.5","dst_ip":"203.0.113.9","src_port":50000,)"
                       R"("dst_port":443,"protocol":17,"packet_size":100,"timestamp_ns":)") +
           std::to_string(ns) + "}";
  }
  return R"({"batch_id":"b)" + std::to_string(batch) + R"(","node_id":"n1","events":[)" + all +
         R"(],"data_plane_stats":{"events_dropped_ebpf":)" + std::to_string(batch) +
         R"(,"events_dropped_overflow":7}})";
}

TEST(Ingest, TakesABatchOnceHoweverOftenItIsSent) {
  const Folder folder;
  Server server(folder);
  Ingest& ingest = server.ingest;
  EXPECT_EQ(ingest.accept_envelope(envelope(1), {}, "", kNow).outcome, Outcome::accepted);
  EXPECT_EQ(ingest.accept_envelope(envelope(1), {}, "", kNow).outcome, Outcome::duplicate);
  EXPECT_EQ(ingest.accept_envelope(envelope(1, 3, 'b'), {}, "", kNow).outcome, Outcome::accepted);
  const auto taken = ingest.accept_predecessor(json(1, 2), false, "", kNow);
  EXPECT_EQ(taken.outcome, Outcome::accepted);
  EXPECT_EQ(taken.batch_id, "b1");
  EXPECT_EQ(taken.events, 2U);
  const auto again = ingest.accept_predecessor(json(1, 2), false, "", kNow);
  EXPECT_EQ(again.outcome, Outcome::duplicate);
  EXPECT_EQ(again.events, 2U);
  EXPECT_EQ(server.series.count(), 3U + 3U + 2U + 1U);  // one of them tells that the flow lives
  const auto sums = ingest.edges().sums();
  EXPECT_EQ(sums.events, 8U);
  EXPECT_EQ(sums.batches, 3U);
  EXPECT_EQ(sums.duplicates, 2U);
}

TEST(Ingest, AfterARestartEverythingIsAsItWas) {
  const Folder folder;
  std::map<std::string, std::vector<std::string>> before;
  EdgeLedger::Sums counted;
  {
    Server server(folder);
    for (unsigned i = 1; i <= 5; ++i) {
      server.ingest.accept_envelope(envelope(i), {}, "", kNow);
      server.ingest.accept_predecessor(json(static_cast<int>(i), 3), false, "", kNow);
    }
    before = server.series.events;
    counted = server.ingest.edges().sums();
  }
  Server server(folder);
  ASSERT_TRUE(server.ingest.replay(kNow, [](double) { return true; }));
  EXPECT_EQ(server.series.events, before);
  const auto sums = server.ingest.edges().sums();
  EXPECT_EQ(sums.events, counted.events);
  EXPECT_EQ(sums.batches, counted.batches);
  EXPECT_EQ(sums.dropped_ebpf, counted.dropped_ebpf);
  EXPECT_EQ(sums.dropped_overflow, counted.dropped_overflow);
  EXPECT_EQ(server.ingest.packet_flows().flows(), 1U);
  EXPECT_EQ(server.ingest.accept_envelope(envelope(3), {}, "", kNow).outcome, Outcome::duplicate);
  EXPECT_EQ(server.ingest.accept_predecessor(json(3, 3), false, "", kNow).outcome,
            Outcome::duplicate);
  EXPECT_EQ(server.series.events, before);
}

TEST(Ingest, RefusesWhileTheDiskIsFullAndGoesOnByItself) {
  const Folder folder;
  Server server(folder);
  Ingest& ingest = server.ingest;
  ingest.accept_predecessor(json(1), false, "", kNow);
  const std::size_t before = server.series.count();
  server.journal.full = true;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ingest.accept_envelope(envelope(1), {}, "", kNow).outcome, Outcome::storage_full);
    const auto refused = ingest.accept_predecessor(json(2, 4), false, "", kNow);
    EXPECT_EQ(refused.outcome, Outcome::storage_full);
    EXPECT_THAT(refused.words, HasSubstr("no space"));
  }
  EXPECT_EQ(server.series.count(), before);
  EXPECT_EQ(ingest.storage_full(), 6U);
  server.journal.full = false;
  EXPECT_EQ(ingest.accept_envelope(envelope(1), {}, "", kNow).outcome, Outcome::accepted);
  EXPECT_EQ(ingest.accept_predecessor(json(2, 4), false, "", kNow).outcome, Outcome::accepted);
  // As if it had been taken at once: mapping it four times made nothing more of it.
  const Folder other_folder;
  Server other(other_folder);
  other.ingest.accept_predecessor(json(1), false, "", kNow);
  other.ingest.accept_predecessor(json(2, 4), false, "", kNow);
  EXPECT_EQ(server.series.events["n1"], other.series.events["n1"]);
}

TEST(Ingest, WhatIsInTheJournalTwiceCountsOnce) {
  const Folder folder;
  std::map<std::string, std::vector<std::string>> before;
  {
    Server server(folder);
    for (const bool unsynced : {true, false}) {
      server.journal.unsynced = unsynced;
      const auto expected = unsynced ? Outcome::storage_full : Outcome::accepted;
      EXPECT_EQ(server.ingest.accept_envelope(envelope(1), {}, "", kNow).outcome, expected);
      EXPECT_EQ(server.ingest.accept_predecessor(json(1, 2), false, "", kNow).outcome, expected);
    }
    EXPECT_EQ(server.journal.next(), 5U);
    before = server.series.events;
  }
  Server server(folder);
  ASSERT_TRUE(server.ingest.replay(kNow, [](double) { return true; }));
  EXPECT_EQ(server.series.events, before);
  EXPECT_EQ(server.ingest.edges().sums().batches, 2U);
}

TEST(Ingest, NothingMalformedReachesJournalOrSeries) {
  const Folder folder;
  Server server(folder);
  Ingest& ingest = server.ingest;
  EXPECT_EQ(ingest.accept_envelope("no envelope", {}, "", kNow).outcome, Outcome::malformed);
  Envelope bad = decode_envelope(envelope(1)).value();
  bad.content.resize(bad.content.size() / 2);
  EXPECT_EQ(ingest.accept_envelope(encode_envelope(bad), {}, "", kNow).outcome, Outcome::malformed);
  EXPECT_EQ(ingest.accept_predecessor("{", false, "", kNow).outcome, Outcome::malformed);
  EXPECT_EQ(ingest.accept_predecessor("{}", true, "", kNow).outcome, Outcome::malformed);
  EXPECT_EQ(server.journal.next(), 1U);
  EXPECT_EQ(server.series.count(), 0U);
  EXPECT_EQ(ingest.edges().sums().refused, 4U);
  // What was refused may come again, mended.
  EXPECT_EQ(ingest.accept_envelope(envelope(1), {}, "", kNow).outcome, Outcome::accepted);
}

TEST(Ingest, AnEdgeSendsItsOwnBatchesOnly) {
  const Folder folder;
  Server server(folder);
  EXPECT_EQ(server.ingest.accept_envelope(envelope(1), std::string(64, 'b'), "", kNow).outcome,
            Outcome::malformed);
  EXPECT_EQ(server.ingest.accept_envelope(envelope(1), std::string(64, 'a'), "", kNow).outcome,
            Outcome::accepted);
}

TEST(Ingest, NobodyElseSpeaksForAnEnrolledEdge) {
  const Folder folder;
  FaultySpool journal(folder / "journal");
  Series series;
  Ingest::Options options;
  options.needs_key = [](const std::string& edge) { return edge == std::string(64, 'a'); };
  Ingest ingest(std::move(options), journal, series.sinks());
  const std::string own(64, 'a'), other(64, 'b');
  EXPECT_EQ(ingest.accept_envelope(envelope(9), {}, "", kNow).outcome, Outcome::forbidden);
  EXPECT_EQ(ingest.accept_envelope(envelope(9), other, "", kNow).outcome, Outcome::forbidden);
  EXPECT_EQ(ingest.accept_envelope(envelope(1, 3, 'b'), own, "", kNow).outcome, Outcome::malformed);
  EXPECT_EQ(journal.next(), 1U);
  EXPECT_EQ(ingest.accept_envelope(envelope(9), own, "", kNow).outcome, Outcome::accepted);
  EXPECT_EQ(ingest.accept_envelope(envelope(1, 3, 'b'), {}, "", kNow).outcome, Outcome::accepted);
}

TEST(Ingest, AnAbsurdSequenceDoesNotEndAStream) {
  const Folder folder;
  Server server(folder);
  EXPECT_EQ(server.ingest.accept_envelope(envelope(UINT64_MAX), {}, "", kNow).outcome,
            Outcome::malformed);
  EXPECT_EQ(server.ingest.accept_envelope(envelope(1), {}, "", kNow).outcome, Outcome::accepted);
}

TEST(Ingest, WhatTheJournalCouldNeverTakeIsTooLarge) {
  const Folder folder;
  FaultySpool journal(folder / "journal");
  Series series;
  Ingest::Options options;
  options.longest_record = 10;
  Ingest ingest(std::move(options), journal, series.sinks());
  EXPECT_EQ(ingest.accept_envelope(envelope(1), {}, "", kNow).outcome, Outcome::too_large);
  EXPECT_EQ(ingest.accept_predecessor(json(1), false, "", kNow).outcome, Outcome::too_large);
  EXPECT_EQ(journal.next(), 1U);
  EXPECT_EQ(ingest.storage_full(), 0U);
}

TEST(Ingest, ABatchWithoutEventsCountsToo) {
  const Folder folder;
  Server server(folder);
  EXPECT_EQ(server.ingest.accept_envelope(envelope(1, 0), {}, "", kNow).outcome, Outcome::accepted);
  EXPECT_EQ(server.ingest.accept_envelope(envelope(1, 0), {}, "", kNow).outcome,
            Outcome::duplicate);
  EXPECT_EQ(server.ingest.edges().edges().at(0).counters.size(), 2U);
}

TEST(Ingest, RunningTotalsOfDropsAreNotAddedTwice) {
  const Folder folder;
  Server server(folder);
  for (const int batch : {3, 4, 4, 9})
    server.ingest.accept_predecessor(json(batch, batch), false, "", kNow);
  EXPECT_EQ(server.ingest.edges().sums().dropped_ebpf, 9U);
  EXPECT_EQ(server.ingest.edges().sums().dropped_overflow, 7U);
  server.ingest.accept_predecessor(json(2), false, "", kNow);  // it restarted
  EXPECT_EQ(server.ingest.edges().sums().dropped_ebpf, 11U);
}

TEST(Ingest, ManyAtOnceAreEachTakenOnce) {
  const Folder folder;
  Server server(folder);
  constexpr unsigned kBatches = 40;
  std::atomic<unsigned> accepted = 0;
  std::vector<std::thread> senders;
  for (unsigned t = 0; t < 4; ++t) {
    senders.emplace_back([&] {
      for (unsigned i = 1; i <= kBatches; ++i) {
        const auto answer = server.ingest.accept_envelope(envelope(i), {}, "", kNow);
        if (answer.outcome == Outcome::accepted) ++accepted;
      }
    });
  }
  for (auto& sender : senders)
    sender.join();
  EXPECT_EQ(accepted, kBatches);
  EXPECT_EQ(server.series.count(), 3 * kBatches);
}

// What a sensor relays: an envelope of `instance`, whatever edge it claims to be of.
std::string relayed(std::uint64_t sequence, std::string inner, std::string instance = "detector_0",
                    char edge = 'd') {
  Envelope e;
  e.edge = std::string(64, edge);
  e.edge_name = "sensor001";
  e.incarnation = std::string(32, '2');
  e.sequence = sequence;
  e.sent = kNow;
  e.content_kind = ContentKind::relayed;
  e.content = encode_relayed({std::move(instance), kNow, std::move(inner)});
  return encode_envelope(e);
}

std::string told(std::uint64_t sequence, unsigned events = 2) {
  InstrumentEventBatch batch;
  batch.made = kNow;
  for (unsigned i = 0; i < events; ++i) {
    InstrumentEvent event;
    event.instance = "beacon_0";
    event.uuid = "00000000-0000-4000-8000-00000000000" + std::to_string(i);
    event.time = kNow;
    event.type = "instruments.beacon.ev.alert";
    batch.events.push_back(event);
  }
  batch.counters = {{"events", "beacon_0", 7}};
  Envelope e;
  e.edge = std::string(64, 'd');
  e.edge_name = "sensor001";
  e.incarnation = std::string(32, '2');
  e.sequence = sequence;
  e.sent = kNow;
  e.content_kind = ContentKind::instrument_events;
  e.content = encode_instrument_events(batch);
  return encode_envelope(e);
}

const std::string kDetector = relayed_edge(std::string(64, 'd'), "detector_0");

TEST(IngestOfASensor, ARelayedBatchIsOfTheInstrumentThatHandedItIn) {
  const Folder folder;
  Server server(folder);
  // It claims to be another edge.
  EXPECT_EQ(
      server.ingest.accept_envelope(relayed(1, envelope(1, 3, 'a')), {}, "10.0.0.1", kNow).outcome,
      Outcome::accepted);
  EXPECT_EQ(server.series.events.count(std::string(64, 'a')), 0U);
  EXPECT_EQ(server.series.events[kDetector].size(), 3U);
  std::map<std::string, EdgeTotals> edges;
  for (const EdgeTotals& each : server.ingest.edges().edges())
    edges[each.id] = each;
  EXPECT_EQ(edges[kDetector].name, "detector_0@sensor001");
  EXPECT_EQ(edges[kDetector].events, 3U);
  EXPECT_EQ(edges[std::string(64, 'd')].batches, 1U);
  EXPECT_EQ(edges[std::string(64, 'd')].events, 0U);
  // What the edge that it claimed to be really sends counts.
  EXPECT_EQ(server.ingest.accept_envelope(envelope(1, 3, 'a'), {}, "", kNow).outcome,
            Outcome::accepted);
  // Another instance with the same numbers is another edge.
  EXPECT_EQ(
      server.ingest.accept_envelope(relayed(2, envelope(1), "detector_1"), {}, "", kNow).outcome,
      Outcome::accepted);
}

TEST(IngestOfASensor, ARelayedBatchCountsOnceByItsOwnNumberAndTheSensors) {
  const Folder folder;
  {
    Server server(folder);
    Ingest& ingest = server.ingest;
    EXPECT_EQ(ingest.accept_envelope(relayed(1, envelope(1)), {}, "", kNow).outcome,
              Outcome::accepted);
    EXPECT_EQ(ingest.accept_envelope(relayed(1, envelope(1)), {}, "", kNow).outcome,
              Outcome::duplicate);
    // The instrument did not hear the sensor's answer.
    EXPECT_EQ(ingest.accept_envelope(relayed(2, envelope(1)), {}, "", kNow).outcome,
              Outcome::duplicate);
    EXPECT_EQ(ingest.accept_envelope(relayed(3, envelope(2)), {}, "", kNow).outcome,
              Outcome::accepted);
    EXPECT_EQ(server.series.events[kDetector].size(), 6U);
  }
  Server server(folder);
  ASSERT_TRUE(server.ingest.replay(kNow, [](double) { return true; }));
  EXPECT_EQ(server.series.events[kDetector].size(), 6U);
  EXPECT_EQ(server.ingest.replay_damaged(), 0U);
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) {
    EXPECT_EQ(server.ingest.accept_envelope(relayed(sequence, envelope(2)), {}, "", kNow).outcome,
              Outcome::duplicate);
  }
  EXPECT_EQ(server.series.events[kDetector].size(), 6U);
}

TEST(IngestOfASensor, ARelayedBatchThatTheDiskHasNoRoomForComesAgain) {
  const Folder folder;
  Server server(folder);
  server.journal.full = true;
  EXPECT_EQ(server.ingest.accept_envelope(relayed(1, envelope(1)), {}, "", kNow).outcome,
            Outcome::storage_full);
  server.journal.full = false;
  EXPECT_EQ(server.ingest.accept_envelope(relayed(1, envelope(1)), {}, "", kNow).outcome,
            Outcome::accepted);
  EXPECT_EQ(server.series.events[kDetector].size(), 3U);
}

TEST(IngestOfASensor, OnlyFlowsMayBeRelayed) {
  const Folder folder;
  Server server(folder);
  for (const std::string& inner : {relayed(1, envelope(1)), told(1), std::string("no envelope")}) {
    const auto answer = server.ingest.accept_envelope(relayed(1, inner), {}, "", kNow);
    EXPECT_EQ(answer.outcome, Outcome::malformed) << answer.words;
  }
  EXPECT_EQ(server.series.count(), 0U);
}

TEST(IngestOfASensor, OnlySensorsRelayAndTell) {
  const Folder folder;
  FaultySpool journal(folder / "journal");
  Series series;
  Ingest::Options options;
  options.tell = [](Ingest::Told) -> Result<bool> { return true; };
  options.is_sensor = [](const std::string& edge) { return edge != std::string(64, 'd'); };
  Ingest ingest(std::move(options), journal, series.sinks());
  EXPECT_EQ(ingest.accept_envelope(relayed(1, envelope(1)), {}, "", kNow).outcome,
            Outcome::forbidden);
  EXPECT_EQ(ingest.accept_envelope(told(1), {}, "", kNow).outcome, Outcome::forbidden);
  EXPECT_EQ(
      ingest.accept_envelope(relayed(1, envelope(1), "detector_0", 'e'), {}, "", kNow).outcome,
      Outcome::accepted);
}

TEST(IngestOfASensor, EventsAreJournalledBeforeTheyAreKept) {
  const Folder folder;
  unsigned kept = 0, replayed = 0;
  std::optional<Error> error = Error{ErrorKind::limit, "write", "database", "no space"};
  Ingest::Options options;
  options.tell = [&](Ingest::Told batch) -> Result<bool> {
    if (error) return tl::unexpected<Error>(*error);
    kept += static_cast<unsigned>(batch.events.size());
    replayed += batch.replayed ? 1 : 0;
    return true;
  };
  {
    FaultySpool journal(folder / "journal");
    Series series;
    Ingest ingest(options, journal, series.sinks());
    EXPECT_EQ(ingest.accept_envelope(told(1), {}, "", kNow).outcome, Outcome::storage_full);
    error.reset();
    EXPECT_EQ(ingest.accept_envelope(told(1), {}, "", kNow).outcome, Outcome::accepted);
    EXPECT_EQ(ingest.accept_envelope(told(1), {}, "", kNow).outcome, Outcome::duplicate);
    EXPECT_EQ(kept, 2U);
    EXPECT_EQ(ingest.edges().edges().front().counters.front().value, 7U);
  }
  FaultySpool journal(folder / "journal");
  Series series;
  Ingest ingest(options, journal, series.sinks());
  ASSERT_TRUE(ingest.replay(kNow, [](double) { return true; }));
  EXPECT_EQ(kept, 4U);  // the journal has it twice, and tells it once
  EXPECT_EQ(replayed, 1U);
}

}  // namespace
}  // namespace beaconry
