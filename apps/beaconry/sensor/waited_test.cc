#include "sensor/waited.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beaconry {
namespace {

using testing::HasSubstr;

Json healthy(const char* image, const char* wished, const char* update) {
  return {{"name", "beacon_0"},
          {"image", image},
          {"wished_image", wished},
          {"wished_running", true},
          {"state", "RUNNING"},
          {"health", {{"state", "healthy"}}},
          {"update", {{"state", update}, {"reason", "too sick"}}}};
}

TEST(Waited, AnUpdateIsDoneOnceTheNewImageHasProvedItself) {
  EXPECT_FALSE(is_well(healthy("old", "new", "NONE"), "new").done);
  EXPECT_FALSE(is_well(healthy("new", "new", "INSTALLING"), "new").done);
  EXPECT_TRUE(is_well(healthy("new", "new", "INSTALLED"), "new").done);
  // It was that image before.
  EXPECT_TRUE(is_well(healthy("new", "new", "NONE"), "new").done);
  EXPECT_THAT(is_well(healthy("old", "new", "FAILED"), "new").failure, HasSubstr("too sick"));
  EXPECT_THAT(is_well(healthy("old", "third", "NONE"), "new").failure, HasSubstr("another image"));
}

TEST(Waited, AnUpdateThatFailedOrWaitsIsNoMatterOfAStart) {
  EXPECT_TRUE(is_well(healthy("old", "new", "FAILED"), "").done);
  EXPECT_TRUE(is_well(healthy("old", "new", "PENDING"), "").done);
}

TEST(Waited, AnUpdateOfOneThatIsStoppedNeedNotRun) {
  Json stopped = healthy("new", "new", "INSTALLING");
  stopped["wished_running"] = false;
  stopped["state"] = "INSTALLED";
  EXPECT_TRUE(is_well(stopped, "new").done);
  stopped["image"] = "old";
  EXPECT_FALSE(is_well(stopped, "new").done);
}

TEST(Waited, AnApprovalThatIsMissingIsSaid) {
  Json waiting = healthy("old", "new", "PENDING");
  waiting["wants_approval"] = {"capability net_raw"};
  EXPECT_THAT(is_well(waiting, "new").failure, HasSubstr("net_raw"));
}

TEST(Waited, OneThatDoesItsWorkAndEndsIsUpdatedWhenItDid) {
  Json finished = healthy("new", "new", "INSTALLED");
  finished["state"] = "FINISHED";
  EXPECT_TRUE(is_well(finished, "new").done);
  finished["update"]["state"] = "NONE";
  EXPECT_FALSE(is_well(finished, "new").failure.empty());
}

TEST(Waited, ResourcesAreWaitedForUntilEachWasLookedForAgain) {
  const auto with = [](const char* state, const char* looked) {
    Json instance;
    instance["resources"] = {
        {{"name", "a"}, {"state", state}, {"looked", looked}, {"reason", "no"}}};
    return instance;
  };
  const Json before = with("INSTALLED", "10:00");
  EXPECT_FALSE(has_looked(before, before).done);
  EXPECT_FALSE(has_looked(before, with("DOWNLOADING", "10:00")).done);
  EXPECT_FALSE(has_looked(before, with("INSTALLING", "10:00")).done);
  EXPECT_TRUE(has_looked(before, with("INSTALLED", "10:01")).done);
  EXPECT_THAT(has_looked(before, with("FAILED", "10:01")).failure, HasSubstr("a FAILED: no"));
  EXPECT_TRUE(has_looked(Json(), Json::object()).done);
  EXPECT_FALSE(has_looked(before, Json()).done);
}

TEST(Waited, OneThatEndsAtOnceShowsItsLogAndNoRemedyThatIsNone) {
  Json ended = {{"failures", 2},
                {"last_log", "began\nno such option\n"},
                {"health", {{"fix", "none yet: it is started again by itself"}}}};
  EXPECT_EQ(late_words(ended), "\n  | began\n  | no such option");
  ended["failures"] = 0;  // the log is of a failure that is over
  ended["health"]["fix"] = "look at the cable";
  EXPECT_EQ(late_words(ended), "; look at the cable");
}

}  // namespace
}  // namespace beaconry
