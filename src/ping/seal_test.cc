#include "ping/seal.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/text.h"
#include "ping/test_pings.h"

namespace beaconry {
namespace {

const SharedKey& shared_key() {
  static const SharedKey key = *SharedKey::make(party(1), party(9).box_public());
  return key;
}
const SharedKey& another_key() {
  static const SharedKey key = *SharedKey::make(party(2), party(9).box_public());
  return key;
}

Bytes any_bytes(std::size_t most) {
  return *rc::gen::container<Bytes>(
      *rc::gen::inRange<std::size_t>(0, most),
      rc::gen::element<std::uint8_t>(0, 1, 'b', 'c', 'n', '1', '.', 0xb3, 0xac, 7, 200));
}

Bytes joined(ByteView a, ByteView b) {
  Bytes all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// A name as DNS sends it, and between other bytes.
Bytes wire_name(std::string_view name) {
  Bytes bytes;
  for (const auto label : split(name, '.')) {
    bytes.push_back(static_cast<std::uint8_t>(label.size()));
    bytes.insert(bytes.end(), label.begin(), label.end());
  }
  bytes.push_back(0);
  return bytes;
}

RC_GTEST_PROP(SealedPing, OpensAsItWas, ()) {
  const Ping ping = *any_ping();
  const Bytes sealed = seal(ping, shared_key());
  RC_ASSERT(is_sealed_shape(sealed) && sealed.size() <= kLongestSealed);
  const auto opened = open_sealed(sealed, shared_key());
  RC_ASSERT(opened.has_value());
  RC_ASSERT(*opened == ping);
  RC_ASSERT(!open_sealed(sealed, another_key()).has_value());
}

RC_GTEST_PROP(SealedPing, IsRefusedWithAnyBitChanged, ()) {
  Bytes sealed = seal(*any_ping(), shared_key());
  const auto bit = *rc::gen::inRange<std::size_t>(0, sealed.size() * 8);
  sealed[bit / 8] = static_cast<std::uint8_t>(sealed[bit / 8] ^ 1U << bit % 8);
  RC_ASSERT(!open_sealed(sealed, shared_key()).has_value());
  if (const auto found = find_ping(sealed)) {
    RC_ASSERT(!open_sealed(found->sealed, shared_key()).has_value());
  }
}

RC_GTEST_PROP(SealedPing, IsRefusedCutOrLengthened, ()) {
  Bytes sealed = seal(*any_ping(), shared_key());
  Bytes longer = sealed;
  longer.push_back(0);
  RC_ASSERT(!open_sealed(longer, shared_key()).has_value());
  const auto size = *rc::gen::inRange<std::size_t>(0, sealed.size());
  RC_ASSERT(!open_sealed(ByteView(sealed).first(size), shared_key()).has_value());
  RC_ASSERT(!find_ping(ByteView(sealed).first(size)).has_value());
}

RC_GTEST_PROP(SealedPing, IsFoundInsideAnything, ()) {
  const Bytes sealed = seal(*any_ping(), shared_key());
  // What stands before ends with a byte that begins no magic, and has none itself.
  const Bytes before = joined(any_bytes(300), Bytes{0});
  RC_PRE(std::search(before.begin(), before.end(), kPingMagic.begin(), kPingMagic.end()) ==
         before.end());
  const auto found = find_ping(joined(joined(before, sealed), any_bytes(300)));
  RC_ASSERT(found.has_value());
  RC_ASSERT(!found->as_text);
  RC_ASSERT(found->end == before.size() + sealed.size());
  RC_ASSERT(found->sealed == sealed);
}

RC_GTEST_PROP(SealedPing, SurvivesAsTextWhateverItsCase, ()) {
  const Bytes sealed = seal(*any_ping(), shared_key());
  std::string text = ping_text(sealed);
  for (char& c : text) {
    if (*rc::gen::arbitrary<bool>()) c = static_cast<char>(std::toupper(c));
  }
  const auto found = find_ping(as_bytes("x=" + text + " HTTP/1.1\r\n"));
  RC_ASSERT(found.has_value());
  RC_ASSERT(found->as_text);
  RC_ASSERT(found->end == 2 + text.size());
  RC_ASSERT(found->sealed == sealed);
}

RC_GTEST_PROP(SealedPing, SurvivesAsADnsNameInQuestionsAndUrls, ()) {
  const Bytes sealed = seal(*any_ping(), shared_key());
  const auto made = ping_name(sealed, "z.example.net");
  RC_ASSERT(made.has_value());
  std::string name = *made;
  for (const auto label : split(name, '.'))
    RC_ASSERT(label.size() <= kLongestLabel);
  for (char& c : name) {
    if (*rc::gen::arbitrary<bool>()) c = static_cast<char>(std::toupper(c));
  }
  const Bytes header(12, 0);
  const auto in_question = find_ping(joined(header, wire_name(name)));
  RC_ASSERT(in_question.has_value());
  RC_ASSERT(in_question->sealed == sealed);
  const auto in_url = find_ping(as_bytes("GET http://" + name + "/ HTTP/1.1\r\n"));
  RC_ASSERT(in_url.has_value());
  RC_ASSERT(in_url->sealed == sealed);
}

RC_GTEST_PROP(SealedPing, IsRefusedWithOneCharacterChanged, ()) {
  const Bytes sealed = seal(*any_ping(), shared_key());
  std::string text = ping_text(sealed);
  const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
  const char other = *rc::gen::elementOf(std::string("abcdefghijklmnopqrstuvwxyz234567!/_"));
  RC_PRE(other != text[at]);
  text[at] = other;
  if (const auto found = find_ping(as_bytes(text))) {
    RC_ASSERT(!open_sealed(found->sealed, shared_key()).has_value());
  }
}

TEST(SealedPing, NeverLooksTwiceAlike) {
  EXPECT_NE(seal(sample_ping(), shared_key()), seal(sample_ping(), shared_key()));
}

TEST(SealedPing, IsFoundBehindMagicsWhoseLengthDoesNotFit) {
  const Bytes sealed = seal(sample_ping(), shared_key());
  Bytes bytes(kPingMagic.begin(), kPingMagic.end());
  bytes.push_back(255);  // no ping is that long
  bytes.insert(bytes.end(), kPingMagic.begin(), kPingMagic.end());
  bytes.push_back(3);
  for (const char c : std::string("bcn1bcn1aaaa bcn1 "))
    bytes.push_back(static_cast<std::uint8_t>(c));
  const auto found = find_ping(joined(bytes, sealed));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->sealed, sealed);
  const auto as_text = find_ping(joined(bytes, as_bytes(ping_text(sealed))));
  ASSERT_TRUE(as_text.has_value());
  EXPECT_EQ(as_text->sealed, sealed);
}

TEST(SealedPing, IsNotFoundWhereItIsCut) {
  const std::string text = ping_text(seal(sample_ping(), shared_key()));
  EXPECT_FALSE(find_ping(as_bytes(text.substr(0, text.size() - 1))).has_value());
  EXPECT_FALSE(find_ping({}).has_value());
  EXPECT_FALSE(find_ping(as_bytes("bcn1")).has_value());
}

TEST(SealedPing, HasANameOnlyWhereTheZoneLeavesRoom) {
  Ping ping = sample_ping();
  ping.source = ping.destination = ping.via = *IpAddress::parse("2001:db8::1");
  const Bytes longest = seal(ping, shared_key());
  EXPECT_TRUE(ping_name(longest, std::string(44, 'z')).has_value());
  const auto refused = ping_name(longest, std::string(46, 'z'));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::limit);
}

TEST(SealedPing, BearsTheHintOfItsDayAndDirection) {
  Ping ping = sample_ping();
  const std::int64_t day = 20'778;  // 2026-11-21
  EXPECT_EQ(hint_in(seal(ping, shared_key())), hint_of(shared_key(), day, Leg::outbound));
  ping.leg = Leg::confirmed;
  EXPECT_EQ(hint_in(seal(ping, shared_key())), hint_of(shared_key(), day, Leg::outbound));
  ping.leg = Leg::reply;
  EXPECT_EQ(hint_in(seal(ping, shared_key())), hint_of(shared_key(), day, Leg::reply));
  EXPECT_NE(hint_of(shared_key(), day, Leg::reply), hint_of(shared_key(), day, Leg::outbound));
  EXPECT_NE(hint_of(shared_key(), day, Leg::reply), hint_of(shared_key(), day + 1, Leg::reply));
}

TEST(ReplyProof, IsOfThisPingAndThisKey) {
  const Nonce nonce = nonce_in(seal(sample_ping(), shared_key()));
  const Nonce other = nonce_in(seal(sample_ping(), shared_key()));
  const ReplyProof proof = reply_proof(shared_key(), nonce);
  EXPECT_TRUE(same_proof(proof, reply_proof(shared_key(), nonce)));
  EXPECT_FALSE(same_proof(proof, reply_proof(shared_key(), other)));
  EXPECT_FALSE(same_proof(proof, reply_proof(another_key(), nonce)));
}

TEST(BounceToken, TellsFormAndNeighbourToItsKeyAndHourOnly) {
  constexpr std::int64_t kHour = 498'690;
  std::set<std::pair<std::uint32_t, std::uint16_t>> all;
  for (unsigned form = 0; form < 4; ++form) {
    for (unsigned neighbour = 0; neighbour < 256; ++neighbour) {
      const auto token = bounce_token(shared_key(), kHour, static_cast<BounceForm>(form),
                                      static_cast<std::uint8_t>(neighbour));
      all.emplace(token.word, token.half);
      const auto read = read_token(token, shared_key(), kHour);
      ASSERT_TRUE(read.has_value());
      EXPECT_EQ(static_cast<unsigned>(read->form), form);
      EXPECT_EQ(read->neighbour, neighbour);
      EXPECT_FALSE(read_token(token, shared_key(), kHour + 1).has_value());
      EXPECT_FALSE(read_token(token, another_key(), kHour).has_value());
    }
  }
  EXPECT_EQ(all.size(), 1024U);
}

TEST(BounceToken, IsRefusedWithAnyBitChanged) {
  const auto token = bounce_token(shared_key(), 498'690, BounceForm::syn, 50);
  for (unsigned bit = 0; bit < 48; ++bit) {
    BounceToken changed = token;
    if (bit < 32) {
      changed.word ^= 1U << bit;
    } else {
      changed.half = static_cast<std::uint16_t>(changed.half ^ 1U << (bit - 32));
    }
    const auto read = read_token(changed, shared_key(), 498'690);
    EXPECT_FALSE(read.has_value() && read->neighbour == 50) << bit;
  }
}

}  // namespace
}  // namespace beaconry
