#include "http/event_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>
#include <vector>

namespace beaconry {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

struct Ticker {
  Ticker(asio::io_context& context, std::chrono::milliseconds every, std::function<void()> what)
      : timer(context), period(every), job(std::move(what)) {}
  void start() {
    timer.expires_after(period);
    timer.async_wait([this](const error_code& error) {
      if (error) return;
      job();
      start();
    });
  }
  asio::steady_timer timer;
  std::chrono::milliseconds period;
  std::function<void()> job;
};

}  // namespace

struct EventLoop::Impl {
  asio::io_context context{1};
  std::vector<std::unique_ptr<Ticker>> tickers;
};

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() {
  const auto keep_running = asio::make_work_guard(impl_->context);
  impl_->context.run();
}

void EventLoop::stop() {
  impl_->context.stop();
}

void EventLoop::post(std::function<void()> job) {
  asio::post(impl_->context, std::move(job));
}

void EventLoop::every(std::chrono::milliseconds period, std::function<void()> job) {
  impl_->tickers.push_back(std::make_unique<Ticker>(impl_->context, period, std::move(job)));
  impl_->tickers.back()->start();
}

struct Watch::State {
  State(asio::io_context& context, int fd, std::function<void()> what)
      : descriptor(context, fd), ready(std::move(what)) {}
  asio::posix::stream_descriptor descriptor;
  std::function<void()> ready;
  bool reads = false, writes = false, gone = false;
};

Watch::Watch(EventLoop& loop, int fd, std::function<void()> ready)
    : state_(std::make_shared<State>(loop.impl_->context, fd, std::move(ready))) {}

Watch::~Watch() {
  state_->gone = true;
  state_->descriptor.release();
}

void Watch::wait_readable() {
  if (std::exchange(state_->reads, true)) return;
  state_->descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                                [state = state_](const error_code&) {
                                  state->reads = false;
                                  if (!state->gone) state->ready();
                                });
}

void Watch::wait_writable() {
  if (std::exchange(state_->writes, true)) return;
  state_->descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                                [state = state_](const error_code&) {
                                  state->writes = false;
                                  if (!state->gone) state->ready();
                                });
}

}  // namespace beaconry
