#include "sensor/workers.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/thrown_by.h"

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
  for (const auto& letter : letters) {  // those behind one with a fault are others'
    const std::string thrown = thrown_by(letter);
    if (!thrown.empty()) log_error("The sensor has a fault: " + thrown);
  }
}

Workers::Workers(unsigned threads, Mailbox& mailbox) : mailbox_(mailbox) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i)
    threads_.emplace_back([this] { serve(); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    orders_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_)
    thread.join();
}

void Workers::submit(Job job, Failed failed) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    orders_.push_back({std::move(job), std::move(failed)});
  }
  wake_.notify_one();
}

void Workers::serve() {
  for (;;) {
    Order order;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !orders_.empty(); });
      if (stopping_) return;
      order = std::move(orders_.front());
      orders_.pop_front();
    }
    const std::string why = thrown_by([&] {
      if (auto then = order.job()) mailbox_.post(std::move(then));
    });
    if (why.empty()) continue;
    log_error("A job of the sensor failed: " + why);
    mailbox_.post([failed = std::move(order.failed), why] { failed(why); });
  }
}

}  // namespace beaconry
