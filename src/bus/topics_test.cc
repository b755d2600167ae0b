#include "bus/topics.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(InstanceName, IsAnInstrumentAndANumber) {
  const auto name = InstanceName::parse("my-tool2_17");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->instrument, "my-tool2");
  EXPECT_EQ(name->number, 17U);
  EXPECT_EQ(name->to_string(), "my-tool2_17");
}

TEST(InstanceName, IsNothingElse) {
  for (const char* text : {"", "beacon", "beacon_", "_0", "Beacon_0", "beacon_00", "beacon_01",
                           "beacon_1000", "beacon_-1", "be--acon_0", "beacon-_0", "2tool_0",
                           "be/acon_0", "be#_0", "be+_0", "a_b_0", "beacon_0 "}) {
    EXPECT_FALSE(InstanceName::parse(text)) << text;
  }
}

TEST(Topics, TellWhoseTheyAre) {
  EXPECT_EQ(topics::instance_of(topics::from_instrument("beacon_0")), "beacon_0");
  for (const char* topic : {"i/beacon_0/in", "i//out", "i/a/b_0/out", "direct/a_0/b_0", "i/out"})
    EXPECT_EQ(topics::instance_of(topic), "") << topic;
  EXPECT_EQ(topics::events("beacon_0"), "events/beacon/beacon_0");
}

TEST(TopicsTest, TheSenderOfADirectMessageIsTheLastPart) {
  EXPECT_EQ(topics::sender_of_direct(topics::direct("beacon_0", "detector_1")), "detector_1");
  for (const char* other : {"direct/", "direct/beacon_0/", "direct/a_0/b", "i/beacon_0/out", ""})
    EXPECT_EQ(topics::sender_of_direct(other), "") << other;
}

}  // namespace
}  // namespace beaconry
