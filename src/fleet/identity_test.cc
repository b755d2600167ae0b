#include "fleet/identity.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Heard = SensorIdentity::Heard;

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");

TEST(SensorIdentity, TakesAReportOnceAndNoneThatWasOvertaken) {
  SensorIdentity identity;
  EXPECT_EQ(identity.hear("m", "b1", 5, "10.0.0.1", kStart), Heard::news);
  EXPECT_EQ(identity.hear("m", "b1", 5, "10.0.0.1", kStart), Heard::stale);
  EXPECT_EQ(identity.hear("m", "b1", 4, "10.0.0.1", kStart), Heard::stale);
  EXPECT_EQ(identity.hear("m", "b1", 6, "10.0.0.1", kStart), Heard::news);
}

TEST(SensorIdentity, OfRebootsAndOtherHardwareIsNoConflict) {
  SensorIdentity identity;
  for (int i = 0; i < 20; ++i) {
    const std::string machine = i < 10 ? "m1" : "m2", boot = "b" + std::to_string(i);
    EXPECT_EQ(identity.hear(machine, boot, 1, "10.0.0.1", kStart), Heard::news) << i;
  }
  EXPECT_EQ(identity.machine(), "m2");
  EXPECT_FALSE(identity.conflict(kStart));
}

TEST(SensorIdentity, OfAClonedDiskIsAConflictThatNamesBothAndPasses) {
  SensorIdentity identity;
  (void)identity.hear("m", "b1", 1, "10.0.0.1", kStart);
  EXPECT_EQ(identity.hear("m", "b2", 1, "10.0.0.2", kStart + 1s), Heard::news);
  EXPECT_EQ(identity.hear("m", "b1", 2, "10.0.0.1", kStart + 2s), Heard::conflict);
  EXPECT_EQ(identity.hear("m", "b2", 2, "10.0.0.2", kStart + 3s), Heard::conflict);
  SensorIdentity kept = SensorIdentity::parse(identity.to_json());
  const auto conflict = kept.conflict(kStart + 1h);
  ASSERT_TRUE(conflict);
  EXPECT_EQ(conflict->since, kStart + 2s);
  EXPECT_EQ(conflict->addresses[0], "10.0.0.2");
  EXPECT_EQ(conflict->addresses[1], "10.0.0.1");
  EXPECT_EQ(kept.hear("m", "b2", 3, "10.0.0.2", kStart + 2h), Heard::news);
  EXPECT_FALSE(kept.conflict(kStart + 2h));
}

TEST(SensorIdentity, OfWhatWasNotKeptIsEmpty) {
  EXPECT_EQ(SensorIdentity::parse("{").boot(), "");
  EXPECT_EQ(SensorIdentity::parse(R"({"boots":[5]})").boot(), "");
}

}  // namespace
}  // namespace beaconry
