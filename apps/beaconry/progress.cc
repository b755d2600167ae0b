#include "progress.h"

#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "base/time.h"

namespace beaconry {
namespace {

constexpr std::chrono::milliseconds kPatience{700};  // shorter reads need no progress
constexpr std::chrono::milliseconds kRedraw{250};
constexpr const char* kEraseLine = "\r\x1b[K";

}  // namespace

Progress::Progress(const ReadReport& report)
    : report_(report), started_(std::chrono::steady_clock::now()) {
  if (isatty(STDERR_FILENO) == 1) thread_ = std::thread([this] { run(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Progress::run() {
  std::unique_lock lock(mutex_);
  if (wake_.wait_for(lock, kPatience, [this] { return done_; })) return;
  do {
    draw(std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count());
  } while (!wake_.wait_for(lock, kRedraw, [this] { return done_; }));
  std::fputs(kEraseLine, stderr);
}

void Progress::draw(double seconds) const {
  const auto done = static_cast<double>(report_.bytes());
  const auto all = static_cast<double>(report_.bytes_expected());
  const std::uint64_t records = report_.records() + report_.packets();
  std::string line = bytes_in_words(done);
  if (all > 0) line += " of " + bytes_in_words(all);
  line += ", " + with_thousands(records) + (report_.packets() > 0 ? " packets" : " connections");
  line += ", " +
          with_thousands(static_cast<std::uint64_t>(static_cast<double>(records) / seconds)) + "/s";
  if (all > done && done > 0) {
    const double left = seconds * (all - done) / done;
    line += ", " + to_words(Duration{static_cast<std::int64_t>(left * 1e6)}) + " left";
  }
  std::fprintf(stderr, "%sReading %s", kEraseLine, line.c_str());
  std::fflush(stderr);
}

}  // namespace beaconry
