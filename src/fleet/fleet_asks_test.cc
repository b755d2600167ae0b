#include "fleet/fleet_asks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;
using testing::IsEmpty;

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");

TEST(FleetAsks, AreAnsweredByWhomTheyWereAskedAndExpire) {
  FleetAsks asks;
  const auto asked = asks.ask({"k1", "log", "beacon_0", 100}, kStart);
  ASSERT_TRUE(asked);
  EXPECT_EQ(Json::parse(asked->json)["what"], "log");
  EXPECT_EQ(asks.untold("k1", kStart).size(), 1U);
  asks.was_told(asked->id);
  EXPECT_THAT(asks.untold("k1", kStart), IsEmpty());
  EXPECT_EQ(asks.find(asked->id, kStart)->state, FleetAsks::State::waiting);
  EXPECT_FALSE(asks.answer("k2", asked->id, R"({"ok":true})", kStart));
  EXPECT_FALSE(asks.answer("k1", "no", R"({"ok":true})", kStart));
  EXPECT_FALSE(asks.answer("k1", asked->id, R"({"ok":1})", kStart));
  ASSERT_TRUE(asks.answer("k1", asked->id, R"({"ok":true,"text":"a","more":1})", kStart));
  EXPECT_EQ(asks.find(asked->id, kStart + 1h)->answer, R"({"ok":true,"text":"a"})");
  const auto late = asks.ask({"k1", "log", "beacon_0", 100}, kStart);
  EXPECT_EQ(asks.find(late->id, kStart + 30s)->state, FleetAsks::State::expired);
  EXPECT_FALSE(asks.answer("k1", late->id, R"({"ok":true})", kStart + 30s));
}

TEST(FleetAsks, AreBounded) {
  FleetAsks asks(32 << 10);
  std::string first;
  for (std::size_t i = 0; i < FleetAsks::kMostOfOne; ++i)
    first = asks.ask({"k1", "log", "beacon_0", 1}, kStart)->id;
  EXPECT_FALSE(asks.ask({"k1", "log", "beacon_0", 1}, kStart));
  const std::string long_text = Json{{"ok", true}, {"text", std::string(1'000, 'x')}}.dump();
  for (int i = 0; i < 40; ++i) {
    const std::string sensor = "s" + std::to_string(i);
    const auto asked = asks.ask({sensor, "log", "beacon_0", 1}, kStart + 1s);
    ASSERT_TRUE(asks.answer(sensor, asked->id, long_text, kStart + 1s));
  }
  EXPECT_FALSE(asks.find(first, kStart + 1s));  // the oldest make room
}

}  // namespace
}  // namespace beaconry
