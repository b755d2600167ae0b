#include "uplink/signed_report.h"

#include <gtest/gtest.h>

#include <string>

#include "http/certificates.h"

namespace beaconry {
namespace {

const std::string kBody = R"({"boot":"b","machine":"m","sequence":7,"reported":{"format":1}})";

CertificateAndKey make_edge() {
  return *make_self_signed("sensor001", Timestamp{std::chrono::seconds{1'790'000'000}});
}

TEST(SignedReport, TellsTheKeyThatSignedItAndGivesTheBodyBack) {
  const auto edge = make_edge();
  const auto message = sign_report(edge.key_pem, kBody);
  ASSERT_TRUE(message) << message.error().message();
  const auto report = check_signed_report(*message);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->sensor, *key_fingerprint(edge.certificate_pem));
  EXPECT_EQ(report->body, kBody);
}

TEST(SignedReport, OfWhichAByteChangedIsRefused) {
  const std::string message = *sign_report(make_edge().key_pem, kBody);
  for (std::size_t i = 0; i < message.size(); ++i) {
    std::string changed = message;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(check_signed_report(changed)) << "byte " << i;
  }
  EXPECT_FALSE(check_signed_report(message + "\n"));
  EXPECT_FALSE(check_signed_report(message.substr(0, message.size() - 1)));
}

TEST(SignedReport, WithTheKeyOfAnotherIsRefused) {
  const std::string mine = *sign_report(make_edge().key_pem, kBody);
  const std::string other = *sign_report(make_edge().key_pem, kBody);
  const auto key_end = [](const std::string& text) { return text.find(' ', 25); };
  const std::string swapped = mine.substr(0, key_end(mine)) + other.substr(key_end(other));
  EXPECT_FALSE(check_signed_report(swapped));
}

TEST(SignedReport, WhatIsNoneIsRefusedInWords) {
  for (const std::string text :
       {"", "\n", "beaconry-signed-report 1 ", "beaconry-signed-report 1 \n{}",
        "beaconry-signed-report 1 00 00\n{}", "beaconry-signed-report 1 zz zz\n{}"}) {
    const auto report = check_signed_report(text);
    ASSERT_FALSE(report) << text;
    EXPECT_EQ(report.error().kind, ErrorKind::malformed);
  }
  const auto message = sign_report("no key", kBody);
  EXPECT_FALSE(message);
  EXPECT_EQ(sign_report(make_edge().key_pem, std::string(5 << 20, ' ')).error().kind,
            ErrorKind::limit);
}

}  // namespace
}  // namespace beaconry
