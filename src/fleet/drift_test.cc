#include "fleet/drift.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fleet/test_report.h"

namespace beaconry {
namespace {

using test::report;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kWish = R"({"instances":{"beacon_0":{"image":"aa"},
                                   "beacon_1":{"image":"aa","running":false}}})";

std::vector<std::string> lines(const std::string& wish, const Reported& reported) {
  std::vector<std::string> all;
  for (const Difference& one : drift(instances_in(wish), reported))
    all.push_back(one.words());
  return all;
}

TEST(Drift, IsNothingWhereTheSensorIsAsWished) {
  EXPECT_THAT(lines(kWish, report(R"("instances":[
      {"name":"beacon_0","image":"aa","state":"RUNNING","config":{"state":"APPLIED"}},
      {"name":"beacon_1","image":"aa","state":"INSTALLED","config":{"state":"UNSET"}}])")),
              IsEmpty());
  EXPECT_THAT(lines(R"({"instances":{}})", report()), IsEmpty());
}

TEST(Drift, SaysOfEachValueWhatWasWishedAndWhatIs) {
  EXPECT_THAT(lines(kWish, report(R"("instances":[
      {"name":"beacon_0","image":"bb","state":"BROKEN","config":{"state":"FAILED"}},
      {"name":"stray_0","image":"cc","state":"RUNNING"}])")),
              ElementsAre(R"(/instances/beacon_0/config: "applied" -> "FAILED")",
                          R"(/instances/beacon_0/image: "aa" -> "bb")",
                          R"(/instances/beacon_0/state: "running" -> "BROKEN")",
                          R"(/instances/beacon_1: removed {"image":"aa","state":"stopped"})",
                          R"(/instances/stray_0: added {"image":"cc","state":"RUNNING"})"));
}

}  // namespace
}  // namespace beaconry
