#include "flow/pair_key.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

TEST(PairKey, IsWrittenAsPeopleQuoteIt) {
  for (const char* text : {"10.0.0.5->203.0.113.9:443/TCP", "[2001:db8::1]->[2001:db8::2]:53/UDP",
                           "10.0.0.5->10.0.0.6:0/ICMP", "10.0.0.5->10.0.0.6:0/IP-47"}) {
    const auto key = PairKey::parse(text);
    ASSERT_TRUE(key) << text;
    EXPECT_EQ(key->to_string(), text);
  }
}

TEST(PairKey, RefusesWhatIsNoKey) {
  for (const char* text :
       {"", "10.0.0.5", "10.0.0.5->203.0.113.9", "10.0.0.5->203.0.113.9:99999/TCP",
        "10.0.0.5->203.0.113.9:443/QUIC", "a->b:1/TCP", "10.0.0.5->:1/TCP"}) {
    EXPECT_FALSE(PairKey::parse(text)) << text;
  }
}

}  // namespace
}  // namespace beaconry
