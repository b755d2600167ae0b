#include "packet/reassembly.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

namespace beaconry {
namespace {

TEST(Reassembly, WaitsForTheHoleToBeFilled) {
  Reassembly stream(100);
  stream.insert(5, as_bytes("56789"));
  EXPECT_TRUE(stream.contiguous().empty());
  stream.insert(0, as_bytes("01234"));
  EXPECT_EQ(as_text(stream.contiguous()), "0123456789");
}

TEST(Reassembly, KeepsWhatCameFirstWherePiecesOverlap) {
  Reassembly stream(100);
  stream.insert(2, as_bytes("cd"));
  stream.insert(0, as_bytes("XXXXXX"));
  EXPECT_EQ(as_text(stream.contiguous()), "XXcdXX");
}

TEST(Reassembly, HoldsNoMoreThanItMay) {
  Reassembly stream(4);
  stream.insert(0, as_bytes("abcdef"));
  stream.insert(0xffffffffffffffffULL, as_bytes("z"));
  EXPECT_EQ(as_text(stream.contiguous()), "abcd");
  EXPECT_TRUE(stream.full());
}

// Pieces of one text, in any order and overlapping, against a map of what is known so far.
RC_GTEST_PROP(Reassembly, GivesThePrefixThatIsKnown, ()) {
  std::string text(60, ' ');
  for (std::size_t i = 0; i < text.size(); ++i)
    text[i] = static_cast<char>('0' + i);
  Reassembly stream(50);
  std::string known(50, ' ');
  // At most nine pieces can be apart at once, so none is dropped.
  const auto count = *rc::gen::inRange(0, 9);
  for (int i = 0; i < count; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, 60);
    const auto size = *rc::gen::inRange<std::size_t>(0, 60 - at + 1);
    stream.insert(at, as_bytes(std::string_view(text).substr(at, size)));
    for (std::size_t j = at; j < std::min<std::size_t>(at + size, 50); ++j)
      known[j] = text[j];
  }
  RC_ASSERT(as_text(stream.contiguous()) == known.substr(0, known.find(' ')));
}

}  // namespace
}  // namespace beaconry
