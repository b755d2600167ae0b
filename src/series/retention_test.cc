#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "series/series_store.h"

namespace beaconry {
namespace {

constexpr Timestamp kStart{std::chrono::seconds{1'700'000'000}};

FlowEvent event(std::uint32_t pair, double seconds) {
  FlowEvent e;
  e.pair = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
  e.pair.destination = IpAddress::v4(0xcb007100U + pair);
  e.time = kStart + Duration{static_cast<std::int64_t>(seconds * 1e6)};
  e.bytes_out = 420;
  e.bytes_in = 100;
  return e;
}

void expire_all(SeriesStore& store, Timestamp before, std::size_t slice = 3) {
  for (std::size_t first = 0; store.expire(before, first, slice);)
    first += slice;
}

std::vector<CheckIn> series_of(const SeriesStore& store, const PairKey& pair) {
  std::vector<SeriesStore::LegId> ids;
  for (SeriesStore::LegId id = 0; id < store.legs().size(); ++id) {
    if (store.legs()[id].check_ins != 0 && store.legs()[id].pair == pair) ids.push_back(id);
  }
  std::vector<CheckIn> series;
  store.collect(ids, series);
  return series;
}

// Whatever is added, expired and evicted in between: what is retained is what a new store that was
// only given that holds.
RC_GTEST_PROP(Retention, HoldsWhatAStoreOfTheRetainedEventsHolds, ()) {
  SeriesStore store({});
  std::vector<FlowEvent> events;
  double now = 0;
  Timestamp before{};
  const auto steps = *rc::gen::inRange(1, 60);
  for (int step = 0; step < steps; ++step) {
    const auto burst = *rc::gen::inRange(1, 60);
    for (int i = 0; i < burst; ++i) {
      now += *rc::gen::inRange(1, 3000) / 1000.0 * 1.5;
      events.push_back(event(*rc::gen::inRange(0U, 8U), now));
      store.add(events.back());
    }
    if (*rc::gen::inRange(0, 3) != 0) continue;
    before = kStart + Duration{static_cast<std::int64_t>(now * 1e6)} - std::chrono::seconds{60};
    expire_all(store, before);
  }
  expire_all(store, before);
  std::uint64_t connections = 0;
  // By what the long-lived store says it dropped: a check-in that began before goes as a whole.
  for (std::uint32_t pair = 0; pair < 8; ++pair) {
    SeriesStore whole({});
    for (const FlowEvent& e : events) {
      if (e.pair == event(pair, 0).pair) whole.add(e);
    }
    whole.settle();
    auto expected = series_of(whole, event(pair, 0).pair);
    std::erase_if(expected, [&](const CheckIn& c) { return c.time < before; });
    const auto got = series_of(store, event(pair, 0).pair);
    RC_ASSERT(got.size() == expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      RC_ASSERT(got[i].time == expected[i].time);
      RC_ASSERT(got[i].connections == expected[i].connections);
      RC_ASSERT(got[i].bytes_out == expected[i].bytes_out);
      connections += got[i].connections;
    }
  }
  RC_ASSERT(store.connections() == connections);
}

TEST(Retention, AStoreThatForgetsAsMuchAsItLearnsDoesNotGrow) {
  SeriesStore store({});
  std::size_t after_two_hours = 0;
  for (int minute = 0; minute < 60 * 12; ++minute) {
    for (std::uint32_t pair = 0; pair < 100; ++pair) {
      FlowEvent e = event(pair, minute * 60.0);
      // Every hour other names and other pairs.
      const std::string name = "n" + std::to_string(minute / 60) + ".tld";
      e.server_name = name;
      e.name_kind = NameKind::tls_sni;
      e.pair.port = static_cast<std::uint16_t>(1 + minute / 60);
      const std::string id = "C" + std::to_string(minute);
      e.id = id;
      store.add(e);
      store.add_host_name(IpAddress::v4(static_cast<std::uint32_t>(minute)), name, e.time);
    }
    expire_all(store, kStart + std::chrono::minutes{minute - 60}, 64);
    if (minute == 150) after_two_hours = store.memory_bytes();
  }
  EXPECT_LE(store.memory_bytes(), after_two_hours + after_two_hours / 10);
  EXPECT_LE(store.names(), 6U);
  EXPECT_LE(store.leg_count(), 200U);
}

TEST(Retention, IdsOfWhatExpiredMakeRoomForLaterOnes) {
  SeriesStore store({});
  for (int i = 0; i < 20; ++i) {
    FlowEvent e = event(1, i * 60.0);
    const std::string id = "id" + std::to_string(i);
    e.id = id;
    store.add(e);
    if (i == 10) expire_all(store, kStart + std::chrono::minutes{4});
  }
  store.settle();
  std::vector<std::pair<Timestamp, std::string>> ids;
  store.samples().read(store.legs()[0].samples, ids);
  std::sort(ids.begin(), ids.end());
  ASSERT_EQ(ids.size(), 5U);
  EXPECT_EQ(ids[0].second, "id4");
  EXPECT_EQ(ids[1].second, "id11");
  EXPECT_EQ(ids[4].second, "id14");
}

TEST(Retention, OfEquallyFewCheckInsTheLongestSilentGoFirst) {
  SeriesStore store({});
  for (std::uint32_t pair = 0; pair < 1000; ++pair)
    store.add(event(pair, pair * 10.0));
  for (int i = 0; i < 3; ++i)
    store.add(event(5, 20'000 + i * 60.0));
  store.settle();
  store.shrink(store.used_bytes() / 2);
  EXPECT_GT(store.legs_evicted(), 300U);
  EXPECT_LT(store.legs_evicted(), 700U);
  EXPECT_EQ(store.leg_count(), 1000 - store.legs_evicted());
  EXPECT_EQ(series_of(store, event(5, 0).pair).size(), 4U);
  EXPECT_TRUE(series_of(store, event(0, 0).pair).empty());
  EXPECT_TRUE(series_of(store, event(200, 0).pair).empty());
  EXPECT_FALSE(series_of(store, event(999, 0).pair).empty());
}

TEST(Retention, WhilePinnedNumbersKeepTheirMeaning) {
  SeriesStore store({});
  FlowEvent e = event(1, 0);
  e.server_name = "old.tld";
  store.add(e);
  store.settle();
  store.pin();
  expire_all(store, kStart + std::chrono::hours{1});
  e = event(2, 7200);
  e.server_name = "new.tld";
  store.add(e);
  store.settle();
  EXPECT_EQ(store.legs()[0].check_ins, 0U);
  EXPECT_EQ(store.name(store.legs()[0].name), "old.tld");
  EXPECT_EQ(store.name(store.legs()[1].name), "new.tld");
  store.unpin();
  e = event(3, 7300);
  e.server_name = "newer.tld";
  store.add(e);
  store.settle();
  EXPECT_EQ(store.legs().size(), 2U);
  EXPECT_EQ(store.name(store.legs()[0].name), "newer.tld");
}

}  // namespace
}  // namespace beaconry
