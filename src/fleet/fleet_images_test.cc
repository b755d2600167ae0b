#include "fleet/fleet_images.h"

#include <gtest/gtest.h>

namespace beaconry {
namespace {

const Timestamp kStart = *parse_rfc3339("2026-11-20T08:00:00Z");
const std::string kOne(64, 'a'), kTwo(64, 'b');

class FleetImagesTest : public testing::Test {
 protected:
  std::unique_ptr<Database> database_ = std::move(*Database::open(""));
  std::unique_ptr<FleetImages> images_ = std::move(*FleetImages::open(*database_));
};

TEST_F(FleetImagesTest, AreKnownByTheirFilesHash) {
  ASSERT_TRUE(
      images_->add({kOne, "beacon", "1.0", 5000, "0123456789ABCDEF", kStart, "anna"}, "{}"));
  ASSERT_TRUE(images_->add({kOne, "other", "2.0", 1, "", kStart, "ben"}, "[]"));
  ASSERT_TRUE(images_->add(
      {kTwo, "beacon", "1.1", 6000, "", kStart + std::chrono::hours(1), "anna"}, "{}"));
  const auto one = images_->find(kOne);
  ASSERT_TRUE(one && one->has_value());
  EXPECT_EQ((*one)->name, "beacon");
  EXPECT_EQ((*one)->bytes, 5000U);
  EXPECT_EQ((*one)->added, kStart);
  EXPECT_EQ(images_->manifest(kOne), "{}");
  ASSERT_TRUE(images_->set_signer(kOne, "FEDC"));
  EXPECT_EQ((*images_->find(kOne))->signer, "FEDC");
  const auto all = images_->list();
  ASSERT_TRUE(all && all->size() == 2);
  EXPECT_EQ((*all)[0].version, "1.1");
  ASSERT_TRUE(images_->remove(kOne));
  EXPECT_FALSE(images_->remove(kOne));
  EXPECT_FALSE(images_->find(kOne)->has_value());
}

TEST_F(FleetImagesTest, RefuseAHashThatIsNone) {
  for (const std::string& hash :
       {std::string("../../etc/passwd"), std::string(64, 'A'), std::string(63, 'a'), std::string()})
    EXPECT_FALSE(images_->add({hash, "beacon", "1.0", 1, "", kStart, "anna"}, "{}")) << hash;
  EXPECT_FALSE(images_->add({kOne, "", "1.0", 1, "", kStart, "anna"}, "{}"));
}

}  // namespace
}  // namespace beaconry
