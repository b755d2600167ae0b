#include "ping/proof_addresses.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace beaconry {
namespace {

ReplyProof sample() {
  ReplyProof proof{};
  for (std::size_t i = 0; i < proof.size(); ++i)
    proof[i] = static_cast<std::uint8_t>(200 + i);
  return proof;
}

TEST(ProofAddresses, SayTheProofInWhateverOrder) {
  auto addresses = proof_addresses(sample());
  ASSERT_EQ(addresses.size(), 6U);
  EXPECT_EQ(addresses[0].to_string(), "240.200.201.202");
  EXPECT_EQ(addresses[5].to_string(), "245.215.0.0");
  do {
    EXPECT_EQ(proof_in_addresses(addresses), sample());
  } while (std::next_permutation(addresses.begin(), addresses.end()));
}

TEST(ProofAddresses, MayStandAmongOthersAndTwice) {
  auto addresses = proof_addresses(sample());
  addresses.insert(addresses.begin() + 2, *IpAddress::parse("203.0.113.10"));
  addresses.push_back(addresses[0]);
  addresses.push_back(*IpAddress::parse("2001:db8::1"));
  addresses.push_back(*IpAddress::parse("246.1.2.3"));
  EXPECT_EQ(proof_in_addresses(addresses), sample());
}

TEST(ProofAddresses, AreNoneIncompleteOrContradictory) {
  const auto addresses = proof_addresses(sample());
  EXPECT_EQ(proof_in_addresses({}), std::nullopt);
  EXPECT_EQ(proof_in_addresses(std::span(addresses).first(5)), std::nullopt);
  auto twice = addresses;
  twice.push_back(*IpAddress::parse("240.1.1.1"));
  EXPECT_EQ(proof_in_addresses(twice), std::nullopt);
  auto padded = addresses;
  padded[5] = *IpAddress::parse("245.215.0.1");
  EXPECT_EQ(proof_in_addresses(padded), std::nullopt);
}

}  // namespace
}  // namespace beaconry
