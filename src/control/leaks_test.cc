#include "control/leaks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "control/leak_row.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
using namespace std::chrono_literals;

const Timestamp kStart{std::chrono::seconds{1'800'000'000}};

IpAddress address(const char* text) {
  return *IpAddress::parse(text);
}

// What reaches the sinks.
class Queue final : public AlertQueue {
 public:
  Result<void> push(const Alert& alert) override {
    if (fails) return fail(ErrorKind::limit, "queue", "an alert", "the disk is full");
    pushed.push_back(alert);
    return {};
  }
  void set_sinks(NamedSinks) override {}
  double fill_percent() const override { return 0; }
  std::uint64_t drops() const override { return 0; }
  std::vector<SinkStatus> sinks() const override { return {}; }

  std::vector<std::string> kinds() const {
    std::vector<std::string> all;
    for (const Alert& alert : pushed)
      all.push_back(alert.kind);
    return all;
  }

  bool fails = false;
  std::vector<Alert> pushed;
};

class LeaksTest : public testing::Test {
 protected:
  LeaksTest() {
    std::string pattern = testing::TempDir() + "leaks-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    open();
    KeptProbe probe;
    probe.name = "hall";
    probe.id = ProbeId{0x1122334455667788};
    probe.home = "edge";
    probe.created = kStart - 1h;
    EXPECT_TRUE(probes_->add(probe));
  }
  ~LeaksTest() override {
    close();
    std::filesystem::remove_all(folder_);
  }

  void close() {
    leaks_.reset();
    triage_.reset();
    alerts_.reset();
    probes_.reset();
    database_.reset();
  }
  // As a restart does it.
  void open() {
    close();
    database_ = std::move(Database::open(folder_ + "/db").value());
    probes_ = std::move(Probes::open(*database_).value());
    alerts_ = std::move(Alerts::open(*database_).value());
    triage_ = std::move(Triage::open(*database_).value());
    const Leaks::Parts parts{*database_, *probes_, *triage_, *alerts_, queue_, events_};
    leaks_ = std::move(Leaks::open(parts, settings_, kStart).value());
  }

  Observation seen(std::uint64_t sequence, Duration at = {}) const {
    Observation o;
    o.received = kStart + at;
    o.authenticity = Authenticity::authentic;
    o.receiver = "udp";
    o.ping.method = MethodId::udp_port;
    o.ping.cycle = 1;
    o.ping.probe = ProbeId{0x1122334455667788};
    o.ping.sequence = sequence;
    o.ping.sent = o.received;
    o.ping.source = address("10.0.1.9");
    o.ping.destination = address("203.0.113.10");
    o.ping.port = 443;
    o.source = address("203.0.113.1");
    o.destination = address("203.0.113.10");
    o.source_port = 40'000;
    o.destination_port = 443;
    o.protocol = 17;
    o.ttl = 63;
    o.raw = std::string("\0raw", 4);
    return o;
  }
  Leaks::Batch batch(std::vector<Observation> observations) {
    Leaks::Batch batch;
    batch.source = {"edge", "incarnation", ++sequence_, kStart};
    batch.observations = std::move(observations);
    return batch;
  }
  bool take(Leaks::Batch batch) {
    const auto taken = leaks_->take(std::move(batch), kStart);
    EXPECT_TRUE(taken) << taken.error().message();
    return taken.value_or(false);
  }
  bool take(Observation observation) { return take(batch({std::move(observation)})); }
  std::uint64_t kept(const Observations::Query& query = {}) const {
    return leaks_->observations().page(query).value().count;
  }

  std::string folder_;
  Queue queue_;
  EventHub events_;
  Leaks::Settings settings_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Probes> probes_;
  std::unique_ptr<Alerts> alerts_;
  std::unique_ptr<Triage> triage_;
  std::unique_ptr<Leaks> leaks_;
  std::uint64_t sequence_ = 0;
};

TEST_F(LeaksTest, TheAlertOfANewLeakIsQueuedWhenItsFirstPingWasTaken) {
  EXPECT_TRUE(take(seen(1)));
  ASSERT_THAT(queue_.kinds(), ElementsAre("leak.new"));
  const Alert& alert = queue_.pushed[0];
  EXPECT_EQ(alert.source, "leaks");
  EXPECT_NE(alert.title.find("hall"), std::string::npos) << alert.title;
  const auto leaks = leaks_->list();
  ASSERT_EQ(leaks.size(), 1U);
  EXPECT_EQ(alert.subject, leaks[0].id);
  EXPECT_EQ(alerts_->count().value(), 1U);
  const auto page = leaks_->observations().page({}).value();
  ASSERT_EQ(page.observations.size(), 1U);
  EXPECT_EQ(page.observations[0].judged.seen, seen(1));
  EXPECT_EQ(page.observations[0].judged.what, ObservationClass::fresh);
  EXPECT_EQ(page.observations[0].judged.leak, leaks[0].id);
  EXPECT_EQ(page.observations[0].edge, "edge");
}

TEST_F(LeaksTest, ABatchCountsOnceHoweverOftenItComes) {
  const Leaks::Batch once = batch({seen(1), seen(2, 1s)});
  EXPECT_TRUE(take(once));
  EXPECT_FALSE(take(once));
  open();
  EXPECT_FALSE(take(once));
  EXPECT_EQ(kept(), 2U);
  EXPECT_EQ(leaks_->list()[0].count, 2U);
  EXPECT_EQ(queue_.pushed.size(), 1U);
  EXPECT_EQ(leaks_->totals()[0], 2U);
}

TEST_F(LeaksTest, ARestartRemembersLeaksAndTries) {
  take(seen(1));
  const auto before = leaks_->list();
  open();
  EXPECT_EQ(leaks_->list(), before);
  take(batch({seen(1, 1s), seen(2, 2s)}));
  Observations::Query duplicates;
  duplicates.what = ObservationClass::duplicate;
  EXPECT_EQ(kept(duplicates), 1U);
  EXPECT_EQ(leaks_->list()[0].count, 2U);
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.new"));
}

TEST_F(LeaksTest, AnAlertThatTheQueueRefusedComesWithALaterTick) {
  queue_.fails = true;
  EXPECT_TRUE(take(seen(1)));
  EXPECT_TRUE(queue_.pushed.empty());
  open();  // a crash in between loses it as little
  queue_.fails = false;
  EXPECT_TRUE(leaks_->tick(kStart + 1s));
  EXPECT_TRUE(leaks_->tick(kStart + 2s));
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.new"));
}

TEST_F(LeaksTest, AnAlertThatTheListRefusedReachesTheSinksOnce) {
  const auto write = [&](const char* sql) {
    ASSERT_TRUE(database_->transact([&](SQLite::Database& tables) -> Result<void> {
      tables.exec(sql);
      return {};
    }));
  };
  write("CREATE TRIGGER full BEFORE UPDATE ON leak_alert BEGIN SELECT raise(ABORT, 'full'); END");
  EXPECT_TRUE(take(seen(1)));
  EXPECT_FALSE(leaks_->tick(kStart + 1s));
  EXPECT_FALSE(leaks_->tick(kStart + 2s));
  EXPECT_EQ(queue_.pushed.size(), 1U);
  write("DROP TRIGGER full");
  EXPECT_TRUE(leaks_->tick(kStart + 3s));
  EXPECT_TRUE(leaks_->tick(kStart + 4s));
  EXPECT_EQ(queue_.pushed.size(), 1U);
  EXPECT_EQ(alerts_->count().value(), 1U);
}

TEST_F(LeaksTest, ABatchThatCannotBeKeptLeavesNothingAndMayComeAgain) {
  ASSERT_TRUE(database_->transact([](SQLite::Database& tables) -> Result<void> {
    tables.exec("CREATE TRIGGER full BEFORE INSERT ON leak BEGIN SELECT raise(ABORT, 'full'); END");
    return {};
  }));
  const Leaks::Batch once = batch({seen(1)});
  EXPECT_FALSE(leaks_->take(once, kStart));
  EXPECT_TRUE(leaks_->list().empty());
  EXPECT_EQ(kept(), 0U);
  EXPECT_TRUE(queue_.pushed.empty());
  ASSERT_TRUE(database_->transact([](SQLite::Database& tables) -> Result<void> {
    tables.exec("DROP TRIGGER full");
    return {};
  }));
  EXPECT_TRUE(take(once));
  EXPECT_EQ(leaks_->list()[0].count, 1U);
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.new"));
}

TEST_F(LeaksTest, RevocationHoldsThoughTheHomeHasNotHeardOfIt) {
  take(seen(1));
  ASSERT_EQ(probes_->revoke("hall", "ann", kStart + 10s).value(), 1U);
  take(seen(2, 11s));
  Observations::Query retired;
  retired.what = ObservationClass::retired;
  const auto page = leaks_->observations().page(retired).value();
  ASSERT_EQ(page.count, 1U);
  EXPECT_TRUE(page.observations[0].judged.seen.retired);
  // It is known from this network: only one from elsewhere is news.
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.new"));
  Observation elsewhere = seen(3, 12s);
  elsewhere.source = address("198.51.100.77");
  take(elsewhere);
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.new", "probe.retired_call"));
  open();
  elsewhere.ping.sequence = 4;
  take(elsewhere);
  EXPECT_EQ(queue_.pushed.size(), 2U);
}

TEST_F(LeaksTest, WhatAHomeSawBeforeTheRevocationIsStillALeak) {
  ASSERT_TRUE(probes_->revoke("hall", "ann", kStart + 10s));
  Leaks::Batch late = batch({seen(1, 5s)});
  EXPECT_TRUE(take(late));
  EXPECT_EQ(leaks_->list().size(), 1U);
  // A home whose clock is an hour behind does not make it so.
  Leaks::Batch slow = batch({seen(2, 11s - 1h)});
  slow.clock_skew = -1h;
  EXPECT_TRUE(take(slow));
  Observations::Query retired;
  retired.what = ObservationClass::retired;
  EXPECT_EQ(kept(retired), 1U);
}

TEST_F(LeaksTest, NoHomeSpeaksForTheProbesOfAnother) {
  Leaks::Batch others = batch({seen(1)});
  others.source.edge = "other";
  EXPECT_TRUE(take(others));
  EXPECT_TRUE(leaks_->list().empty());
  EXPECT_TRUE(queue_.pushed.empty());
  EXPECT_TRUE(probes_->addresses_of(ProbeId{0x1122334455667788}).empty());
  Observations::Query unknown;
  unknown.what = ObservationClass::unknown_key;
  EXPECT_EQ(kept(unknown), 1U);
  EXPECT_EQ(leaks_->foreign(), 1U);
  // And it has not taken the number of the probe's own.
  take(seen(1));
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.new"));
  EXPECT_EQ(leaks_->foreign(), 1U);
}

TEST_F(LeaksTest, AHomeWhoseClockIsDaysOffClosesAndKeepsOpenNothingForIt) {
  for (const Duration skew : {Duration(-48h), Duration(48h)}) {
    const bool behind = skew < Duration{0};
    const MethodId method = behind ? MethodId::tcp_syn : MethodId::ip_proto;
    Observation first = seen(behind ? 1 : 100, skew);
    first.ping.method = method;
    Leaks::Batch off = batch({first});
    off.clock_skew = skew;
    EXPECT_TRUE(take(off));
    const auto find = [&] {
      for (const Leak& leak : leaks_->list())
        if (leak.method == method) return leak;
      return Leak{};
    };
    EXPECT_EQ(find().last, kStart);
    ASSERT_TRUE(leaks_->tick(kStart + 50min));
    EXPECT_FALSE(find().closed);
    open();  // and so after a restart
    ASSERT_TRUE(leaks_->tick(kStart + 55min));
    EXPECT_FALSE(find().closed);
    ASSERT_TRUE(leaks_->tick(kStart + 61min));
    EXPECT_TRUE(find().closed);
  }
}

TEST_F(LeaksTest, AnOutageOfTheServerClosesNothing) {
  leaks_->home_listened("edge", kStart);
  take(seen(1));
  ASSERT_TRUE(leaks_->tick(kStart + 1min));
  open();  // five hours later
  ASSERT_TRUE(leaks_->tick(kStart + 5h));
  leaks_->home_listened("edge", kStart + 5h);
  ASSERT_TRUE(leaks_->tick(kStart + 5h + 2s));
  EXPECT_FALSE(leaks_->list()[0].closed);
  open();
  leaks_->home_listened("edge", kStart + 5h + 30s);
  ASSERT_TRUE(leaks_->tick(kStart + 5h + 32s));
  EXPECT_FALSE(leaks_->list()[0].closed) << "the gap is known after a second restart too";
  for (int at = 1; at <= 62; ++at)
    leaks_->home_listened("edge", kStart + 5h + at * 1min);
  ASSERT_TRUE(leaks_->tick(kStart + 6h + 2min));
  EXPECT_TRUE(leaks_->list()[0].closed);
}

TEST_F(LeaksTest, ADecisionMutesUntilTheLeakIsSomethingElse) {
  take(seen(1));
  const std::string id = leaks_->list()[0].id;
  Triage::Entry entry;
  entry.subject = id;
  entry.decision = Triage::Decision::benign;
  entry.reason = "known";
  entry.made = kStart;
  ASSERT_TRUE(triage_->decide(entry));
  queue_.pushed.clear();
  Observation confirmed = seen(1, 2s);
  confirmed.ping.leg = Leg::confirmed;
  take(confirmed);
  EXPECT_TRUE(leaks_->list()[0].two_way);
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.two_way"));
  EXPECT_EQ(queue_.pushed[0].severity, Severity::critical);
  EXPECT_FALSE(triage_->find(id));
  EXPECT_EQ(triage_->history(id).value().back().what, "withdrawn");
}

TEST_F(LeaksTest, AnAnswerThatComesThroughAgainIsToldOfAgain) {
  Observation confirmed = seen(1);
  confirmed.ping.leg = Leg::confirmed;
  take(confirmed);
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.new", "leak.two_way"));
  ASSERT_TRUE(leaks_->tick(kStart + 3h));
  confirmed = seen(2, 4h);
  confirmed.ping.leg = Leg::confirmed;
  take(confirmed);
  EXPECT_THAT(queue_.kinds(), ElementsAre("leak.new", "leak.two_way", "leak.closed",
                                          "leak.reopened", "leak.two_way"));
  EXPECT_NE(queue_.pushed[1].id, queue_.pushed[4].id);
}

TEST_F(LeaksTest, AnAcknowledgedLeakIsToldOfAgainWhenItComesBackAndABenignOneIsNot) {
  for (const auto decision : {Triage::Decision::acknowledged, Triage::Decision::benign}) {
    const bool benign = decision == Triage::Decision::benign;
    const Duration start = benign ? Duration{10 * 24h} : Duration{0};
    Observation first = seen(benign ? 100 : 1, start);
    first.ping.cycle = benign ? 100 : 1;
    first.ping.method = benign ? MethodId::tcp_syn : MethodId::udp_port;
    take(first);
    const auto leaks = leaks_->list();
    const auto leak = std::find_if(leaks.begin(), leaks.end(), [&](const Leak& each) {
      return each.method == first.ping.method;
    });
    ASSERT_NE(leak, leaks.end());
    Triage::Entry entry;
    entry.subject = leak->id;
    entry.decision = decision;
    entry.reason = "in work";
    entry.made = kStart;
    ASSERT_TRUE(triage_->decide(entry));
    queue_.pushed.clear();
    ASSERT_TRUE(leaks_->tick(kStart + start + 30h));
    ASSERT_TRUE(leaks_->find(leak->id)->closed);
    Observation again = first;
    again.received = again.ping.sent = kStart + start + 31h;
    ++again.ping.sequence;
    take(again);
    EXPECT_EQ(leaks_->find(leak->id)->times_opened, 2U);
    std::vector<std::string> told;
    for (const Alert& alert : queue_.pushed) {
      if (alert.subject == entry.subject) told.push_back(alert.kind);
    }
    if (benign) {
      EXPECT_THAT(told, ElementsAre());
    } else {
      EXPECT_THAT(told, ElementsAre("leak.reopened"));
    }
  }
}

TEST_F(LeaksTest, AMissingPositiveControlIsToldOfOnceAndSoIsItsReturn) {
  KeptProbe probe;
  probe.name = "watched";
  probe.id = ProbeId{5};
  probe.home = "edge";
  probe.created = kStart;
  probe.control = ControlKind::home;
  probe.control_every = 600s;
  ASSERT_TRUE(probes_->add(probe));
  ASSERT_TRUE(leaks_->tick(kStart + 10min));
  EXPECT_TRUE(queue_.pushed.empty());
  ASSERT_TRUE(leaks_->tick(kStart + 21min));
  EXPECT_THAT(queue_.kinds(), ElementsAre("probe.silent"));
  open();
  ASSERT_TRUE(leaks_->tick(kStart + 22min));
  EXPECT_EQ(queue_.pushed.size(), 1U);
  Observation control = seen(1, 23min);
  control.ping.method = MethodId::control;
  control.ping.probe = ProbeId{5};
  control.carrier = Carrier::injected;
  take(control);
  EXPECT_THAT(queue_.kinds(), ElementsAre("probe.silent", "probe.heard"));
  EXPECT_TRUE(leaks_->list().empty());
  EXPECT_EQ(leaks_->last_control(ProbeId{5}), kStart + 23min);
}

TEST_F(LeaksTest, PrunesObservationsButNotWhatItKnowsOfBatchesAndLeaks) {
  settings_.most_observations = 3;
  leaks_->set_settings(settings_);
  const Leaks::Batch first = batch({seen(1), seen(2), seen(3)});
  take(first);
  take(batch({seen(4), seen(5)}));
  ASSERT_TRUE(leaks_->tick(kStart + 2min));
  EXPECT_EQ(kept(), 3U);
  EXPECT_FALSE(take(first));
  // Beyond the retention nothing of it is left, and it still does not come back.
  ASSERT_TRUE(leaks_->tick(kStart + 24h * 200));
  EXPECT_EQ(kept(), 0U);
  EXPECT_FALSE(take(first));
  EXPECT_EQ(leaks_->list()[0].count, 5U);
  EXPECT_EQ(leaks_->totals()[0], 5U);
}

TEST_F(LeaksTest, WhatAnybodyCanSendDrivesNoEvidenceOut) {
  settings_.most_observations = 20;
  leaks_->set_settings(settings_);
  take(seen(1));
  Observation unknown = seen(0);
  unknown.authenticity = Authenticity::unknown_key;
  unknown.ping = {};
  for (int i = 0; i < 10; ++i)
    take(batch(std::vector<Observation>(10, unknown)));
  ASSERT_TRUE(leaks_->tick(kStart + 2min));
  Observations::Query fresh;
  fresh.what = ObservationClass::fresh;
  EXPECT_EQ(kept(fresh), 1U);
  EXPECT_EQ(kept(), 3U);
  EXPECT_EQ(leaks_->observations().newest(100).value().size(), 1U);
  // Of batches that have no row left the numbers alone remain.
  const auto rows = database_->transact([](SQLite::Database& tables) -> Result<int> {
    return tables.execAndGet("SELECT count(*) FROM observation_batch").getInt();
  });
  EXPECT_EQ(rows.value(), 2);
}

TEST_F(LeaksTest, AServersWrongClockMakesNothingALoss) {
  settings_.most_observations = 2;
  leaks_->set_settings(settings_);
  Leaks::Batch early = batch({seen(1), seen(2)});
  early.source.accepted = kStart + 24h * 3650;
  ASSERT_TRUE(leaks_->take(early, early.source.accepted).value());
  ASSERT_TRUE(leaks_->tick(kStart + 24h * 7300));
  EXPECT_EQ(kept(), 0U);
  // The clock is right again.
  EXPECT_FALSE(take(early)) << "it was kept";
  EXPECT_TRUE(take(batch({seen(3)}))) << "it was not";
  EXPECT_EQ(kept(), 1U);
}

TEST_F(LeaksTest, AControlThatHomeMadeSaysNotWhereItsProbeIs) {
  Observation control = seen(7);
  control.ping.method = MethodId::control;
  control.carrier = Carrier::injected;
  control.source = control.destination = address("127.0.0.1");
  take(control);
  EXPECT_TRUE(probes_->addresses_of(control.ping.probe).empty());
  Timestamp next_end{};
  EXPECT_TRUE(probes_->schedules(kStart, next_end).at(0).known_outer.empty());
}

TEST_F(LeaksTest, FiltersObservations) {
  Observation unknown = seen(0);
  unknown.authenticity = Authenticity::unknown_key;
  unknown.ping = {};
  unknown.receiver = "sniffer";
  Observation dns = seen(7, 1s);
  dns.ping.method = MethodId::dns;
  dns.carrier = Carrier::dns_question;
  dns.receiver = "dns";
  take(batch({seen(1), unknown, dns}));
  const auto matching = [&](const std::function<void(Observations::Query&)>& set) {
    Observations::Query query;
    set(query);
    return kept(query);
  };
  EXPECT_EQ(matching([](auto& q) { q.what = ObservationClass::unknown_key; }), 1U);
  EXPECT_EQ(matching([](auto& q) { q.method = MethodId::dns; }), 1U);
  EXPECT_EQ(matching([](auto& q) { q.receiver = "sniffer"; }), 1U);
  EXPECT_EQ(matching([](auto& q) { q.edge = "edge"; }), 3U);
  EXPECT_EQ(matching([](auto& q) { q.edge = "other"; }), 0U);
  EXPECT_EQ(matching([](auto& q) { q.since = kStart + 1s; }), 1U);
  EXPECT_EQ(matching([](auto& q) { q.probe = "1122334455667788"; }), 2U);
  // Pages: newest first, without gaps.
  Observations::Query query;
  query.limit = 2;
  const auto first = leaks_->observations().page(query).value();
  ASSERT_EQ(first.observations.size(), 2U);
  EXPECT_EQ(first.observations[0].judged.seen.receiver, "dns");
  query.before = first.next;
  const auto second = leaks_->observations().page(query).value();
  ASSERT_EQ(second.observations.size(), 1U);
  EXPECT_EQ(second.observations[0].judged.seen.receiver, "udp");
  EXPECT_EQ(second.next, 0U);
}

TEST(LeakRow, GivesTheWholeLeakBack) {
  Leak leak;
  leak.id = "0123456789abcdef";
  leak.probe = ProbeId{7};
  leak.method = MethodId::dns;
  leak.ipv6 = true;
  leak.path = PathKind::resolver;
  leak.outer_source = address("2001:db8::53");
  leak.via = address("10.0.1.1");
  leak.inside = address("10.0.1.9");
  leak.two_way = true;
  leak.first = kStart;
  leak.last = kStart + 2h;
  leak.opened = kStart + 1h;
  leak.closed = kStart + 2h;
  leak.count = 1;
  leak.duplicates = 2;
  leak.replayed = 3;
  leak.late = 4;
  leak.times_opened = 5;
  leak.seen_in = CycleKind::short_cycle;
  leak.ports = {{53, 53}, {1000, 2000}};
  leak.variants = {1, 255};
  leak.ttl = 63;
  leak.widened_in = {3, 4};
  leak.open_times = {{kStart, kStart + 1min}};
  EXPECT_EQ(leak_from_row(leak_row(leak)).value(), leak);
  EXPECT_FALSE(leak_from_row("{}"));
  EXPECT_FALSE(leak_from_row("no JSON"));
}

}  // namespace
}  // namespace beaconry
