#include "bus/mqtt_packet.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace beaconry::mqtt {
namespace {

constexpr std::size_t kLongest = 1 << 20;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values)
    text += static_cast<char>(value);
  return text;
}

// What take_packet() says of it: an error's cause, "more", or "taken".
std::string fate(std::string_view buffer, std::size_t longest = kLongest) {
  const auto taken = take_packet(buffer, longest);
  if (!taken) return taken.error().cause;
  return *taken ? "taken" : "more";
}

TEST(MqttPacketTest, ConnectIsTheStandardsLayout) {
  const std::string packet = encode_connect({"a", "b", "cd", 30});
  EXPECT_EQ(packet, bytes({0x10, 20, 0, 4}) + "MQTT" + bytes({4, 0xc2, 0, 30, 0, 1}) + "a" +
                        bytes({0, 1}) + "b" + bytes({0, 2}) + "cd");
}

TEST(MqttPacketTest, SubscribeAsksForQualityOne) {
  EXPECT_EQ(encode_subscribe("x/+", 258), bytes({0x82, 8, 1, 2, 0, 3}) + "x/+" + bytes({1}));
}

TEST(MqttPacketTest, TextsPastTheirLengthFieldGiveNothing) {
  const std::string long_text(65'536, 'x');
  EXPECT_EQ(encode_publish(long_text, "", 0), "");
  EXPECT_EQ(encode_subscribe(long_text, 1), "");
  EXPECT_EQ(encode_connect({"a", "b", long_text, 1}), "");
}

TEST(MqttPacketTest, LengthIsKnownBeforeThePacketIsThere) {
  EXPECT_EQ(fate(bytes({0x30, 0xff, 0x7f}), 1000), "16383 bytes; the most is 1000");
  EXPECT_EQ(fate(bytes({0x30, 0xff, 0x7f}), 16383), "more");
}

TEST(MqttPacketTest, BreachesAreNamed) {
  EXPECT_EQ(fate(bytes({0x30, 0x80, 0x80, 0x80, 0x80, 1})), "a length of more than four bytes");
  EXPECT_EQ(fate(bytes({0x34, 5, 0, 1, 'a', 0, 1})), "a message of QoS 2, which was not asked for");
  EXPECT_EQ(fate(bytes({0x30, 3, 0, 9, 'a'})), "a topic of a wrong length");
  EXPECT_EQ(fate(bytes({0x30, 3, 0, 1, '#'})), "a message to a topic with wildcards");
  EXPECT_EQ(fate(bytes({0x30, 3, 0, 1, 0})), "a topic that is no text");
  EXPECT_EQ(fate(bytes({0x32, 5, 0, 1, 'a', 0, 0})), "a message with number 0");
  EXPECT_EQ(fate(bytes({0x41, 2, 0, 1})), "reserved flags are set");
  EXPECT_EQ(fate(bytes({0x10, 0})), "type 1, which no broker sends to us");
  EXPECT_EQ(fate(bytes({0x20, 3, 0, 0, 0})), "a CONNACK that is none");
}

TEST(MqttPacketTest, RefusedSubscriptionShowsItsCode) {
  const std::string packet = bytes({0x90, 3, 0, 7, 0x80});
  const auto taken = take_packet(packet, kLongest);
  ASSERT_TRUE(taken && *taken);
  const auto* answer = std::get_if<SubscribeAnswer>(&(*taken)->packet);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->id, 7);
  EXPECT_EQ(answer->codes, bytes({0x80}));
}

RC_GTEST_PROP(MqttPacketTest, APublishComesBackAndWaitsForItsLastByte, ()) {
  const auto topic =
      *rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
  const auto payload = *rc::gen::arbitrary<std::string>();
  const auto padding = *rc::gen::element<std::size_t>(0, 100, 130, 16'400);
  const auto id = *rc::gen::arbitrary<std::uint16_t>();
  const std::string said = payload + std::string(padding, 'p');
  const std::string packet = encode_publish(topic, said, id);
  const std::string stream = packet + "next";
  const auto taken = take_packet(stream, kLongest);
  RC_ASSERT(taken.has_value() && taken->has_value());
  RC_ASSERT((*taken)->bytes == packet.size());
  const auto* publish = std::get_if<Publish>(&(*taken)->packet);
  RC_ASSERT(publish != nullptr);
  RC_ASSERT(publish->topic == topic);
  RC_ASSERT(publish->payload == said);
  RC_ASSERT(publish->id == id);
  const std::size_t cut = *rc::gen::inRange<std::size_t>(0, packet.size());
  const auto part = take_packet(std::string_view(packet).substr(0, cut), kLongest);
  RC_ASSERT(part.has_value());
  RC_ASSERT(!part->has_value());
}

}  // namespace
}  // namespace beaconry::mqtt
