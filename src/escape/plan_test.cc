#include "escape/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>

namespace beaconry {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Timestamp kStart{seconds(1'800'000'000)};
const IpAddress kHome = *IpAddress::parse("203.0.113.10");
const IpAddress kHome6 = *IpAddress::parse("2001:db8::10");

// What frames would go out on: nothing does, here.
class NoLink : public Link {
 public:
  const InterfaceFacts& facts() const override { return facts_; }
  Result<void> send(ByteView, Timestamp) override { return {}; }
  Result<std::optional<ByteView>> receive(std::chrono::milliseconds) override {
    return std::optional<ByteView>();
  }
  int descriptor() const override { return -1; }
  std::uint64_t drops() const override { return 0; }

 private:
  InterfaceFacts facts_;
};

// Home's ports, of each of its families.
TargetCount count_ports(const Scope& scope) {
  const std::uint64_t families = (scope.home_v4() ? 1 : 0) + (scope.home_v6() ? 1 : 0);
  const std::uint64_t ports = scope.cycle == CycleKind::long_cycle ? 65'535 : 3;
  return {families * ports, families == 0 ? "no address of ours in home's family" : ""};
}
Target port_target(const Scope& scope, std::uint64_t index) {
  const std::uint64_t ports = scope.cycle == CycleKind::long_cycle ? 65'535 : 3;
  Target target;
  target.destination = index < ports && scope.home_v4() ? *scope.home_v4() : *scope.home_v6();
  target.port = static_cast<std::uint16_t>(index % ports + 1);
  return target;
}
TargetCount count_resolvers(const Scope& scope) {
  const auto count = scope.segment.resolvers().size();
  return {count, count == 0 ? "no resolver is known" : ""};
}
Target resolver_target(const Scope& scope, std::uint64_t index) {
  Target target;
  target.via = scope.segment.resolvers().at(index);
  return target;
}
TargetCount count_one(const Scope&) {
  return {1, {}};
}
Target control_target(const Scope& scope, std::uint64_t) {
  Target target;
  target.destination = scope.config.control->destination;
  target.port = scope.config.control->port;
  return target;
}
std::unique_ptr<Conversation> run_nothing(Wire&) {
  return nullptr;
}

constexpr Method kUdp{MethodId::udp_port, "",          Risk::none, "", 0, false,
                      count_ports,        port_target, run_nothing};
constexpr Method kTcp{MethodId::tcp_connect, "",          Risk::none, "", 0, true,
                      count_ports,           port_target, run_nothing};
constexpr Method kDns{MethodId::dns,   "",         Risk::none, "", 0, false, count_resolvers,
                      resolver_target, run_nothing};
constexpr Method kSpoof{MethodId::spoof_inside,
                        "",
                        Risk::medium,
                        "",
                        kSpoofed,
                        false,
                        count_one,
                        port_target,
                        run_nothing};
constexpr Method kControl{MethodId::control, "",         Risk::none, "", 0, false, count_one,
                          control_target,    run_nothing};

struct PlanTest : testing::Test {
  PlanTest() {
    config.home.addresses = {kHome, kHome6};
    own("10.0.1.9");
  }
  void own(const char* address, bool kernel_owned = false) {
    Segment::OwnAddress one;
    one.address = *IpAddress::parse(address);
    one.kernel_owned = kernel_owned;
    segment.add_own(one);
  }
  Plan& plan(std::vector<const Method*> of, Plan::Place place = {}) {
    methods = std::move(of);
    egress.emplace(config, link);
    made.emplace(config, segment, *egress, place, methods);
    return *made;
  }
  // What it gives at one moment, as "short 1 udp-port 203.0.113.10:2"; at most `most`.
  std::vector<std::string> all(Timestamp now, std::size_t most = 100) {
    std::vector<std::string> list;
    while (list.size() < most) {
      const auto next = made->next(now);
      if (!next) break;
      list.push_back((next->kind == CycleKind::short_cycle ? "short " : "long ") +
                     std::to_string(next->cycle) + ' ' + std::string(to_string(next->method->id)) +
                     ' ' + next->target.destination.to_string() + ':' +
                     std::to_string(next->target.port));
    }
    return list;
  }

  ProbeConfig config;
  Segment segment;
  NoLink link;
  std::optional<Egress> egress;
  std::vector<const Method*> methods;
  std::optional<Plan> made;
};

TEST_F(PlanTest, AShortCycleRunsAtOnceAndAgainAfterItsPeriod) {
  config.long_cycle = false;
  plan({&kUdp});
  EXPECT_THAT(all(kStart),
              ElementsAre("short 1 udp-port 203.0.113.10:1", "short 1 udp-port 203.0.113.10:2",
                          "short 1 udp-port 203.0.113.10:3"));
  EXPECT_TRUE(made->completed_a_short_cycle());
  EXPECT_EQ(made->due(), kStart + minutes(30));
  EXPECT_THAT(all(kStart + minutes(29)), IsEmpty());
  EXPECT_THAT(all(kStart + minutes(30)), SizeIs(3));
  const auto news = made->take_news();
  EXPECT_THAT(news.begun, SizeIs(2));
  EXPECT_THAT(news.completed, ElementsAre(std::pair(CycleKind::short_cycle, 1U),
                                          std::pair(CycleKind::short_cycle, 2U)));
  EXPECT_THAT(news.skipped, IsEmpty());
}

TEST_F(PlanTest, TheLongCycleFillsTheTimeBetween) {
  plan({&kUdp});
  EXPECT_THAT(all(kStart, 3), SizeIs(3));
  EXPECT_THAT(all(kStart + seconds(5), 1), ElementsAre(HasSubstr("long 1 udp-port")));
  EXPECT_EQ(made->due(), kEarliest);
  EXPECT_THAT(all(kStart + minutes(31), 1), ElementsAre("short 2 udp-port 203.0.113.10:1"));
}

TEST_F(PlanTest, ALongCycleTriesEveryPortOfBothFamiliesOnce) {
  own("2001:db8:1::9");
  config.short_period = seconds(7 * 86'400);
  plan({&kUdp});
  EXPECT_THAT(all(kStart, 6), SizeIs(6));
  std::set<std::pair<std::string, unsigned>> seen;
  unsigned last = 65'535;
  for (std::size_t i = 0; i < 2 * 65'535; ++i) {
    const auto next = made->next(kStart);
    ASSERT_TRUE(next);
    ASSERT_EQ(next->kind, CycleKind::long_cycle);
    ASSERT_EQ(next->cycle, 1U);
    ASSERT_TRUE(seen.insert({next->target.destination.to_string(), next->target.port}).second);
    ASSERT_NE(next->target.port, last + 1) << "neighbours, one after the other";
    last = next->target.port;
  }
  EXPECT_FALSE(made->next(kStart));
  EXPECT_THAT(made->take_news().completed, SizeIs(2));
}

TEST_F(PlanTest, ARestartGoesOnWithTheLongCycleWhereItWas) {
  plan({&kUdp, &kTcp});
  (void)all(kStart, 6 + 1000);
  const auto place = made->place();
  EXPECT_EQ(place.long_method, MethodId::udp_port);
  EXPECT_EQ(place.long_done, 1000U);
  const auto expected = all(kStart, 5);

  plan({&kUdp, &kTcp}, place);
  EXPECT_THAT(all(kStart, 6),
              ElementsAre(HasSubstr("short 2"), HasSubstr("short 2"), HasSubstr("short 2"),
                          HasSubstr("short 2"), HasSubstr("short 2"), HasSubstr("short 2")));
  EXPECT_EQ(all(kStart, 5), expected);
}

TEST_F(PlanTest, ARestartCountsTriesAndNotWhatWasLeftOut) {
  segment = Segment();
  own("10.0.1.9", true);
  own("2001:db8:1::9");
  config.short_period = seconds(86'400);
  plan({&kTcp});
  (void)all(kStart, 3 + 1000);
  const auto place = made->place();
  EXPECT_EQ(place.long_done, 1000U);
  const auto expected = all(kStart, 5);
  plan({&kTcp}, place);
  (void)all(kStart, 3);
  EXPECT_EQ(made->place().long_done, 1000U) << "before its first try, too";
  EXPECT_EQ(all(kStart, 5), expected);
}

TEST_F(PlanTest, ARestartAfterAWholeLongCycleBeginsTheNext) {
  plan({&kUdp}, {7, 3, 0, MethodId::none});
  (void)all(kStart, 3);
  EXPECT_THAT(all(kStart, 1), ElementsAre(HasSubstr("long 4 ")));
}

// With a budget so small that a short cycle outlasts its period.
TEST_F(PlanTest, AnOverdueShortCycleLeavesTheLongOneItsShare) {
  config.short_period = seconds(2);
  plan({&kUdp, &kTcp});
  std::size_t longs = 0;
  Timestamp now = kStart;
  for (int i = 0; i < 600; ++i, now += seconds(1)) {
    const auto next = made->next(now);
    ASSERT_TRUE(next);
    longs += next->kind == CycleKind::long_cycle ? 1 : 0;
  }
  EXPECT_GT(longs, 40U);
  EXPECT_LT(longs, 300U);
}

TEST_F(PlanTest, SaysWhatItSkipsAndWhy) {
  config.forbidden_methods = {MethodId::udp_port};
  config.long_cycle = false;
  plan({&kUdp, &kDns, &kSpoof});
  EXPECT_THAT(all(kStart), IsEmpty());
  const auto news = made->take_news();
  ASSERT_THAT(news.skipped, SizeIs(3));
  EXPECT_EQ(news.skipped[0].method, MethodId::udp_port);
  EXPECT_FALSE(news.skipped[0].why.empty());
  EXPECT_EQ(news.skipped[1].why, "no resolver is known");
  EXPECT_EQ(news.skipped[2].method, MethodId::spoof_inside);  // the profile is ot
  EXPECT_EQ(news.skipped[2].cycle, 1U);
  EXPECT_FALSE(news.skipped[2].why.empty());
  EXPECT_THAT(news.completed, SizeIs(1)) << "a cycle without tries ends, too";
}

TEST_F(PlanTest, WhereTheKernelOwnsTheAddressTcpIsNotTried) {
  segment = Segment();
  own("10.0.1.9", true);
  config.long_cycle = false;
  plan({&kTcp});
  EXPECT_THAT(all(kStart), IsEmpty());
  EXPECT_THAT(made->take_news().skipped.at(0).why, HasSubstr("the kernel owns the address"));

  own("2001:db8:1::9");
  plan({&kTcp});
  EXPECT_THAT(all(kStart), SizeIs(3)) << "IPv6 from an address of our own";
  EXPECT_THAT(made->take_news().skipped.at(0).why, HasSubstr("3 of 6 targets"));
}

TEST_F(PlanTest, TargetsAreCountedWhenTheirTurnComes) {
  config.long_cycle = false;
  plan({&kUdp, &kDns});
  (void)all(kStart, 2);
  segment.add_resolver(*IpAddress::parse("10.0.1.2"));
  EXPECT_THAT(all(kStart), SizeIs(2)) << "the last port, and the resolver learnt meanwhile";
}

TEST_F(PlanTest, WhatIsLearntDuringATurnShiftsNoTarget) {
  config.long_cycle = false;
  const IpAddress resolvers[] = {*IpAddress::parse("10.0.1.2"), *IpAddress::parse("10.0.1.3"),
                                 *IpAddress::parse("10.0.1.4")};
  for (const IpAddress& one : resolvers)
    segment.add_resolver(one);
  plan({&kDns});
  std::vector<IpAddress> asked{made->next(kStart)->target.via};
  segment.forget_resolver(resolvers[0]);
  while (const auto next = made->next(kStart))
    asked.push_back(next->target.via);
  EXPECT_THAT(asked, testing::ElementsAreArray(resolvers));
}

TEST_F(PlanTest, WithoutAnythingToTryCyclesDoNotSpin) {
  segment = Segment();
  plan({&kUdp});
  EXPECT_THAT(all(kStart), IsEmpty());
  EXPECT_GT(made->due(), kStart);
  EXPECT_THAT(all(kStart + seconds(1)), IsEmpty());
  EXPECT_THAT(made->take_news().begun, SizeIs(2));
}

TEST_F(PlanTest, ThePositiveControlKeepsItsOwnTimes) {
  config.long_cycle = false;
  config.control = ProbeConfig::Control{*IpAddress::parse("198.51.100.7"), 9, false, minutes(5)};
  plan({&kUdp, &kControl});
  EXPECT_THAT(all(kStart), ElementsAre("short 1 control 198.51.100.7:9", HasSubstr("udp-port"),
                                       HasSubstr("udp-port"), HasSubstr("udp-port")));
  EXPECT_EQ(made->due(), kStart + minutes(5));
  EXPECT_THAT(all(kStart + minutes(5)), ElementsAre("short 1 control 198.51.100.7:9"));
}

TEST_F(PlanTest, IsSilentFromItsEndOn) {
  config.end = kStart + minutes(1);
  plan({&kUdp});
  EXPECT_THAT(all(kStart, 1), SizeIs(1));
  EXPECT_THAT(all(kStart + minutes(1)), IsEmpty());
  EXPECT_EQ(made->due(), kLatest);
}

TEST_F(PlanTest, AClockThatIsSetBackDoesNotStopIt) {
  config.long_cycle = false;
  plan({&kUdp});
  (void)all(kStart);
  EXPECT_THAT(all(kStart - std::chrono::hours(24)), SizeIs(3));
}

RC_GTEST_PROP(SpreadOut, EachPlaceComesOnceAndNeighboursStandApart, ()) {
  const auto count = *rc::gen::inRange<std::uint64_t>(1, 20'000);
  std::vector<bool> seen(count);
  std::uint64_t last = count;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = spread_out(i, count);
    RC_ASSERT(at < count);
    RC_ASSERT(!seen[at]);
    seen[at] = true;
    if (count > 20 && last < count) RC_ASSERT(std::max(at, last) - std::min(at, last) > count / 20);
    last = at;
  }
}

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

TEST_F(PlanTest, EveryPortOfBothTransportsAndFamiliesTakesNoMemory) {
  own("2001:db8:1::9");
  plan({&kUdp, &kTcp});
  const std::size_t before = resident_bytes();
  std::size_t tries = 0;
  while (made->next(kStart))
    ++tries;
  EXPECT_EQ(tries, 12U + 4 * 65'535);
  EXPECT_LT(resident_bytes() - before, 10U << 20);
}

}  // namespace
}  // namespace beaconry
