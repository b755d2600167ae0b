#include "http/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace beaconry {
namespace {

const Timestamp kNow = *parse_rfc3339("2026-11-20T08:15:30Z");

TEST(Certificates, AreValidForAsLongAsTheirKindIs) {
  const auto ca = make_ca("Beaconry CA", kNow);
  ASSERT_TRUE(ca) << ca.error().message();
  const auto server = make_server_certificate(*ca, {"control.example", "10.0.0.1", "::1"}, kNow);
  ASSERT_TRUE(server) << server.error().message();
  const auto own = make_self_signed("edge", kNow);
  ASSERT_TRUE(own) << own.error().message();
  const auto year = std::chrono::hours{24 * 365};
  EXPECT_EQ(*expires(ca->certificate_pem), kNow + 20 * year);
  EXPECT_EQ(*expires(server->certificate_pem), kNow + year);
  EXPECT_EQ(*expires(own->certificate_pem), kNow + 20 * year);
}

TEST(Certificates, HaveKeysAndFingerprintsOfTheirOwn) {
  const auto one = make_self_signed("edge", kNow), two = make_self_signed("edge", kNow);
  EXPECT_EQ(certificate_fingerprint(one->certificate_pem)->size(), 64U);
  EXPECT_NE(*certificate_fingerprint(one->certificate_pem),
            *certificate_fingerprint(two->certificate_pem));
  EXPECT_NE(*key_fingerprint(one->certificate_pem), *key_fingerprint(two->certificate_pem));
  EXPECT_NE(*key_fingerprint(one->certificate_pem), *certificate_fingerprint(one->certificate_pem));
}

TEST(Certificates, RefuseNamesThatAreNone) {
  const auto ca = make_ca("Beaconry CA", kNow);
  for (const std::string name : {"", "a b", "a,IP:1.2.3.4", "x:y"})
    EXPECT_FALSE(make_server_certificate(*ca, {name}, kNow)) << name;
  EXPECT_FALSE(make_server_certificate(*ca, {}, kNow));
}

TEST(Certificates, RefuseWhatIsNoPem) {
  EXPECT_FALSE(expires(""));
  EXPECT_FALSE(certificate_fingerprint("-----BEGIN CERTIFICATE-----\nAAAA\n"));
  EXPECT_FALSE(make_server_certificate({"x", "y"}, {"a"}, kNow));
}

TEST(Digests, AreThoseOfTheStandards) {
  EXPECT_EQ(sha256_hex("abc"),  // FIPS 180-2 B.1
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),  // RFC 4231 §4.3
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(random_hex(16).size(), 32U);
  EXPECT_NE(random_hex(16), random_hex(16));
}

}  // namespace
}  // namespace beaconry
