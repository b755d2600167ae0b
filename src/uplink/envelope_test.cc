#include <gtest/gtest.h>

#include "uplink/flow_batch.h"
#include "uplink/test_events.h"

namespace beaconry {
namespace {

Envelope sample() {
  Envelope envelope;
  envelope.edge = std::string(64, 'a');
  envelope.edge_name = "tap-1 in the cellar";
  envelope.incarnation = std::string(32, '0');
  envelope.sequence = 7;
  envelope.sent = at(1'780'000'000'000'000);
  envelope.content = std::string("\x28\xb5\0\xff", 4);
  envelope.batches_dropped = 3;
  envelope.content_kind = ContentKind::observations;
  return envelope;
}

TEST(Envelope, ComesBackAsItWent) {
  const Envelope sent = sample();
  const auto got = decode_envelope(encode_envelope(sent));
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->edge, sent.edge);
  EXPECT_EQ(got->edge_name, sent.edge_name);
  EXPECT_EQ(got->incarnation, sent.incarnation);
  EXPECT_EQ(got->sequence, sent.sequence);
  EXPECT_EQ(got->sent, sent.sent);
  EXPECT_EQ(got->content, sent.content);
  EXPECT_EQ(got->batches_dropped, sent.batches_dropped);
  EXPECT_EQ(got->content_kind, sent.content_kind);
}

TEST(Envelope, NamesWhatIsWrongWithIt) {
  const struct {
    void (*spoil)(Envelope&);
    const char* word;
  } cases[] = {
      {[](Envelope& e) { e.edge.pop_back(); }, "edge is not 64"},
      {[](Envelope& e) { e.edge[3] = 'G'; }, "edge is not 64"},
      {[](Envelope& e) { e.incarnation.clear(); }, "incarnation"},
      {[](Envelope& e) { e.edge_name = "a\x1b[31m"; }, "edge_name"},
      {[](Envelope& e) { e.edge_name.assign(256, 'x'); }, "edge_name"},
      {[](Envelope& e) { e.sequence = 0; }, "sequence"},
      {[](Envelope& e) { e.sent = kLatest + Duration{1}; }, "sent_us"},
      {[](Envelope& e) { e.sent = kEarliest - Duration{1}; }, "sent_us"},
      {[](Envelope& e) { e.content_kind = static_cast<ContentKind>(4); }, "content_kind 4"},
      {[](Envelope& e) { e.edge_name = "\xff"; }, "no beaconry.uplink.Envelope"},
  };
  for (const auto& c : cases) {
    Envelope envelope = sample();
    c.spoil(envelope);
    const auto got = decode_envelope(encode_envelope(envelope));
    ASSERT_FALSE(got) << c.word;
    EXPECT_EQ(got.error().kind, ErrorKind::malformed);
    EXPECT_NE(got.error().message().find(c.word), std::string::npos) << got.error().message();
  }
}

TEST(Envelope, RefusesBytesThatAreNone) {
  const std::string whole = encode_envelope(sample());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto got = decode_envelope(std::string_view(whole).substr(0, size));
    // Cut between two fields it is a message, but for its last fields: those have defaults.
    if (got) {
      EXPECT_EQ(got->edge, sample().edge);
    }
  }
  EXPECT_FALSE(decode_envelope("{\"batch_id\": \"b\"}"));
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += "\x78\x01";  // field 15
  EXPECT_FALSE(decode_envelope(whole + many));
}

}  // namespace
}  // namespace beaconry
