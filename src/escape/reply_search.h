#pragma once
#include "escape/method.h"

namespace beaconry {

// Hands every sealed ping in these bytes to Wire::take_reply() until one is home's answer to the
// try; at most kMostCandidates, because others may have written into an answer too: a proxy repeats
// what it was asked, an inspector puts a page of its own before it.
constexpr int kMostCandidates = 8;
bool take_reply_within(Wire& wire, ByteView bytes);

// The same in a stream that comes in pieces. Keeps its last kKept bytes and reads kMost of it.
class ReplyStream {
 public:
  static constexpr std::size_t kKept = 8192, kMost = 256 * 1024;
  bool add(Wire& wire, ByteView piece);
  bool exhausted() const { return read_ > kMost; }  // nothing of it is worth reading on
  void clear() { *this = {}; }

 private:
  Bytes kept_;
  std::size_t read_ = 0;
};

}  // namespace beaconry
