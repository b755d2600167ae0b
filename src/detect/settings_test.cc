#include "detect/settings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace beaconry {
namespace {

std::string cause_of(const DetectionSettings& settings) {
  const auto result = check(settings);
  return result ? "" : result.error().message();
}

TEST(DetectionSettings, DefaultsAreUsable) {
  EXPECT_TRUE(check(DetectionSettings{}));
}

TEST(DetectionSettings, NoGateIsSetByDefault) {
  const DetectionGates gates = DetectionSettings{}.gates;
  EXPECT_FALSE(gates.min_connections || gates.min_duration || gates.time_window ||
               gates.min_beacon_interval || gates.max_beacon_interval);
}

TEST(DetectionSettings, WeightsMustSumToOne) {
  DetectionSettings settings;
  settings.cv_weight = 0.36;
  EXPECT_NE(cause_of(settings).find("must sum to 1, sum to 1.01"), std::string::npos)
      << cause_of(settings);
  settings.periodicity_weight = 0.34;
  EXPECT_EQ(cause_of(settings), "");
  settings.periodicity_weight += kWeightTolerance / 2;
  EXPECT_EQ(cause_of(settings), "");
}

TEST(DetectionSettings, NegativeWeightIsRefusedEvenIfTheSumIsOne) {
  DetectionSettings settings;
  settings.cv_weight = -0.15;
  settings.periodicity_weight = 0.85;
  EXPECT_EQ(cause_of(settings), "use cv_weight: must be from 0 to 1, is -0.15");
}

TEST(DetectionSettings, NumbersThatAreNotFiniteAreRefused) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()}) {
    for (double DetectionSettings::*field :
         {&DetectionSettings::cv_threshold, &DetectionSettings::periodicity_threshold,
          &DetectionSettings::jitter_threshold_seconds, &DetectionSettings::alert_threshold,
          &DetectionSettings::cv_weight, &DetectionSettings::periodicity_weight,
          &DetectionSettings::jitter_weight, &DetectionSettings::size_weight}) {
      DetectionSettings settings;
      settings.*field = bad;
      EXPECT_FALSE(check(settings)) << bad;
    }
  }
}

TEST(DetectionSettings, AnEmptyIntervalBetweenTheGatesIsRefused) {
  DetectionSettings settings;
  settings.gates.min_beacon_interval = std::chrono::minutes{10};
  settings.gates.max_beacon_interval = std::chrono::minutes{5};
  EXPECT_EQ(cause_of(settings),
            "use min_beacon_interval: is above max_beacon_interval: nothing could pass");
}

}  // namespace
}  // namespace beaconry
