#include "sensor/workers.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"

namespace beaconry {

Result<void> Mailbox::open() {
  event_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event_) return fail_errno("make", "an event descriptor");
  return {};
}

void Mailbox::post(std::function<void()> letter) {
  {
    const std::lock_guard lock(mutex_);
    letters_.push_back(std::move(letter));
  }
  wake();
}

void Mailbox::wake() {
  const std::uint64_t one = 1;
  // It fails only where it is readable already.
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

void Mailbox::work() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event_.get(), &count, sizeof count);
  std::vector<std::function<void()>> letters;
  {
    const std::lock_guard lock(mutex_);
    letters.swap(letters_);
  }
  for (const auto& letter : letters)
    letter();
}

Workers::Workers(unsigned threads, Mailbox& mailbox) : mailbox_(mailbox) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i)
    threads_.emplace_back([this] { serve(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
}

void Workers::submit(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void Workers::serve() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    try {
      if (auto then = job()) mailbox_.post(std::move(then));
    } catch (const std::exception& error) {
      log_error(std::string("A job of the sensor failed: ") + error.what());
    }
  }
}

}  // namespace beaconry
