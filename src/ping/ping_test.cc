#include "ping/ping.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ping/test_pings.h"

namespace beaconry {
namespace {

RC_GTEST_PROP(Ping, ComesBackAsItWas, ()) {
  const Ping ping = *any_ping();
  const Bytes bytes = encode_ping(ping);
  RC_ASSERT(bytes.size() >= kShortestPing && bytes.size() <= kLongestPing);
  const auto back = decode_ping(bytes);
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == ping);
}

RC_GTEST_PROP(Ping, IsRefusedWhereItEndsEarly, ()) {
  const Bytes bytes = encode_ping(*any_ping());
  const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
  RC_ASSERT(!decode_ping(ByteView(bytes).first(size)).has_value());
}

TEST(Ping, HasTheBytesThatItsFormatSays) {
  const Bytes bytes = encode_ping(sample_ping());
  EXPECT_EQ(bytes.size(), 47U);
  EXPECT_EQ(to_hex(ByteView(bytes).first(8)), "01010a030000000c");
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(16, 8)), "0000000000000412");
  EXPECT_EQ(to_hex(ByteView(bytes).subspan(32)), "01bb150a000102cb00710a0a000132");
}

TEST(Ping, KeepsATimeWithinItsRange) {
  Ping ping = sample_ping();
  ping.sent = kEarliest - Duration{1};
  EXPECT_EQ(decode_ping(encode_ping(ping))->sent, kEarliest);
  ping.sent = kLatest + Duration{1};
  EXPECT_EQ(decode_ping(encode_ping(ping))->sent, kLatest);
}

TEST(Ping, IgnoresWhatLaterVersionsAddAtItsEnd) {
  Bytes bytes = encode_ping(sample_ping());
  bytes.push_back(9);
  EXPECT_EQ(*decode_ping(bytes), sample_ping());
  bytes.resize(kLongestPing + 1);
  EXPECT_FALSE(decode_ping(bytes).has_value());
}

TEST(Ping, RefusesWhatCannotBe) {
  const Bytes good = encode_ping(sample_ping());
  const auto with = [&](std::size_t at, std::uint8_t value) {
    Bytes bytes = good;
    bytes[at] = value;
    return decode_ping(bytes);
  };
  EXPECT_EQ(with(0, 2).error().kind, ErrorKind::unsupported);
  EXPECT_FALSE(with(1, 0).has_value());      // no leg
  EXPECT_FALSE(with(1, 9).has_value());      // an unknown flag
  EXPECT_FALSE(with(24, 0xff).has_value());  // a time beyond 2200
  EXPECT_FALSE(with(34, 0x95).has_value());  // a flag above the families
  EXPECT_FALSE(with(34, 0x17).has_value());  // family 3
}

TEST(Ping, RefusesAnAddressInALongerFormThanItNeeds) {
  Ping ping;
  ping.sent = kEarliest;
  Bytes bytes = encode_ping(ping);
  ASSERT_EQ(bytes.size(), kShortestPing);
  bytes[34] = 2;  // its source in 16 bytes
  bytes.resize(bytes.size() + 16);
  EXPECT_FALSE(decode_ping(bytes).has_value()) << ":: takes none";
  bytes[45] = bytes[46] = 0xff;
  EXPECT_FALSE(decode_ping(bytes).has_value()) << "IPv4 takes four";
  bytes[35] = 0xfe;
  EXPECT_TRUE(decode_ping(bytes).has_value());
}

TEST(ProbeId, ReadsWhatItPrints) {
  const ProbeId id{0x00123456789abcdeULL};
  EXPECT_EQ(id.to_string(), "00123456789abcde");
  EXPECT_EQ(ProbeId::parse(id.to_string()), id);
  for (const char* wrong : {"", "0123", "0123456789abcdefa", "0x23456789abcdef", "-123456789abcdef",
                            "0123456789abcdeg"}) {
    EXPECT_EQ(ProbeId::parse(wrong), std::nullopt) << wrong;
  }
}

}  // namespace
}  // namespace beaconry
