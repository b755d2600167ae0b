#pragma once
// As precompiled.h, for tests.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "precompiled.h"

namespace beaconry::precompiled {

inline void use(const std::string& text, std::string_view view, std::uint64_t number, int whole,
                double real) {
  EXPECT_EQ(text, text);
  EXPECT_EQ(text, view);
  EXPECT_EQ(number, 1U);
  EXPECT_EQ(number, number);
  EXPECT_EQ(whole, 1);
  EXPECT_EQ(real, 1.0);
  EXPECT_NE(text, text);
  EXPECT_NE(number, 1U);
  EXPECT_LT(number, 1U);
  EXPECT_GT(number, 1U);
  EXPECT_GE(number, 1U);
  EXPECT_LE(number, 1U);
  EXPECT_NEAR(real, 1.0, 1.0);
  EXPECT_TRUE(text.empty()) << text << view << number << whole << real;
  EXPECT_THAT(text, testing::HasSubstr("x"));
  EXPECT_THAT(text, testing::HasSubstr(text));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("x")));
  EXPECT_THAT(text, testing::StartsWith("x"));
  EXPECT_EQ(std::vector<std::string>{}, std::vector<std::string>{});
  EXPECT_EQ(nlohmann::json(), nlohmann::json());
}

}  // namespace beaconry::precompiled
