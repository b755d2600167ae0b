#include "control/beacon_list.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};

BeaconRow row(int number, double score, const std::string& name = {}) {
  BeaconRow row;
  row.src_ip = "10.0.0." + std::to_string(number);
  row.dst_ip = "203.0.113." + std::to_string(100 - number);
  row.server_name = name;
  row.identity = row.src_ip + "->" + (name.empty() ? row.dst_ip : name) + ":443/TCP";
  row.protocol = "TCP";
  row.dst_port = 443;
  row.score = score;
  row.severity = score >= 0.9 ? 3 : 1;
  row.interval_seconds = 60.25 * number;
  row.check_ins = 1000U - static_cast<unsigned>(number);
  row.first_seen = kNow + std::chrono::seconds{number};
  row.last_seen = kNow + std::chrono::hours{number};
  row.summary = "fixed sleep";
  return row;
}

std::vector<std::string> sources(const BeaconList::Page& page) {
  std::vector<std::string> all;
  for (const BeaconRow& one : page.rows)
    all.push_back(one.src_ip.substr(7));
  return all;
}
using Words = std::vector<std::string>;

class BeaconListTest : public testing::Test {
 protected:
  void SetUp() override {
    list_.put(row(1, 0.7));
    list_.put(row(2, 0.95, "cdn.Evil.example"));
    list_.put(row(3, 0.9));
  }
  Words ask(const BeaconList::Query& query = {}) { return sources(list_.page(query)); }
  BeaconList list_;
};

TEST_F(BeaconListTest, EveryOrderHasTheGreatestFirstUnlessAskedOtherwise) {
  EXPECT_EQ(ask(), (Words{"2", "3", "1"}));
  BeaconList::Query query;
  query.ascending = true;
  EXPECT_EQ(ask(query), (Words{"1", "3", "2"}));
  query.ascending = false;
  for (const auto& [word, expected] :
       std::vector<std::pair<std::string, Words>>{{"severity", {"2", "3", "1"}},
                                                  {"source", {"3", "2", "1"}},
                                                  {"destination", {"2", "1", "3"}},
                                                  {"interval", {"3", "2", "1"}},
                                                  {"check_ins", {"1", "2", "3"}},
                                                  {"first", {"3", "2", "1"}},
                                                  {"last", {"3", "2", "1"}}}) {
    const auto order = BeaconList::parse_order(word);
    ASSERT_TRUE(order) << word;
    query.order = *order;
    EXPECT_EQ(ask(query), expected) << word;
  }
  EXPECT_FALSE(BeaconList::parse_order("colour"));
}

TEST_F(BeaconListTest, FiltersHoldTogetherAndTheTotalIsOfAllThatFit) {
  BeaconList::Query query;
  query.words = "EVIL sleep";
  EXPECT_EQ(ask(query), (Words{"2"}));
  query = {};
  query.least_severity = 3;
  query.limit = 1;
  EXPECT_EQ(ask(query), (Words{"2"}));
  EXPECT_EQ(list_.page(query).total, 2U);
  query.first = 1;
  EXPECT_EQ(ask(query), (Words{"3"}));
  query = {};
  query.source = "10.0.0.3";
  EXPECT_EQ(ask(query), (Words{"3"}));
  query = {};
  query.destination = "203.0.113.99";
  EXPECT_EQ(ask(query), (Words{"1"}));
  query = {};
  query.fits = [](const std::string& identity) { return identity.rfind("10.0.0.1", 0) == 0; };
  EXPECT_EQ(ask(query), (Words{"1"}));
}

TEST_F(BeaconListTest, WhatChangesIsInItsNewPlace) {
  list_.put(row(1, 0.99));
  EXPECT_EQ(ask(), (Words{"1", "2", "3"}));
  BeaconRow gone = row(2, 0.95, "cdn.Evil.example");
  gone.gone = true;
  list_.put(gone);
  EXPECT_EQ(ask(), (Words{"1", "3"}));
  BeaconList::Query query;
  query.with_gone = true;
  EXPECT_EQ(ask(query), (Words{"1", "2", "3"}));
  list_.remove(row(3, 0).identity);
  EXPECT_EQ(ask(), (Words{"1"}));
}

TEST(BeaconRowTest, ItIsReadAgainAsItWasWrittenWhateverNamesContain) {
  BeaconRow written = row(7, 0.8, "cdn.example");
  written.dst_ips = "203.0.113.1 203.0.113.2";
  written.ours = "";
  written.src_name = "pc\t7\n";
  BeaconRow read;
  ASSERT_TRUE(read.read(written.to_text()));
  EXPECT_EQ(read.to_text(), written.to_text());
  EXPECT_EQ(read.src_name, "pc 7 ");
  EXPECT_DOUBLE_EQ(read.interval_seconds, written.interval_seconds);
  EXPECT_EQ(read.last_seen, written.last_seen);
  EXPECT_FALSE(read.read(""));
  EXPECT_FALSE(read.read("1\t2"));
}

TEST(BeaconRowTest, AVerdictFromBeforeIsReadAsFarAsItSays) {
  BeaconRow row;
  row.read_verdict(R"({"src_ip":"10.0.0.5","dst_ips":["203.0.113.1","203.0.113.2"],"dst_port":443,
    "check_ins":12,"last_seen":"2027-01-15T08:00:00.000Z","server_name":null,
    "explanation":{"summary":"fixed sleep","detected_interval_seconds":60}})");
  EXPECT_EQ(row.src_ip, "10.0.0.5");
  EXPECT_EQ(row.dst_ips, "203.0.113.1 203.0.113.2");
  EXPECT_EQ(row.dst_port, 443);
  EXPECT_EQ(row.last_seen, kNow);
  EXPECT_EQ(row.interval_seconds, 60);
  EXPECT_EQ(row.server_name, "");
  row.read_verdict("no json");
  EXPECT_EQ(row.check_ins, 12U);
}

}  // namespace
}  // namespace beaconry
