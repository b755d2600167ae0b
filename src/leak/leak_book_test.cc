#include "leak/leak_book.h"

#include <gmock/gmock.h>

#include "leak/port_ranges.h"
#include "leak/test_observation.h"

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using test::address;
using test::exceeded_seen;
using test::kProbe;
using test::kStart;
using test::ping_seen;
using test::token_seen;

std::vector<LeakChange> kinds(const LeakBook::Outcome& outcome) {
  std::vector<LeakChange> all;
  for (const auto& change : outcome.changes)
    all.push_back(change.kind);
  return all;
}
using testing::ElementsAre;
using testing::IsEmpty;

ProbeSchedule schedule() {
  ProbeSchedule told;
  told.probe = kProbe;
  told.name = "hall 3";
  told.added = kStart;
  return told;
}

class Book : public testing::Test {
 protected:
  Book() { book.set_probes({schedule()}); }
  Leak only() {
    const auto all = book.leaks();
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Leak{} : all.front();
  }
  LeakBook book;
};

TEST_F(Book, OpensALeakWithTheFirstPing) {
  const auto outcome = book.add(ping_seen(1));
  EXPECT_EQ(outcome.what, ObservationClass::fresh);
  EXPECT_THAT(kinds(outcome), ElementsAre(LeakChange::opened));
  const Leak leak = only();
  EXPECT_EQ(leak.id, outcome.leak_id);
  EXPECT_EQ(leak.id.size(), 16u);
  EXPECT_EQ(leak.path, PathKind::nat);
  EXPECT_EQ(leak.outer_source, address("203.0.113.1"));
  EXPECT_EQ(leak.inside, address("10.0.1.9"));
  EXPECT_EQ(leak.count, 1u);
  EXPECT_EQ(leak.ports, (PortRanges{{443, 443}}));
  EXPECT_EQ(book.find(leak.id), leak);
  EXPECT_EQ(book.last_heard(kProbe), kStart);
}

TEST_F(Book, CountsARetransmissionOnce) {
  book.add(ping_seen(1));
  const auto outcome = book.add(ping_seen(1, 9min));
  EXPECT_EQ(outcome.what, ObservationClass::duplicate);
  EXPECT_THAT(outcome.changes, IsEmpty());
  EXPECT_EQ(only().count, 1u);
  EXPECT_EQ(only().duplicates, 1u);
}

TEST_F(Book, TakesASecondWayOfOneBroadcastForALeakOfItsOwn) {
  Observation o = ping_seen(1);
  o.ping.method = MethodId::ethernet_broadcast;
  book.add(o);
  o.source = address("198.51.100.1");
  const auto outcome = book.add(o);
  EXPECT_EQ(outcome.what, ObservationClass::duplicate);
  EXPECT_THAT(kinds(outcome), ElementsAre(LeakChange::opened));
  EXPECT_EQ(book.leaks().size(), 2u);
}

TEST_F(Book, OpensNothingForAPingThatSomebodyRepeatsFromElsewhere) {
  book.add(ping_seen(1));
  Observation repeated = ping_seen(1, 5s);
  repeated.source = address("192.0.2.66");
  EXPECT_EQ(book.add(repeated).what, ObservationClass::duplicate);
  EXPECT_EQ(book.leaks().size(), 1u);
  repeated.received += 1h;
  const auto outcome = book.add(repeated);
  EXPECT_EQ(outcome.what, ObservationClass::replayed);
  EXPECT_EQ(outcome.leak_id, "");
  EXPECT_EQ(only().replayed, 1u);
  repeated.carrier = Carrier::dns_question;  // dressed up as a question
  EXPECT_EQ(book.add(repeated).what, ObservationClass::replayed);
  EXPECT_EQ(book.leaks().size(), 1u);
  EXPECT_EQ(only().last, kStart);
}

TEST_F(Book, MakesNoLeakOfAnUnknownKey) {
  Observation o = ping_seen(0);
  o.authenticity = Authenticity::unknown_key;
  o.ping = Ping{};
  EXPECT_EQ(book.add(o).what, ObservationClass::unknown_key);
  EXPECT_THAT(book.leaks(), IsEmpty());
}

TEST_F(Book, TakesAProbeThatItWasNotToldOfForAnUnknownKey) {
  for (std::uint64_t at = 0; at < 2 * LeakBook::kMostProbes; ++at) {
    Observation o = ping_seen(1);
    o.ping.probe.value = at + 1;
    EXPECT_EQ(book.add(o).what, ObservationClass::unknown_key);
  }
  EXPECT_THAT(book.leaks(), IsEmpty());
  ProbeSchedule told = schedule();
  told.probe.value = 7;
  book.set_probes({told});  // room is left for it
  Observation o = ping_seen(1);
  o.ping.probe.value = 7;
  EXPECT_EQ(book.add(o).what, ObservationClass::fresh);
}

Observation question(std::uint64_t sequence, Duration at) {
  Observation o = ping_seen(sequence, at);
  o.ping.method = MethodId::dns;
  o.ping.via = address("10.0.1.1");
  o.ping.port = 53;
  o.carrier = Carrier::dns_question;
  return o;
}

TEST_F(Book, CallsAResolversPrefetchLateAndReopensNothingForIt) {
  book.add(question(1, 0s));
  EXPECT_THAT(kinds(book.tick(kStart + 61min)), ElementsAre(LeakChange::closed));
  Observation ghost = question(1, 0s);
  ghost.received = kStart + 72h;
  const auto outcome = book.add(ghost);
  EXPECT_EQ(outcome.what, ObservationClass::late);
  EXPECT_THAT(outcome.changes, IsEmpty());
  EXPECT_EQ(only().late, 1u);
  EXPECT_EQ(only().closed, kStart);
}

TEST_F(Book, LetsALateFirstArrivalOpenALeakButReopenNone) {
  for (std::uint64_t at = 1; at < 5; ++at)
    book.add(ping_seen(at + 1, std::chrono::hours(at)));
  Observation queued = ping_seen(1);
  queued.ping.method = MethodId::syslog;
  queued.carrier = Carrier::text;
  queued.ping.via = address("10.0.1.4");
  queued.received = kStart + 4h;
  auto outcome = book.add(queued);
  EXPECT_EQ(outcome.what, ObservationClass::late);
  EXPECT_THAT(kinds(outcome), ElementsAre(LeakChange::opened));
  book.tick(kStart + 10h);
  book.add(ping_seen(20, 10h));
  Observation more = ping_seen(9, 5h);
  more.ping.method = MethodId::syslog;
  more.carrier = Carrier::text;
  more.ping.via = address("10.0.1.4");
  more.received = kStart + 10h;
  outcome = book.add(more);
  EXPECT_EQ(outcome.what, ObservationClass::late);
  EXPECT_THAT(outcome.changes, IsEmpty());
  EXPECT_EQ(book.find(outcome.leak_id)->count, 2u);
}

TEST_F(Book, ToleratesAClockThatIsDaysOff) {
  for (std::uint64_t at = 1; at < 20; ++at) {
    Observation o = ping_seen(at, std::chrono::minutes(at));
    o.ping.sent -= 50h;
    EXPECT_EQ(book.add(o).what, ObservationClass::fresh);
  }
  EXPECT_EQ(only().count, 19u);
}

TEST_F(Book, ClosesALeakOnceTwoCyclesMissedItAndOpensItAgain) {
  book.add(ping_seen(1));
  book.add(ping_seen(2, 30min));
  EXPECT_THAT(book.tick(kStart + 90min).changes, IsEmpty());
  EXPECT_THAT(kinds(book.tick(kStart + 90min + 1s)), ElementsAre(LeakChange::closed));
  EXPECT_EQ(only().closed, kStart + 30min);
  EXPECT_THAT(book.tick(kStart + 95min).changes, IsEmpty()) << "it is told once";
  EXPECT_THAT(kinds(book.add(ping_seen(3, 5h))), ElementsAre(LeakChange::reopened));
  const Leak leak = only();
  EXPECT_EQ(leak.times_opened, 2u);
  EXPECT_EQ(leak.opened, kStart + 5h);
  EXPECT_EQ(leak.first, kStart);
  EXPECT_FALSE(leak.closed);
  EXPECT_THAT(leak.open_times, ElementsAre(std::pair(kStart, Timestamp(kStart + 30min))));
}

TEST_F(Book, WaitsForTheLongCycleWhereOnlyItSawTheLeak) {
  Observation o = ping_seen(1);
  o.ping.cycle_kind = CycleKind::long_cycle;
  book.add(o);
  EXPECT_THAT(book.tick(kStart + 27 * 24h).changes, IsEmpty());
  EXPECT_THAT(kinds(book.tick(kStart + 29 * 24h)), ElementsAre(LeakChange::closed));
}

TEST_F(Book, WaitsForAProbeWhoseCyclesTakeLongerThanTheirPeriod) {
  Observation o = ping_seen(1);
  book.add(o);
  o = ping_seen(50, 75min);
  o.ping.cycle = 2;
  book.add(o);
  EXPECT_THAT(book.tick(kStart + 75min + 61min).changes, IsEmpty());
  EXPECT_THAT(kinds(book.tick(kStart + 75min + 151min)), ElementsAre(LeakChange::closed));
}

TEST_F(Book, ClosesNothingWhileNoHomeListens) {
  book.add(ping_seen(1));
  book.home_listened("", kStart + 10min);
  EXPECT_THAT(book.tick(kStart + 5h).changes, IsEmpty());
  book.home_listened("", kStart + 5h);  // deaf from minute 10 on
  EXPECT_THAT(book.tick(kStart + 5h).changes, IsEmpty());
  for (int at = 0; at <= 51; ++at)
    book.home_listened("", kStart + 5h + at * 1min);
  EXPECT_THAT(kinds(book.tick(kStart + 5h + 51min)), ElementsAre(LeakChange::closed));
}

TEST_F(Book, AsksTheHomeOfTheLeaksProbeAndNoOther) {
  ProbeSchedule told = schedule();
  told.home = "outside";
  book.set_probes({told});
  book.add(ping_seen(1));
  book.home_listened("outside", kStart + 10min);
  for (int at = 0; at <= 300; ++at)
    book.home_listened("another", kStart + at * 1min);
  EXPECT_THAT(book.tick(kStart + 5h).changes, IsEmpty());
  LeakBook again;  // as after a restart
  again.set_probes({told});
  again.restore(book.leaks());
  again.restore_hearings(book.hearings());
  EXPECT_THAT(again.tick(kStart + 5h).changes, IsEmpty());
  again.home_listened("outside", kStart + 5h);
  EXPECT_THAT(again.tick(kStart + 5h).changes, IsEmpty()) << "deaf from minute 10 on";
  for (int at = 0; at <= 51; ++at)
    again.home_listened("outside", kStart + 5h + at * 1min);
  EXPECT_THAT(kinds(again.tick(kStart + 5h + 51min)), ElementsAre(LeakChange::closed));
}

TEST_F(Book, TellsOfTheFirstPortBeyondWhatAWholeCycleKnew) {
  book.add(ping_seen(1));
  Observation o = ping_seen(2, 1min);
  o.ping.port = 53;
  EXPECT_THAT(book.add(o).changes, IsEmpty()) << "the same cycle still finds what there is";
  o = ping_seen(3, 31min);
  o.ping.cycle = 2;
  EXPECT_THAT(book.add(o).changes, IsEmpty()) << "a port that is known";
  o = ping_seen(4, 32min);
  o.ping.cycle = 2;
  o.ping.port = 8080;
  EXPECT_THAT(kinds(book.add(o)), ElementsAre(LeakChange::widened));
  o = ping_seen(5, 33min);
  o.ping.cycle = 2;
  o.ping.port = 8443;
  EXPECT_THAT(book.add(o).changes, IsEmpty()) << "one alert a cycle is enough";
  o = ping_seen(6, 61min);
  o.ping.cycle = 3;
  o.ping.port = 22;
  EXPECT_THAT(kinds(book.add(o)), ElementsAre(LeakChange::widened));
  EXPECT_EQ(only().ports, (PortRanges{{22, 22}, {53, 53}, {443, 443}, {8080, 8080}, {8443, 8443}}));
}

TEST_F(Book, KnowsTwoWayByTheThirdLeg) {
  book.add(ping_seen(1));
  Observation third = ping_seen(1, 1s);
  third.ping.leg = Leg::confirmed;
  auto outcome = book.add(third);
  EXPECT_EQ(outcome.what, ObservationClass::fresh);
  EXPECT_THAT(kinds(outcome), ElementsAre(LeakChange::two_way));
  EXPECT_TRUE(only().two_way);
  EXPECT_EQ(only().count, 1u);
  third = ping_seen(2, 2s);
  third.ping.leg = Leg::confirmed;
  EXPECT_THAT(book.add(third).changes, IsEmpty()) << "it is told once";
}

TEST_F(Book, HasToSeeTheAnswerAgainOnceALeakIsBack) {
  book.add(ping_seen(1));
  Observation third = ping_seen(1, 1s);
  third.ping.leg = Leg::confirmed;
  book.add(third);
  book.tick(kStart + 2h);
  EXPECT_THAT(kinds(book.add(ping_seen(2, 3h))), ElementsAre(LeakChange::reopened));
  EXPECT_FALSE(only().two_way);
  third = ping_seen(2, 3h + 1s);
  third.ping.leg = Leg::confirmed;
  EXPECT_THAT(kinds(book.add(third)), ElementsAre(LeakChange::two_way));
}

TEST_F(Book, IgnoresItsOwnRepliesThatComeBack) {
  Observation o = ping_seen(1);
  o.ping.leg = Leg::reply;
  book.add(o);
  EXPECT_THAT(book.leaks(), IsEmpty());
}

TEST_F(Book, MergesATokenWithTheNeighbourOfItsLastByte) {
  book.add(token_seen({}, 443));
  book.add(token_seen({}, 22));
  EXPECT_EQ(only().via, IpAddress::v4(50));
  Observation other = ping_seen(1, 11min);  // names a neighbour that ends in .50
  other.ping.method = MethodId::neighbour_gateway;
  other.ping.via = address("10.0.1.50");
  book.add(other);
  book.add(token_seen(12min, 443));
  const auto outcome = book.add(token_seen(12min, 22));
  EXPECT_EQ(outcome.what, ObservationClass::fresh);
  EXPECT_EQ(book.find(outcome.leak_id)->via, address("10.0.1.50"));
  Observation echo = ping_seen(2, 13min);
  echo.ping.method = MethodId::spoof_bounce;
  echo.carrier = Carrier::echo_reply;
  echo.ping.via = address("10.0.1.50");
  EXPECT_EQ(book.add(echo).leak_id, outcome.leak_id);
  EXPECT_EQ(book.find(outcome.leak_id)->count, 3u);
}

TEST_F(Book, BelievesATokenOnceASecondPortOrFormAgrees) {
  EXPECT_EQ(book.add(token_seen(1min, 443)).what, ObservationClass::unconfirmed);
  EXPECT_EQ(book.add(token_seen(1min, 443)).what, ObservationClass::unconfirmed) << "sent twice";
  EXPECT_EQ(book.add(token_seen(12min, 22)).what, ObservationClass::unconfirmed) << "too late";
  EXPECT_THAT(book.leaks(), IsEmpty());
  EXPECT_EQ(book.add(token_seen(13min, 80)).what, ObservationClass::fresh);
  EXPECT_THAT(book.leaks(), testing::SizeIs(1));
}

TEST_F(Book, BelievesARouterByASecondProtocolThatItQuotes) {
  EXPECT_EQ(book.add(exceeded_seen(1min, 17)).what, ObservationClass::unconfirmed);
  EXPECT_EQ(book.add(exceeded_seen(1min, 17)).what, ObservationClass::unconfirmed) << "sent twice";
  const auto outcome = book.add(exceeded_seen(2min, 6));
  EXPECT_EQ(outcome.what, ObservationClass::fresh);
  EXPECT_THAT(kinds(outcome), ElementsAre(LeakChange::opened));
  EXPECT_EQ(only().method, MethodId::spoof_ttl);
}

TEST_F(Book, BelievesANeighbourByTheNextHoursToken) {
  EXPECT_EQ(book.add(exceeded_seen(35min, 17)).what, ObservationClass::unconfirmed);
  EXPECT_EQ(book.add(exceeded_seen(55min, 17)).what, ObservationClass::unconfirmed);
  EXPECT_EQ(book.add(exceeded_seen(65min, 17)).what, ObservationClass::fresh);
  EXPECT_THAT(book.leaks(), testing::SizeIs(1));
}

TEST_F(Book, CallsATokenOfAnHourThatIsOverLateOrReplayed) {
  book.add(ping_seen(1, 10min));
  book.add(token_seen(10min, 443));
  EXPECT_EQ(book.add(token_seen(10min, 22)).what, ObservationClass::fresh);
  EXPECT_EQ(book.add(token_seen(15min)).what, ObservationClass::duplicate);
  book.add(token_seen(35min, 443));
  EXPECT_EQ(book.add(token_seen(35min, 22)).what, ObservationClass::fresh)
      << "the next short cycle's";
  Observation old = token_seen(35min);
  old.received = kStart + 5h;
  EXPECT_EQ(book.add(old).what, ObservationClass::replayed);
  book.add(token_seen(5h, 443));
  EXPECT_EQ(book.add(token_seen(5h, 22)).what, ObservationClass::fresh);
}

TEST_F(Book, TakesAControlForNoLeakAndItsAbsenceForSilence) {
  ProbeSchedule told = schedule();
  told.control_every = 600s;
  book.set_probes({told});
  EXPECT_THAT(book.tick(kStart + 20min).probes, IsEmpty());
  Observation control = ping_seen(1, 15min);
  control.ping.method = MethodId::control;
  EXPECT_EQ(book.add(control).what, ObservationClass::fresh);
  EXPECT_EQ(book.last_control(kProbe), kStart + 15min);
  EXPECT_THAT(book.tick(kStart + 35min).probes, IsEmpty());
  auto outcome = book.tick(kStart + 35min + 1s);
  ASSERT_EQ(outcome.probes.size(), 1u);
  EXPECT_EQ(outcome.probes[0].kind, LeakBook::ProbeNews::silent);
  EXPECT_EQ(outcome.probes[0].since, kStart + 15min);
  EXPECT_THAT(outcome.probes[0].words, testing::HasSubstr("hall 3"));
  EXPECT_THAT(book.tick(kStart + 40min).probes, IsEmpty()) << "it is told once";
  control = ping_seen(2, 50min);
  control.ping.method = MethodId::control;
  outcome = book.add(control);
  ASSERT_EQ(outcome.probes.size(), 1u);
  EXPECT_EQ(outcome.probes[0].kind, LeakBook::ProbeNews::heard_again);
  EXPECT_THAT(book.leaks(), IsEmpty());
}

// As home makes it: by its own clock, whose microseconds are the number.
Observation injected_control(Duration at) {
  Observation o = ping_seen(0, at);
  o.carrier = Carrier::injected;
  o.ping.method = MethodId::control;
  o.ping.sequence = static_cast<std::uint64_t>(o.received.time_since_epoch().count());
  o.ping.cycle = 0;
  o.source = o.destination = address("127.0.0.1");
  return o;
}

TEST_F(Book, HidesNoPingBehindTheNumberOfAControlThatHomeMade) {
  book.remember(injected_control(0s));
  book.remember(injected_control(10min));
  EXPECT_EQ(book.last_control(kProbe), kStart + 10min);
  EXPECT_EQ(book.last_heard(kProbe), std::nullopt) << "nothing came from the probe";
  EXPECT_THAT(book.known_outer(kProbe), IsEmpty());
  const auto outcome = book.add(ping_seen(1, 11min));
  EXPECT_EQ(outcome.what, ObservationClass::fresh);
  EXPECT_THAT(kinds(outcome), ElementsAre(LeakChange::opened));
}

TEST_F(Book, LearnsNoClockFromAControlThatHomeMade) {
  // A probe whose clock is three days behind is heard between controls that are not.
  for (std::uint64_t at = 1; at < 40; ++at) {
    EXPECT_EQ(book.add(injected_control(std::chrono::minutes(2 * at))).what,
              ObservationClass::fresh);
    Observation o = ping_seen(at, std::chrono::minutes(2 * at + 1));
    o.ping.sent -= 72h;
    EXPECT_EQ(book.add(o).what, ObservationClass::fresh) << at;
  }
  EXPECT_EQ(only().last, kStart + 79min);
}

TEST_F(Book, ClosesNothingOfAProbeThatNobodyHeardMeanwhile) {
  ProbeSchedule told = schedule();
  told.control_every = 600s;
  book.set_probes({told});
  book.add(ping_seen(1));
  book.add(injected_control(5min));
  EXPECT_THAT(book.tick(kStart + 61min).changes, IsEmpty()) << "its control is overdue";
  EXPECT_THAT(book.tick(kStart + 5h).changes, IsEmpty());
  book.add(injected_control(5h));
  EXPECT_THAT(kinds(book.tick(kStart + 5h)), ElementsAre(LeakChange::closed));
}

TEST_F(Book, ClosesNothingOfARetiredProbe) {
  book.add(ping_seen(1));
  ProbeSchedule told = schedule();
  told.retired = kStart + 10min;
  book.set_probes({told});
  EXPECT_THAT(book.tick(kStart + 5h).changes, IsEmpty());
}

TEST_F(Book, TellsOfAProbeThatWasNeverHeard) {
  ProbeSchedule told = schedule();
  told.control_every = 600s;
  book.set_probes({told});
  ASSERT_EQ(book.tick(kStart + 21min).probes.size(), 1u);
}

TEST_F(Book, TellsOfARetiredProbeThatCallsFromANewNetwork) {
  book.add(ping_seen(1));
  ProbeSchedule told = schedule();
  told.retired = kStart + 1h;
  told.known_outer = {address("198.51.100.0")};
  book.set_probes({told});
  auto outcome = book.add(ping_seen(2, 2h));
  EXPECT_EQ(outcome.what, ObservationClass::retired);
  EXPECT_THAT(outcome.probes, IsEmpty()) << "from where it always was";
  Observation o = ping_seen(3, 3h);
  o.source = address("198.51.100.200");
  EXPECT_THAT(book.add(o).probes, IsEmpty()) << "from where it was before this book";
  o = ping_seen(4, 3h);
  o.source = address("192.0.2.5");
  outcome = book.add(o);
  ASSERT_EQ(outcome.probes.size(), 1u);
  EXPECT_EQ(outcome.probes[0].kind, LeakBook::ProbeNews::retired_call);
  EXPECT_EQ(outcome.probes[0].outer_source, address("192.0.2.5"));
  o = ping_seen(5, 4h);
  o.source = address("192.0.2.6");
  EXPECT_THAT(book.add(o).probes, IsEmpty()) << "that network is known now";
  EXPECT_EQ(only().count, 1u) << "a retired probe's calls are no leaks";
}

TEST_F(Book, IsNotFloodedByWhoeverHasARetiredKey) {
  ProbeSchedule told = schedule();
  told.retired = kStart;
  book.set_probes({told});
  std::size_t alerts = 0;
  for (std::uint32_t at = 0; at < 3000; ++at) {
    Observation o = ping_seen(at + 1, std::chrono::seconds(at));
    o.source = IpAddress::v4(0x0b000000u + (at << 8));
    const auto outcome = book.add(o);
    EXPECT_EQ(outcome.what, ObservationClass::retired);
    alerts += outcome.probes.size();
  }
  EXPECT_EQ(alerts, 5u);
  Observation o = ping_seen(1, 5h);  // an old one, sent again
  EXPECT_EQ(book.add(o).what, ObservationClass::retired);
}

TEST_F(Book, HoldsHomesWordThatAKeyIsRetired) {
  Observation o = ping_seen(1);
  o.retired = true;
  EXPECT_EQ(book.add(o).what, ObservationClass::retired);
  EXPECT_THAT(book.leaks(), IsEmpty());
}

TEST_F(Book, StaysBoundedWhateverArrives) {
  for (std::uint32_t at = 0; at < 3 * LeakBook::kMostLeaksOfAProbe; ++at) {
    Observation o = ping_seen(at + 1, std::chrono::seconds(at));
    o.source = IpAddress::v4(0x0b000000u + (at << 8));
    book.add(o);
  }
  EXPECT_EQ(book.leaks().size(), LeakBook::kMostLeaksOfAProbe);
  EXPECT_EQ(book.leaks_refused(), 2 * LeakBook::kMostLeaksOfAProbe);
  std::vector<ProbeSchedule> many(2 * LeakBook::kMostProbes, schedule());
  for (std::size_t at = 0; at < many.size(); ++at)
    many[at].probe.value = at + 1;
  book.set_probes(many);
  for (std::uint64_t at = 0; at < 2 * LeakBook::kMostProbes; ++at) {
    Observation o = ping_seen(1);
    o.ping.probe.value = at + 1;
    book.add(o);
  }
  EXPECT_LE(book.leaks().size(), LeakBook::kMostLeaksOfAProbe + LeakBook::kMostProbes);
}

TEST_F(Book, GivesUpAClosedLeakForANewOne) {
  for (std::uint32_t at = 0; at < LeakBook::kMostLeaksOfAProbe; ++at) {
    Observation o = ping_seen(at + 1, std::chrono::seconds(at));
    o.source = IpAddress::v4(0x0b000000u + (at << 8));
    book.add(o);
  }
  book.tick(kStart + 24h);
  const auto outcome = book.add(ping_seen(100'000, 25h));
  EXPECT_THAT(kinds(outcome), ElementsAre(LeakChange::opened));
  ASSERT_EQ(outcome.dropped.size(), 1u);
  EXPECT_EQ(book.find(outcome.dropped[0]), std::nullopt);
  EXPECT_EQ(book.leaks().size(), LeakBook::kMostLeaksOfAProbe);
}

}  // namespace
}  // namespace beaconry
