#include "alert/alert_queue.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "alert/backoff.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestPosition = 32;

// What a sink has taken so far, in a file of its own: replaced as a whole, so that it is never half
// written. Losing the last step only repeats an alert.
class Position {
 public:
  explicit Position(std::string path) : path_(std::move(path)) {}

  std::optional<std::uint64_t> read() const {
    const auto text = read_small_file(path_, kLongestPosition);
    if (!text) return std::nullopt;
    return parse_unsigned(trim(*text));
  }

  Result<void> write(std::uint64_t sequence) const {
    const std::string text = std::to_string(sequence) + '\n';
    const std::string fresh = path_ + ".new";
    const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return fail_errno("write", fresh);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fdatasync(file.get()) != 0 || ::rename(fresh.c_str(), path_.c_str()) != 0) {
      return fail_errno("write", fresh);
    }
    return {};
  }

 private:
  std::string path_;
};

class Queue;

// One sink's thread.
class Courier {
 public:
  Courier(Queue& queue, std::string name, std::unique_ptr<Sink> sink, std::uint64_t from,
          Position position);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void wake() { woken_.notify_all(); }
  std::uint64_t next() const { return next_.load(); }  // the number of the alert to deliver next
  AlertQueue::SinkStatus status() const;

 private:
  void run();
  bool deliver(const Spool::Record& record);
  void move_on(std::uint64_t next);
  // False when it is time to stop.
  bool wait(std::chrono::milliseconds most);

  Queue& queue_;
  const std::string name_;
  const std::unique_ptr<Sink> sink_;
  const Position position_;
  std::atomic<std::uint64_t> next_;
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  AlertQueue::SinkStatus status_;
  bool stopping_ = false;
  std::thread thread_;
};

class Queue : public AlertQueue {
 public:
  Queue(Options options, std::unique_ptr<Spool> spool, std::function<Timestamp()> clock)
      : options_(std::move(options)), spool_(std::move(spool)), clock_(std::move(clock)) {}
  ~Queue() override { stop_couriers(); }

  Result<void> push(const Alert& alert) override {
    auto appended = spool_->append(to_json(alert), clock_());
    if (appended) {
      if (auto synced = spool_->sync(*appended); !synced) appended = tl::unexpected(synced.error());
    }
    if (!appended) {
      ++drops_;
      return tl::unexpected<Error>(std::move(appended.error()));
    }
    const std::lock_guard lock(mutex_);
    if (!wanted_) spool_->release(*appended);
    for (const auto& courier : couriers_)
      courier->wake();
    return {};
  }

  void set_sinks(NamedSinks sinks) override {
    stop_couriers();
    const std::lock_guard lock(mutex_);
    wanted_ = !sinks.empty();
    for (auto& [name, sink] : sinks) {
      const Position position(options_.folder + '/' + name + ".position");
      const std::uint64_t newest = spool_->next();
      std::uint64_t from = newest;
      if (const auto taken = position.read()) {
        from = std::clamp(*taken + 1, std::min(spool_->first(), newest), newest);
      } else if (auto written = position.write(newest - 1); !written) {
        log_warning("alerts: " + written.error().message());
      }
      couriers_.push_back(
          std::make_unique<Courier>(*this, std::move(name), std::move(sink), from, position));
    }
    release();
  }

  double fill_percent() const override {
    const std::lock_guard lock(mutex_);
    std::uint64_t waiting = 0;
    for (const auto& courier : couriers_)
      waiting = std::max(waiting, spool_->next() - courier->next());
    return 100.0 * static_cast<double>(waiting) / static_cast<double>(options_.queue_size);
  }

  std::uint64_t drops() const override { return drops_; }

  std::vector<SinkStatus> sinks() const override {
    const std::lock_guard lock(mutex_);
    std::vector<SinkStatus> all;
    for (const auto& courier : couriers_) {
      all.push_back(courier->status());
      all.back().waiting = spool_->next() - courier->next();
    }
    return all;
  }

  void release_delivered() {
    const std::lock_guard lock(mutex_);
    release();
  }

  Spool& spool() { return *spool_; }
  Timestamp now() const { return clock_(); }

 private:
  void stop_couriers() {
    std::vector<std::unique_ptr<Courier>> old;
    {
      const std::lock_guard lock(mutex_);
      old.swap(couriers_);
    }
    old.clear();  // outside the lock: a courier that ends may still report its progress
  }

  // What every sink has taken may go.
  void release() {
    if (couriers_.empty()) return;
    std::uint64_t first = spool_->next();
    for (const auto& courier : couriers_)
      first = std::min(first, courier->next());
    if (first > spool_->first()) spool_->release(first - 1);
  }

  const Options options_;
  const std::unique_ptr<Spool> spool_;
  const std::function<Timestamp()> clock_;
  std::atomic<std::uint64_t> drops_{0};
  mutable std::mutex mutex_;
  bool wanted_ = true;  // there are sinks; before the first are set, alerts wait for them
  std::vector<std::unique_ptr<Courier>> couriers_;
};

Courier::Courier(Queue& queue, std::string name, std::unique_ptr<Sink> sink, std::uint64_t from,
                 Position position)
    : queue_(queue),
      name_(std::move(name)),
      sink_(std::move(sink)),
      position_(std::move(position)),
      next_(from) {
  status_.name = name_;
  thread_ = std::thread([this] { run(); });
}

Courier::~Courier() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_all();
  sink_->stop();
  thread_.join();
}

AlertQueue::SinkStatus Courier::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool Courier::wait(std::chrono::milliseconds most) {
  std::unique_lock lock(mutex_);
  if (stopping_) return false;
  woken_.wait_for(lock, most);
  return !stopping_;
}

void Courier::run() {
  // Looked at now and then even if nobody wakes: a missed wake-up must not hold an alert back.
  constexpr std::chrono::milliseconds kIdle{1000};
  Backoff backoff;
  for (;;) {
    auto record = queue_.spool().read(next_);
    if (!record) {
      log_error("alerts: " + name_ + ": " + record.error().message());
      if (!wait(kIdle)) return;
      continue;
    }
    if (!*record) {
      if (!wait(kIdle)) return;
      continue;
    }
    if (deliver(**record)) {
      backoff.reset();
      move_on((*record)->sequence + 1);
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      continue;
    }
    // Woken by new alerts, too: these must wait for their turn all the same.
    const auto until = std::chrono::steady_clock::now() + backoff.next();
    while (std::chrono::steady_clock::now() < until) {
      if (!wait(std::chrono::duration_cast<std::chrono::milliseconds>(
              until - std::chrono::steady_clock::now() + std::chrono::milliseconds{1}))) {
        return;
      }
    }
  }
}

// True when the alert is done with, delivered or not.
bool Courier::deliver(const Spool::Record& record) {
  const auto alert = alert_from_json(record.bytes);
  Result<void> done;
  if (alert) {
    done = sink_->deliver(*alert);
  } else {
    done = tl::unexpected<Error>(alert.error());
  }
  const Timestamp now = queue_.now();
  const std::lock_guard lock(mutex_);
  if (done) {
    ++status_.sent;
    status_.last_success = now;
    status_.last_error.clear();
    return true;
  }
  // Broken off by us: it says nothing of the sink, and the alert waits on disk.
  if (stopping_ && done.error().kind != ErrorKind::malformed) return false;
  const std::string words = done.error().message();
  if (words != status_.last_error) log_warning("alerts: " + name_ + ": " + words);
  status_.last_error = words;
  if (done.error().kind == ErrorKind::malformed) {
    ++status_.undeliverable;
    return true;
  }
  ++status_.failed_tries;
  return false;
}

void Courier::move_on(std::uint64_t next) {
  next_ = next;
  if (auto written = position_.write(next - 1); !written) {
    log_warning("alerts: " + name_ + ": " + written.error().message() +
                "; after a restart it may get alerts twice");
  }
  queue_.release_delivered();
}

}  // namespace

Result<std::unique_ptr<AlertQueue>> AlertQueue::open(const Options& options,
                                                     std::function<Timestamp()> clock) {
  Spool::Options spooling;
  spooling.folder = options.folder;
  spooling.most_bytes = options.most_bytes;
  spooling.when_full = Spool::WhenFull::refuse;
  spooling.segment_bytes = 1 << 20;
  spooling.longest_record = 1 << 20;
  auto spool = Spool::open(spooling);
  if (!spool) return tl::unexpected<Error>(std::move(spool.error()));
  Options bounded = options;
  bounded.queue_size = std::max<std::size_t>(bounded.queue_size, 1);
  return std::unique_ptr<AlertQueue>(
      std::make_unique<Queue>(std::move(bounded), std::move(*spool), std::move(clock)));
}

}  // namespace beaconry
