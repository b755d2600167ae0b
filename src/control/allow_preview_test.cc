#include "control/allow_preview.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};

class AllowPreviewTest : public testing::Test {
 protected:
  void SetUp() override {
    add("10.0.0.5", "203.0.113.9", "203.0.113.9 203.0.113.10", "cdn.example");
    add("10.0.0.6", "203.0.113.9", "", "");
    alert("old", "10.0.0.6", kNow - std::chrono::hours{48});
    alert("new", "10.0.0.6", kNow - std::chrono::hours{1});
    alert("other", "10.0.0.7", kNow);
  }
  void add(const std::string& source, const std::string& destination, const std::string& all,
           const std::string& name) {
    Beacons::Beacon beacon;
    beacon.identity = source + "->x:443/TCP";
    beacon.verdict = "{}";
    beacon.score = 0.9;
    BeaconRow& row = beacon.row.emplace();
    row.src_ip = source;
    row.dst_ip = destination;
    row.dst_ips = all;
    row.server_name = name;
    row.dst_port = 443;
    row.protocol = "TCP";
    ASSERT_TRUE(beacons_->save({&beacon, 1}));
  }
  void alert(const std::string& id, const std::string& source, Timestamp time) {
    Alert made;
    made.id = id;
    made.kind = "beacon.new";
    made.title = id;
    made.time = time;
    made.details =
        R"({"src_ip":")" + source + R"(","dst_ip":"203.0.113.9","dst_port":443,"protocol":"TCP"})";
    ASSERT_TRUE(alerts_->add(made));
  }
  AllowPreview preview(const std::string& entry, const std::string& held = {}) {
    AllowList holds, wanted;
    EXPECT_TRUE(held.empty() || holds.add(held, "test"));
    EXPECT_TRUE(entry.empty() || wanted.add(entry, "test"));
    auto made =
        AllowPreview::make(holds, wanted, *beacons_, *alerts_, kNow - std::chrono::hours{24});
    EXPECT_TRUE(made);
    return std::move(*made);
  }
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<Beacons> beacons_ = std::move(*Beacons::open(*database_));
  std::unique_ptr<Alerts> alerts_ = std::move(*Alerts::open(*database_));
};

TEST_F(AllowPreviewTest, AnEntryHidesWhatItCoversSinceThen) {
  const AllowPreview hidden = preview("src=10.0.0.6");
  ASSERT_EQ(hidden.beacons, 1U);
  EXPECT_EQ(hidden.first_beacons.at(0).src_ip, "10.0.0.6");
  ASSERT_EQ(hidden.alerts, 1U);
  EXPECT_EQ(hidden.first_alerts.at(0).id, "new");
  EXPECT_EQ(hidden.alerts_looked_at, 2U);
}

TEST_F(AllowPreviewTest, ABeaconToManyAddressesIsHiddenWhenAllOfThemAre) {
  const AllowPreview one = preview("dst=203.0.113.9");
  EXPECT_EQ(one.beacons, 1U);
  EXPECT_EQ(one.alerts, 2U);
  EXPECT_EQ(preview("dst=203.0.113.0/24").beacons, 2U);
  EXPECT_EQ(preview("dst=*.example").beacons, 1U);
}

TEST_F(AllowPreviewTest, WhatIsHiddenAlreadyIsNotNews) {
  EXPECT_EQ(preview("src=10.0.0.6", "src=10.0.0.6").beacons, 0U);
  EXPECT_EQ(preview("", "src=10.0.0.6").beacons, 0U);
}

}  // namespace
}  // namespace beaconry
