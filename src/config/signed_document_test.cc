#include "config/signed_document.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace beaconry {
namespace {

const std::string kSensor(64, 'a');

SignedDocument document(std::uint64_t version) {
  return {kSensor, version, *parse_rfc3339("2026-11-20T08:00:00Z"),
          R"({"instances":{"beacon_0":{"image":"aa"}}})",
          R"({"/instances/beacon_0/image":"fleet"})"};
}

class SignedDocumentTest : public testing::Test {
 protected:
  CheckedDocument check(const std::string& message, std::uint64_t least = 0) const {
    return check_signed_document(message, key_.public_hex(), kSensor, least);
  }
  DocumentKey key_ = DocumentKey::make();
  std::string message_ = key_.sign(document(7)).value();
};

TEST_F(SignedDocumentTest, IsReadAsItWasSigned) {
  const CheckedDocument checked = check(message_, 7);
  ASSERT_TRUE(checked.document) << checked.words;
  EXPECT_EQ(checked.refusal, DocumentRefusal::none);
  EXPECT_EQ(checked.document->version, 7U);
  EXPECT_EQ(checked.document->time, document(7).time);
  EXPECT_EQ(checked.document->document, document(7).document);
  EXPECT_EQ(checked.document->origin, document(7).origin);
}

TEST_F(SignedDocumentTest, OfAnOlderVersionIsRefusedAlsoIfItWasOnceRight) {
  EXPECT_EQ(check(message_, 8).refusal, DocumentRefusal::older);
  EXPECT_EQ(check(key_.sign(document(8)).value(), 8).refusal, DocumentRefusal::none);
}

TEST_F(SignedDocumentTest, ForAnotherSensorIsRefused) {
  SignedDocument other = document(7);
  other.sensor = std::string(64, 'b');
  EXPECT_EQ(check(key_.sign(other).value()).refusal, DocumentRefusal::other_sensor);
  other.sensor.clear();
  EXPECT_EQ(check_signed_document(key_.sign(other).value(), key_.public_hex(), "", 0).refusal,
            DocumentRefusal::other_sensor);
}

TEST_F(SignedDocumentTest, OfAnotherKeyIsRefused) {
  const DocumentKey other = DocumentKey::make();
  EXPECT_EQ(check(other.sign(document(7)).value()).refusal, DocumentRefusal::signature);
  EXPECT_EQ(check_signed_document(message_, "", kSensor, 0).refusal, DocumentRefusal::signature);
}

TEST_F(SignedDocumentTest, WithAnyByteChangedIsRefused) {
  for (std::size_t i = 0; i < message_.size(); ++i) {
    std::string changed = message_;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(check(changed).document) << i;
  }
  for (std::size_t size = 0; size < message_.size(); ++size)
    EXPECT_FALSE(check(message_.substr(0, size)).document) << size;
  EXPECT_FALSE(check(message_ + ' ').document);
}

TEST_F(SignedDocumentTest, IsNotMadeOfWhatIsNoObject) {
  for (const char* json : {"", "[]", "null", "{"}) {
    SignedDocument wrong = document(1);
    wrong.document = json;
    EXPECT_FALSE(key_.sign(wrong)) << json;
  }
}

TEST(DocumentKey, ComesBackFromItsFile) {
  const DocumentKey key = DocumentKey::make();
  const auto again = DocumentKey::parse(key.secret_text());
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->public_hex(), key.public_hex());
  EXPECT_NE(DocumentKey::make().public_hex(), key.public_hex());
}

TEST(DocumentKey, OfAChangedFileIsRefused) {
  const std::string text = DocumentKey::make().secret_text();
  std::string changed = text;
  char& digit = changed[changed.size() - 2];
  digit = digit == '0' ? '1' : '0';
  EXPECT_FALSE(DocumentKey::parse(changed));
  EXPECT_FALSE(DocumentKey::parse(text.substr(0, text.size() - 3)));
  EXPECT_FALSE(DocumentKey::parse(""));
}

RC_GTEST_PROP(SignedDocument, OfAnyBytesIsRefusedInWords, (const std::string& bytes)) {
  const std::string key = DocumentKey::make().public_hex();
  const auto checked = check_signed_document(bytes, key, kSensor, 0);
  RC_ASSERT(!checked.document && !checked.words.empty());
}

}  // namespace
}  // namespace beaconry
