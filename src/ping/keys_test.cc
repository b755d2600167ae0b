#include "ping/keys.h"

#include <gtest/gtest.h>

#include "ping/test_pings.h"

namespace beaconry {
namespace {

TEST(PartyKeys, AreTheSameOfOneSeedAndOthersOfAnother) {
  EXPECT_EQ(party(1).box_public(), party(1).box_public());
  EXPECT_EQ(party(1).sign_public(), party(1).sign_public());
  EXPECT_NE(party(1).box_public(), party(2).box_public());
  EXPECT_NE(party(1).id(), party(2).id());
  EXPECT_NE(PartyKeys::make_seed(), PartyKeys::make_seed());
}

// Probes in the field have these keys: they may never come out otherwise.
TEST(PartyKeys, StayWhatTheyWereOfASeed) {
  EXPECT_EQ(to_hex(party(7).box_public()),
            "3579e11ce5d8fb43e9536970603604bff35d8c9b9444ff4e4f303522849d1f13");
  EXPECT_EQ(to_hex(party(7).sign_public()),
            "cb53c4263f086f1c8564599ca25fae529a48bfd6505d76623dc9379f33458f88");
  EXPECT_EQ(party(7).id().to_string(), "d07266c10895c19f");
  const auto shared = SharedKey::make(party(7), party(8).box_public());
  EXPECT_EQ(to_hex(shared->hint()),
            "ced436ccdcc45942c6ee0c43a3368ac2cd993b8749c456d6b1f040fd61bb649d");
}

TEST(PartyKeys, SignWhatTheirPublicKeyVerifies) {
  const auto signature = party(1).sign(as_bytes("tried"));
  EXPECT_TRUE(verify_signature(party(1).sign_public(), as_bytes("tried"), signature));
  EXPECT_FALSE(verify_signature(party(1).sign_public(), as_bytes("Tried"), signature));
  EXPECT_FALSE(verify_signature(party(2).sign_public(), as_bytes("tried"), signature));
  auto changed = signature;
  changed[0] ^= 1;
  EXPECT_FALSE(verify_signature(party(1).sign_public(), as_bytes("tried"), changed));
}

TEST(SharedKey, IsTheSameOnBothSides) {
  const auto a = SharedKey::make(party(1), party(2).box_public());
  const auto b = SharedKey::make(party(2), party(1).box_public());
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->box(), b->box());
  EXPECT_EQ(a->hint(), b->hint());
  EXPECT_EQ(a->token(), b->token());
  EXPECT_EQ(a->proof(), b->proof());
  EXPECT_NE(a->hint(), a->token());
  EXPECT_NE(a->box(), SharedKey::make(party(3), party(2).box_public())->box());
}

TEST(SharedKey, RefusesKeysWhoseSecretEverybodyKnows) {
  Key32 one{};
  one[0] = 1;  // points of small order, RFC 7748 §6.1
  for (const Key32& weak : {Key32{}, one}) {
    const auto key = SharedKey::make(party(1), weak);
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().kind, ErrorKind::malformed);
  }
}

TEST(Key, ReadsWhatItPrints) {
  const Key32 key = party(3).box_public();
  EXPECT_EQ(*parse_key(to_hex(key)), key);
  EXPECT_FALSE(parse_key("").has_value());
  EXPECT_FALSE(parse_key(std::string(63, 'a')).has_value());
  EXPECT_FALSE(parse_key(std::string(63, 'a') + "g").has_value());
}

TEST(Key, StaysOutOfTheWordsThatRefuseIt) {
  EXPECT_EQ(parse_key("secret").error().message().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace beaconry
