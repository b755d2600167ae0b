#include "control/totp.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

using std::chrono::seconds;

const std::string kKey = "12345678901234567890";

Timestamp at(std::int64_t second) {
  return Timestamp{seconds{second}};
}

TEST(Totp, MakesTheCodesOfRfc6238) {  // appendix B, the SHA-1 rows
  const std::pair<std::uint64_t, const char*> rows[] = {{59, "94287082"},
                                                        {1'111'111'109, "07081804"},
                                                        {1'111'111'111, "14050471"},
                                                        {1'234'567'890, "89005924"},
                                                        {2'000'000'000, "69279037"},
                                                        {20'000'000'000, "65353130"}};
  for (const auto& [second, code] : rows)
    EXPECT_EQ(totp_code(kKey, second / 30, 8), code) << second;
}

TEST(Totp, TakesACodeOnceAndAStepEarlierOrLater) {
  const std::string secret = base32(kKey);
  const std::string code = totp_code(kKey, 1'234'567'890 / 30);
  const auto step = totp_step(secret, code, at(1'234'567'890), 0);
  ASSERT_TRUE(step);
  EXPECT_EQ(*step, 1'234'567'890U / 30);
  EXPECT_FALSE(totp_step(secret, code, at(1'234'567'890), *step));  // again
  EXPECT_TRUE(totp_step(secret, code, at(1'234'567'890 + 30), 0));
  EXPECT_TRUE(totp_step(secret, code, at(1'234'567'890 - 30), 0));
  EXPECT_FALSE(totp_step(secret, code, at(1'234'567'890 + 60), 0));
  EXPECT_FALSE(totp_step(secret, code, at(1'234'567'890 - 60), 0));
  EXPECT_FALSE(totp_step(secret, "", at(1'234'567'890), 0));
  EXPECT_FALSE(totp_step("", "", at(1'234'567'890), 0));
  EXPECT_FALSE(totp_step("not base32!", code, at(1'234'567'890), 0));
}

TEST(Totp, SecretsAreOfTheirOwnAndReadableByApps) {
  const std::string secret = make_totp_secret();
  EXPECT_EQ(secret.size(), 32U);
  EXPECT_NE(secret, make_totp_secret());
  EXPECT_EQ(base32(*parse_base32(secret)), secret);
  EXPECT_EQ(base32("foobar"), "MZXW6YTBOI");  // RFC 4648 §10
  EXPECT_EQ(totp_uri("anna@site", "MZXW6YTBOI"),
            "otpauth://totp/Beaconry:anna%40site?secret=MZXW6YTBOI&issuer=Beaconry");
}

}  // namespace
}  // namespace beaconry
