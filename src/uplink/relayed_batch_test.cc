#include "uplink/relayed_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <uplink.pb.h>  // generated
#include <zstd.h>

namespace beaconry {
namespace {

using testing::HasSubstr;

std::string packed(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 1));
  return out;
}

RC_GTEST_PROP(RelayedBatch, CarriesItsEnvelopeUnopened, ()) {
  RelayedBatch batch{"detector_0", *parse_rfc3339("2026-11-22T08:00:00Z"),
                     *rc::gen::nonEmpty<std::string>()};
  const auto got = decode_relayed(encode_relayed(batch), 1 << 20);
  RC_ASSERT(got.has_value());
  RC_ASSERT(got->instance == batch.instance);
  RC_ASSERT(got->taken == batch.taken);
  RC_ASSERT(got->envelope == batch.envelope);
  RC_ASSERT(instance_of_relayed(encode_relayed(batch)) == batch.instance);
}

TEST(RelayedBatch, IsRefusedWithAWord) {
  using Batch = uplink::RelayedBatch;
  const struct {
    void (*spoil)(Batch&);
    const char* word;
  } cases[] = {
      {[](Batch& b) { b.clear_instance(); }, "instance"},
      {[](Batch& b) { b.set_instance("../x"); }, "instance"},
      {[](Batch& b) { b.set_instance(std::string(65, 'a')); }, "instance"},
      {[](Batch& b) { b.set_taken_us(-1); }, "taken_us"},
      {[](Batch& b) { b.clear_envelope(); }, "envelope"},
  };
  Batch good;
  good.set_instance("detector_0");
  good.set_envelope("inner");
  ASSERT_TRUE(decode_relayed(packed(good.SerializeAsString()), 1 << 20));
  for (const auto& c : cases) {
    Batch batch = good;
    c.spoil(batch);
    const auto got = decode_relayed(packed(batch.SerializeAsString()), 1 << 20);
    ASSERT_FALSE(got) << c.word;
    EXPECT_EQ(got.error().kind, ErrorKind::malformed);
    EXPECT_THAT(got.error().message(), HasSubstr(c.word));
  }
}

TEST(RelayedBatch, RefusesWhatIsTooLongOrNone) {
  const std::string long_one = encode_relayed({"detector_0", {}, std::string(2000, 'x')});
  EXPECT_EQ(decode_relayed(long_one, 1000).error().kind, ErrorKind::limit);
  std::string many;
  for (int i = 0; i < 65; ++i)
    many += "\x78\x01";
  EXPECT_EQ(decode_relayed(packed(many), 1 << 20).error().kind, ErrorKind::limit);
  for (const std::string& bytes : {std::string(), std::string("no zstd"), packed("\xff\xff")}) {
    const auto got = decode_relayed(bytes, 1 << 20);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, ErrorKind::malformed);
  }
}

}  // namespace
}  // namespace beaconry
