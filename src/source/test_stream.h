#pragma once
#include <algorithm>
#include <string>

#include "source/byte_stream.h"

namespace beaconry {

// A stream of what a test wrote, given out in pieces of at most `piece` bytes; then, if
// `failure` is not empty, an error.
class TestStream : public ByteStream {
 public:
  explicit TestStream(std::string bytes, std::string name = "test.pcap", std::size_t piece = 1000,
                      std::string failure = {})
      : bytes_(std::move(bytes)),
        name_(std::move(name)),
        piece_(piece),
        failure_(std::move(failure)) {}

  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t size = std::min({out.size(), piece_, bytes_.size() - at_});
    if (size == 0 && !failure_.empty()) return fail(ErrorKind::io, "read", name_, failure_);
    bytes_.copy(out.data(), size, at_);
    at_ += size;
    return size;
  }
  const std::string& name() const override { return name_; }

 private:
  std::string bytes_, name_;
  std::size_t piece_, at_ = 0;
  std::string failure_;
};

}  // namespace beaconry
