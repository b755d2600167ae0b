#include "series/series_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace beaconry {
namespace {

constexpr Timestamp kStart{std::chrono::seconds{1'700'000'000}};

FlowEvent event(double seconds, std::string_view id, std::uint64_t out = 420) {
  FlowEvent e;
  e.pair = *PairKey::parse("10.0.0.5->203.0.113.9:443/TCP");
  e.time = kStart + Duration{static_cast<std::int64_t>(seconds * 1e6)};
  e.bytes_out = out;
  e.bytes_in = 100;
  e.id = id;
  return e;
}

std::vector<CheckIn> all_of(SeriesStore& store) {
  store.settle();
  std::vector<SeriesStore::LegId> ids(store.legs().size());
  std::iota(ids.begin(), ids.end(), 0U);
  std::vector<CheckIn> series;
  store.collect(ids, series);
  return series;
}

TEST(SeriesStore, ConnectionsThatOpenTogetherAreOneCheckIn) {
  SeriesStore store({});
  for (const double t : {0.0, 0.4, 0.9, 60.0, 60.2, 120.0})
    store.add(event(t, ""));
  const auto series = all_of(store);
  ASSERT_EQ(series.size(), 3U);
  EXPECT_EQ(series[0].connections, 3U);
  EXPECT_EQ(series[0].bytes_out, 1260U);
  EXPECT_EQ(series[0].span, std::chrono::milliseconds{900});
  EXPECT_EQ(series[2].connections, 1U);
}

TEST(SeriesStore, TheOrderOfEventsDoesNotMatter) {
  std::vector<double> times;
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i)
    times.push_back(static_cast<double>(random() % 100'000) / 10);
  SeriesStore forward({});
  std::sort(times.begin(), times.end());
  for (const double t : times)
    forward.add(event(t, ""));
  SeriesStore first({}), second({});
  std::shuffle(times.begin(), times.end(), random);
  for (std::size_t i = 0; i < times.size(); ++i)
    (i % 3 ? first : second).add(event(times[i], ""));
  first.settle();
  second.settle();
  first.absorb(second);
  const auto a = all_of(forward), b = all_of(first);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].time, b[i].time);
    EXPECT_EQ(a[i].connections, b[i].connections);
    EXPECT_EQ(a[i].bytes_out, b[i].bytes_out);
  }
}

TEST(SeriesStore, ALogGivenTwiceCountsOnce) {
  SeriesStore store({}), again({});
  for (int i = 0; i < 20; ++i) {
    store.add(event(i * 60.0, ""));
    again.add(event(i * 60.0, ""));
  }
  store.settle();
  again.settle();
  store.absorb(again);
  const auto series = all_of(store);
  ASSERT_EQ(series.size(), 20U);
  for (const CheckIn& c : series)
    EXPECT_EQ(c.connections, 1U);
}

TEST(SeriesStore, UnknownSizesAreNotZero) {
  SeriesStore store({});
  store.add(event(0, "", kUnknownBytes));
  store.add(event(0.5, "", 7));
  store.add(event(60, "", kUnknownBytes));
  const auto series = all_of(store);
  EXPECT_EQ(series[0].bytes_out, 7U);
  EXPECT_EQ(series[1].bytes_out, kUnknownBytes);
}

TEST(SeriesStore, KeepsTheEarliestFiveIdsWhateverTheOrder) {
  SeriesStore store({});
  for (int i = 20; i > 0; --i)
    store.add(event(i * 60.0, "id" + std::to_string(i)));
  store.settle();
  std::vector<std::pair<Timestamp, std::string>> ids;
  store.samples().read(store.legs()[0].samples, ids);
  std::sort(ids.begin(), ids.end());
  ASSERT_EQ(ids.size(), 5U);
  EXPECT_EQ(ids[0].second, "id1");
  EXPECT_EQ(ids[4].second, "id5");
}

TEST(SeriesStore, NamesMakeLegsOfTheirOwn) {
  SeriesStore store({});
  FlowEvent named = event(0, "");
  named.server_name = "cdn.evil.tld";
  named.name_kind = NameKind::tls_sni;
  store.add(named);
  store.add(event(60, ""));
  store.settle();
  ASSERT_EQ(store.legs().size(), 2U);
  EXPECT_EQ(store.name(store.legs()[0].name), "cdn.evil.tld");
  EXPECT_EQ(all_of(store).size(), 2U);
}

TEST(SeriesStore, PastItsMemoryTheFewestCheckInsGoFirstAndAreCounted) {
  SeriesStore::Options options;
  options.memory_limit = 4 << 20;
  SeriesStore store(options);
  FlowEvent e = event(0, "C1");
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    e.pair.destination = IpAddress::v4(0x0b000000U + i);
    e.time = kStart + std::chrono::milliseconds{i * 10};
    store.add(e);
    if (i % 1000 == 0) store.add(event(i / 100.0, "beacon"));
  }
  store.settle();
  EXPECT_LT(store.memory_bytes(), std::size_t{8} << 20);
  EXPECT_GT(store.legs_evicted(), 0U);
  EXPECT_EQ(store.legs_evicted(), store.check_ins_evicted());  // only single visits went
  const auto beacon = std::find_if(
      store.legs().begin(), store.legs().end(),
      [](const SeriesLeg& leg) { return leg.pair.to_string() == "10.0.0.5->203.0.113.9:443/TCP"; });
  ASSERT_NE(beacon, store.legs().end());
  EXPECT_EQ(beacon->check_ins, 200U);
}

TEST(SeriesStore, TheLatestNameOfAHostCounts) {
  SeriesStore store({});
  const auto host = *IpAddress::parse("10.0.0.5");
  store.add_host_name(host, "old", kStart);
  store.add_host_name(host, "pc7", kStart + std::chrono::hours{1});
  store.add_host_name(host, "older", kStart - std::chrono::hours{1});
  EXPECT_EQ(store.host_name(host), "pc7");
}

}  // namespace
}  // namespace beaconry
