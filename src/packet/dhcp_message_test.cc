#include "packet/dhcp_message.h"

#include <gtest/gtest.h>

#include "packet/test_messages.h"

namespace beaconry {
namespace {

using namespace test_messages;

constexpr std::uint32_t kAddress = 0x0a000007;

TEST(DhcpMessage, TellsWhoHasAnAddress) {
  const DhcpFields cases[] = {
      {3, "pc7", 0, 0, kAddress},  // a request for what was offered
      {3, "pc7", kAddress, 0, 0},  // a renewal
      {8, "pc7", kAddress, 0, 0},  // an inform
      {5, "pc7", 0, kAddress, 0},  // an acknowledgement
  };
  for (const DhcpFields& fields : cases) {
    const Bytes message = dhcp(fields);
    const auto lease = dhcp_message(message);
    ASSERT_TRUE(lease) << int{fields.kind};
    EXPECT_EQ(lease->address.to_string(), "10.0.0.7");
    EXPECT_EQ(lease->host_name, "pc7");
  }
}

TEST(DhcpMessage, TellsNothingWithoutNameOrAddress) {
  const DhcpFields cases[] = {
      {1, "pc7", 0, 0, kAddress},  // a discovery: only a wish
      {2, "pc7", 0, kAddress, 0},  // an offer
      {3, "", 0, 0, kAddress},    {3, "pc7", 0, 0, 0}, {5, "pc\x1b[31m7", 0, kAddress, 0},
  };
  for (const DhcpFields& fields : cases) {
    const Bytes message = dhcp(fields);
    EXPECT_FALSE(dhcp_message(message)) << int{fields.kind};
  }
  EXPECT_FALSE(dhcp_message(Bytes(300)));  // no cookie: BOOTP
}

TEST(DhcpMessage, SurvivesEveryCut) {
  const Bytes message = dhcp({3, "pc7", 0, 0, kAddress});
  for (std::size_t size = 0; size + 1 < message.size(); ++size) {
    EXPECT_FALSE(dhcp_message(ByteView(message).first(size))) << size;
  }
}

}  // namespace
}  // namespace beaconry
