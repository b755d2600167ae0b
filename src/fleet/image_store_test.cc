#include "fleet/image_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "fleet/test_image.h"
#include "image/digest.h"
#include "image/minisign.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using testing::HasSubstr;

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");
constexpr const char* kManifest =
    "name: tester\nversion: \"1.0\"\ncapabilities: [net_raw]\n"
    "config: {schema: {type: object, properties: {every: {type: integer}}}}\n";

class ImageStoreTest : public testing::Test {
 protected:
  ImageStoreTest() {
    char name[] = "/tmp/beaconry_images_XXXXXX";
    root_ = ::mkdtemp(name);
    database_ = std::move(*Database::open(""));
    restart();
  }
  ~ImageStoreTest() override { fs::remove_all(root_); }
  void restart(Timestamp now = kStart) {
    store_.reset();
    auto opened = ImageStore::open(*database_, folder(), now);
    ASSERT_TRUE(opened) << opened.error().message();
    store_ = std::move(*opened);
  }
  std::string folder() const { return root_ + "/fleet/images"; }
  std::string file(const std::string& end) const { return folder() + '/' + sha256_ + end; }
  void send() { ASSERT_TRUE(store_->take(sha256_, 0, image_, kStart)); }

  std::string root_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<ImageStore> store_;
  const std::string image_ = test::image_bytes(kManifest, 300'000);
  const std::string sha256_ = sha256_of(image_);
};

TEST_F(ImageStoreTest, TakesAnImagePieceByPiece) {
  EXPECT_EQ(store_->take(sha256_, 0, image_.substr(0, 1000), kStart), 1000U);
  // Sent again, after an answer that was lost; and with more behind it.
  EXPECT_EQ(store_->take(sha256_, 0, image_.substr(0, 1000), kStart), 1000U);
  EXPECT_EQ(store_->take(sha256_, 500, image_.substr(500, 1000), kStart), 1500U);
  const auto gap = store_->take(sha256_, 2000, "x", kStart);
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().kind, ErrorKind::conflict);
  EXPECT_THAT(gap.error().message(), HasSubstr("go on at 1500"));
  restart();
  ASSERT_EQ(store_->uploads(kStart).size(), 1U);
  EXPECT_EQ(store_->uploads(kStart)[0].have, 1500U);
  EXPECT_EQ(store_->take(sha256_, 1500, image_.substr(1500), kStart), image_.size());
  const auto image = store_->complete(sha256_, "", "anna", kStart);
  ASSERT_TRUE(image) << image.error().message();
  EXPECT_EQ(image->name, "tester");
  EXPECT_EQ(image->bytes, image_.size());
  EXPECT_EQ(image->signer, "");
  EXPECT_TRUE(store_->uploads(kStart).empty());
  restart();
  const auto manifest = store_->manifest(sha256_);
  ASSERT_TRUE(manifest) << manifest.error().message();
  const auto author = Manifest::parse(kManifest, "m");
  EXPECT_EQ(permission_digest(*manifest), permission_digest(*author));
  EXPECT_EQ(manifest->config_schema_json, author->config_schema_json);
  // Whatever comes for it now is there.
  EXPECT_EQ(store_->take(sha256_, 5, "x", kStart), image_.size());
  EXPECT_EQ(fs::file_size(file(".instrument")), image_.size());
}

TEST_F(ImageStoreTest, RemovesWhatIsNotWhatItIsCalled) {
  std::string other = image_;
  other[other.size() / 2] = static_cast<char>(other[other.size() / 2] ^ 1);
  ASSERT_TRUE(store_->take(sha256_, 0, other, kStart));
  const auto wrong = store_->complete(sha256_, "", "anna", kStart);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message(), HasSubstr(sha256_of(other)));
  EXPECT_FALSE(fs::exists(file(".part")));
  send();
  EXPECT_TRUE(store_->complete(sha256_, "", "anna", kStart));

  const std::string no_image = "nothing";
  ASSERT_TRUE(store_->take(sha256_of(no_image), 0, no_image, kStart));
  EXPECT_FALSE(store_->complete(sha256_of(no_image), "", "anna", kStart));
  EXPECT_TRUE(store_->uploads(kStart).empty());
  EXPECT_FALSE(store_->complete(sha256_of(no_image), "", "anna", kStart));
}

TEST_F(ImageStoreTest, RefusesEveryNameThatIsNoSha256) {
  for (const std::string& name :
       {std::string("../../../../etc/cron.d/evil"), std::string(64, '/'), std::string(64, 'A'),
        std::string(63, 'a'), std::string(63, 'a') + '\0', std::string(64, 'a') + "/../x",
        std::string()}) {
    EXPECT_FALSE(store_->take(name, 0, "x", kStart));
    EXPECT_FALSE(store_->complete(name, "", "anna", kStart));
    EXPECT_FALSE(store_->file(name));
    EXPECT_FALSE(store_->signature(name));
    EXPECT_FALSE(store_->remove(name));
  }
  EXPECT_TRUE(fs::is_empty(folder()));
}

TEST_F(ImageStoreTest, DoesNotFollowALinkThatLiesInItsWay) {
  std::ofstream(root_ + "/precious") << "mine";
  fs::create_symlink(root_ + "/precious", file(".part"));
  EXPECT_FALSE(store_->take(sha256_, 0, image_, kStart));
  EXPECT_EQ(fs::file_size(root_ + "/precious"), 4U);
}

TEST_F(ImageStoreTest, KeepsASignatureAndSaysWhoseItIs) {
  send();
  const auto keys = make_key_pair("author");
  const std::string id = parse_public_key(keys.public_text, "k")->id;
  const auto signature = sign_file(file(".part"), keys.secret_text, "file:a\ttimestamp:1");
  ASSERT_TRUE(signature);
  EXPECT_FALSE(store_->complete(sha256_, "trust me", "anna", kStart));
  ASSERT_EQ(store_->uploads(kStart).size(), 1U);  // and the bytes are none the worse for it
  const auto image = store_->complete(sha256_, *signature, "anna", kStart);
  ASSERT_TRUE(image) << image.error().message();
  EXPECT_EQ(image->signer, id);
  EXPECT_EQ(store_->signature(sha256_), *signature);
  // Signed once more, by another.
  const auto others = make_key_pair("other");
  const auto second = sign_file(file(".instrument"), others.secret_text, "file:a");
  ASSERT_TRUE(store_->complete(sha256_, *second, "ben", kStart));
  restart();
  EXPECT_EQ(store_->signature(sha256_), *second);
  EXPECT_EQ(store_->find(sha256_)->signer, parse_public_key(others.public_text, "k")->id);
}

TEST_F(ImageStoreTest, ForgetsAnUploadThatRestsForADay) {
  ASSERT_TRUE(store_->take(sha256_, 0, "abc", kStart));
  EXPECT_EQ(store_->uploads(kStart + hours(23)).size(), 1U);
  restart(kStart + hours(23));
  EXPECT_EQ(store_->uploads(kStart + hours(23)).size(), 1U);
  restart(kStart + hours(24));
  EXPECT_TRUE(store_->uploads(kStart + hours(24)).empty());
  EXPECT_FALSE(fs::exists(file(".part")));
}

TEST_F(ImageStoreTest, HasABoundForAllOfThem) {
  store_->set_most_bytes(image_.size() + 10);
  send();
  ASSERT_TRUE(store_->complete(sha256_, "", "anna", kStart));
  const std::string other(64, 'b');
  EXPECT_TRUE(store_->take(other, 0, "0123456789", kStart));
  const auto full = store_->take(other, 10, "x", kStart);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().kind, ErrorKind::limit);
  EXPECT_THAT(full.error().message(), HasSubstr("fleet.images_size"));
  ASSERT_TRUE(store_->remove(sha256_));
  EXPECT_TRUE(store_->take(other, 10, "x", kStart));
  EXPECT_FALSE(store_->take(other, 11, std::string(ImageStore::kLongestPiece + 1, 'x'), kStart));
}

TEST_F(ImageStoreTest, TakesSoManyUploadsAtOnce) {
  for (std::size_t i = 0; i <= ImageStore::kMostUploads; ++i) {
    const auto taken = store_->take(sha256_of(std::to_string(i)), 0, "x", kStart);
    EXPECT_EQ(taken.has_value(), i < ImageStore::kMostUploads);
  }
}

TEST_F(ImageStoreTest, ClearsAwayWhatACrashLeft) {
  send();
  ASSERT_TRUE(store_->complete(sha256_, "", "anna", kStart));
  const std::string half(64, 'c');
  std::ofstream(folder() + '/' + half + ".instrument.minisig") << "x";
  std::ofstream(folder() + "/README") << "not ours";
  // Renamed, and then the lights went out.
  const std::string late = test::image_bytes("name: late\nversion: \"1\"\n");
  std::ofstream(folder() + '/' + sha256_of(late) + ".instrument", std::ios::binary) << late;
  restart();
  EXPECT_FALSE(fs::exists(folder() + '/' + half + ".instrument.minisig"));
  EXPECT_TRUE(fs::exists(folder() + "/README"));
  EXPECT_TRUE(store_->file(sha256_));
  EXPECT_TRUE(store_->complete(sha256_of(late), "", "anna", kStart));
  // And what went from the folder is not offered.
  fs::remove(file(".instrument"));
  restart();
  EXPECT_FALSE(store_->find(sha256_));
}

}  // namespace
}  // namespace beaconry
