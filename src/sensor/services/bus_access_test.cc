#include "sensor/services/bus_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bus/dynamic_security.h"

namespace beaconry {
namespace {

using testing::ElementsAre;

Manifest manifest(const std::string& name, const std::vector<Manifest::Relation>& relations = {}) {
  Manifest one;
  one.name = name;
  one.relations = relations;
  return one;
}

TEST(BusAccess, AnInstrumentWithoutRelationsHasOnlyItsOwnTopics) {
  const Manifest beacon = manifest("beacon");
  const auto accounts = bus_accounts({{"beacon_0", &beacon}, {"beacon_1", &beacon}});
  ASSERT_EQ(accounts.size(), 2U);
  EXPECT_EQ(accounts[0].instance, "beacon_0");
  EXPECT_THAT(accounts[0].may_publish, ElementsAre("i/beacon_0/out"));
  EXPECT_THAT(accounts[0].may_subscribe, ElementsAre("direct/beacon_0/+", "i/beacon_0/in"));
}

TEST(BusAccess, DirectMessagesReachTheInstancesThatExistAndTheyMayReply) {
  const Manifest beacon = manifest("beacon", {{"detector", false, true, false}});
  const Manifest detector = manifest("detector");
  const auto accounts =
      bus_accounts({{"beacon_0", &beacon}, {"detector_0", &detector}, {"detector_1", &detector}});
  EXPECT_THAT(accounts[0].may_publish, ElementsAre("direct/detector_0/beacon_0",
                                                   "direct/detector_1/beacon_0", "i/beacon_0/out"));
  EXPECT_THAT(accounts[1].may_publish,
              ElementsAre("direct/beacon_0/detector_0", "i/detector_0/out"));
}

TEST(BusAccess, EventsAreHeardOfWhomTheManifestNames) {
  const Manifest recorder = manifest("recorder", {{"beacon", false, false, true}});
  const auto accounts = bus_accounts({{"recorder_0", &recorder}});
  EXPECT_THAT(accounts[0].may_subscribe,
              ElementsAre("direct/recorder_0/+", "events/beacon/+", "i/recorder_0/in"));
  EXPECT_THAT(accounts[0].may_publish, ElementsAre("i/recorder_0/out"));
}

TEST(BusAccess, FindNeedsItsRelation) {
  const Manifest one = manifest("a", {{"b", true, false, false}, {"c", false, true, true}});
  EXPECT_TRUE(may_find(one, "b"));
  EXPECT_FALSE(may_find(one, "c"));
  EXPECT_FALSE(may_find(one, "a"));
}

TEST(BusAccess, OthersCannotMakeAnAccountOneThatTheBusRefuses) {
  const Manifest asker = manifest("asker", {{"detector", false, true, false}});
  const Manifest detector = manifest("detector");
  std::map<std::string, const Manifest*> all{{"detector_0", &detector}};
  for (int n = 0; n < 400; ++n)
    all["asker_" + std::to_string(n)] = &asker;
  for (BusAccount& account : bus_accounts(all)) {
    account.password = "p";
    EXPECT_TRUE(dynamic_security::check(account)) << account.instance;
  }
}

}  // namespace
}  // namespace beaconry
