#include "base/time.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

Timestamp at(std::int64_t micros) {
  return Timestamp{Duration{micros}};
}

TEST(EpochSeconds, KeepsMicroseconds) {
  EXPECT_EQ(parse_epoch_seconds("1591367999.305988"), at(1591367999305988));
  EXPECT_EQ(parse_epoch_seconds("1591367999"), at(1591367999000000));
  EXPECT_EQ(parse_epoch_seconds("1.5"), at(1500000));
  EXPECT_EQ(parse_epoch_seconds("1.1234569"), at(1123456));
}

TEST(EpochSeconds, ReadsMicrosecondsAfterWholePartsOfEveryLength) {
  EXPECT_EQ(parse_epoch_seconds("0.000001"), at(1));
  EXPECT_EQ(parse_epoch_seconds("12345678.123456"), at(12345678123456));
  EXPECT_EQ(parse_epoch_seconds("123456789.999999"), at(123456789999999));
  for (const char* text :
       {"15913679x9.305988", "1591367999.30598x", "x591367999.305988", "1591367999:305988",
        "9999999999.305988", "-.305988", "/591367999.305988", "159136799:.305988"}) {
    EXPECT_FALSE(parse_epoch_seconds(text)) << text;
  }
}

TEST(EpochSeconds, RefusesWhatIsNoTime) {
  for (const char* text : {"", "-1", "-", "1e9", "1591367999.30x", ".5", "99999999999", "nan"}) {
    EXPECT_FALSE(parse_epoch_seconds(text)) << text;
  }
}

TEST(Rfc3339, RoundTrips) {
  EXPECT_EQ(to_rfc3339(at(1591367999305988)), "2020-06-05T14:39:59.305Z");
  EXPECT_EQ(parse_rfc3339("2020-06-05T14:39:59.305988Z"), at(1591367999305988));
}

TEST(Rfc3339, UnderstandsZonesAndDates) {
  EXPECT_EQ(parse_rfc3339("2020-06-05T16:39:59.305988+0200"), at(1591367999305988));
  EXPECT_EQ(parse_rfc3339("2020-06-05T10:09:59.305988-04:30"), at(1591367999305988));
  EXPECT_EQ(parse_rfc3339("2020-06-05"), at(1591315200000000));
}

TEST(Rfc3339, RefusesImpossibleDates) {
  for (const char* text : {"", "2020-13-01", "2020-02-30", "2020-06-05T25:00:00Z", "20200605",
                           "2020-06-05T14:39", "1960-01-01", "2020-06-05T14:39:59+2"}) {
    EXPECT_FALSE(parse_rfc3339(text)) << text;
  }
}

TEST(ToWords, ReadsLikeAClock) {
  EXPECT_EQ(to_words(std::chrono::milliseconds{850}), "850ms");
  EXPECT_EQ(to_words(std::chrono::seconds{60}), "60.0s");
  EXPECT_EQ(to_words(std::chrono::seconds{330}), "5m 30s");
  EXPECT_EQ(to_words(std::chrono::seconds{7500}), "2h 5m");
  EXPECT_EQ(to_words(std::chrono::hours{76}), "3d 4h");
}

}  // namespace
}  // namespace beaconry
