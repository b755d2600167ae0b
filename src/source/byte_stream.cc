#include "source/byte_stream.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/fd.h"

namespace beaconry {
namespace {

class StoredStream final : public ByteStream {
 public:
  StoredStream(std::string path, ReadReport* progress)
      : path_(std::move(path)),
        name_(path_ == "-" ? "standard input" : path_),
        progress_(progress) {}

  Result<std::size_t> read(std::span<char> out) override {
    int fd = STDIN_FILENO;
    if (path_ != "-") {
      if (!fd_) {
        auto opened = Fd::open_for_reading(path_);
        if (!opened) return tl::unexpected<Error>(opened.error());
        fd_ = std::move(*opened);
      }
      fd = fd_.get();
    }
    for (;;) {
      const ssize_t got = ::read(fd, out.data(), out.size());
      if (got >= 0) {
        if (progress_ != nullptr) progress_->count_bytes(static_cast<std::uint64_t>(got));
        return static_cast<std::size_t>(got);
      }
      if (errno != EINTR) return fail_errno("read", name_);
    }
  }
  const std::string& name() const override { return name_; }

 private:
  std::string path_, name_;
  ReadReport* progress_;
  Fd fd_;
};

class PrefixedStream final : public ByteStream {
 public:
  PrefixedStream(std::string prefix, std::unique_ptr<ByteStream> rest)
      : prefix_(std::move(prefix)), rest_(std::move(rest)) {}

  Result<std::size_t> read(std::span<char> out) override {
    if (at_ == prefix_.size()) return rest_->read(out);
    const std::size_t count = std::min(out.size(), prefix_.size() - at_);
    std::memcpy(out.data(), prefix_.data() + at_, count);
    at_ += count;
    if (at_ == prefix_.size()) std::string().swap(prefix_), at_ = 0;
    return count;
  }
  const std::string& name() const override { return rest_->name(); }

 private:
  std::string prefix_;
  std::size_t at_ = 0;
  std::unique_ptr<ByteStream> rest_;
};

// A ring of blocks: the thread fills, read() drains. A block of size 0 or an error ends it.
class ReadAheadStream final : public ByteStream {
 public:
  explicit ReadAheadStream(std::unique_ptr<ByteStream> inner)
      : inner_(std::move(inner)), thread_([this] { fill(); }) {}

  ~ReadAheadStream() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  Result<std::size_t> read(std::span<char> out) override {
    Block& block = blocks_[taken_ % kBlocks];
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return filled_ > taken_; });
    }
    if (block.error) return tl::unexpected<Error>(*block.error);
    const std::size_t count = std::min(out.size(), block.size - at_);
    if (count == 0) return std::size_t{0};  // the end: the block stays for the next call
    std::memcpy(out.data(), block.bytes.data() + at_, count);
    at_ += count;
    if (at_ == block.size) {
      at_ = 0;
      {
        const std::lock_guard lock(mutex_);
        ++taken_;
      }
      changed_.notify_all();
    }
    return count;
  }
  const std::string& name() const override { return inner_->name(); }

 private:
  static constexpr std::size_t kBlocks = 4, kBlockBytes = std::size_t{256} << 10;
  struct Block {
    std::vector<char> bytes;
    std::size_t size = 0;
    std::optional<Error> error;
  };

  void fill() {
    for (bool more = true; more;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return stopping_ || filled_ - taken_ < kBlocks; });
        if (stopping_) return;
      }
      Block& block = blocks_[filled_ % kBlocks];
      block.bytes.resize(kBlockBytes);
      auto got = inner_->read(block.bytes);
      if (got) {
        block.size = *got;
      } else {
        block.error = got.error();
      }
      more = got && *got > 0;
      {
        const std::lock_guard lock(mutex_);
        ++filled_;
      }
      changed_.notify_all();
    }
  }

  std::unique_ptr<ByteStream> inner_;
  std::array<Block, kBlocks> blocks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t filled_ = 0, taken_ = 0;  // blocks ever; guarded by mutex_ where both threads look
  std::size_t at_ = 0;
  bool stopping_ = false;
  std::thread thread_;  // last: it starts when all else is there
};

}  // namespace

std::unique_ptr<ByteStream> open_stored(std::string path, ReadReport* progress) {
  return std::make_unique<StoredStream>(std::move(path), progress);
}

std::unique_ptr<ByteStream> join_prefix(std::string prefix, std::unique_ptr<ByteStream> rest) {
  return std::make_unique<PrefixedStream>(std::move(prefix), std::move(rest));
}

std::unique_ptr<ByteStream> read_ahead(std::unique_ptr<ByteStream> inner) {
  return std::make_unique<ReadAheadStream>(std::move(inner));
}

}  // namespace beaconry
