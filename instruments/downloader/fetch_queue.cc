#include "downloader/fetch_queue.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::chrono::minutes kKeep{10}, kKeepAtLeast{2};

}  // namespace

Result<void> FetchQueue::open() {
  if (::mkdir(options_.folder.c_str(), 0755) != 0 && errno != EEXIST)
    return fail_errno("make folder", options_.folder);
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, failed))
    ::unlink(entry.path().c_str());
  if (failed) return fail(ErrorKind::io, "read folder", options_.folder, failed.message());
  return {};
}

void FetchQueue::start(const FetchSettings& settings, const std::function<void()>& while_stopped) {
  stop();
  while_stopped();
  settings_ = settings;
  settings_.folder = options_.folder;
  stopping_ = false;
  // Signals are the instrument's, so that its one thread gets them.
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  for (unsigned i = 0; i < options_.parallel; ++i)
    workers_.emplace_back([this] { run_worker(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void FetchQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  more_.notify_all();
  for (std::thread& worker : workers_)
    worker.join();
  workers_.clear();
}

void FetchQueue::add(const FetchOrder& order) {
  const std::lock_guard lock(mutex_);
  const bool known = running_.count(order.uuid) != 0 ||
                     std::any_of(waiting_.begin(), waiting_.end(),
                                 [&](const FetchOrder& one) { return one.uuid == order.uuid; });
  if (known) return;
  if (waiting_.size() >= options_.most_waiting) {
    FetchResult result;
    result.uuid = order.uuid;
    result.state = "failed";
    result.reason = std::to_string(options_.most_waiting) + " orders wait already";
    done_.push_back({order, result});
    return;
  }
  waiting_.push_back(order);
  more_.notify_one();
}

std::vector<FetchQueue::Done> FetchQueue::take_done() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void FetchQueue::remove(const Kept& kept) {
  for (const std::string& path : kept.paths)
    ::unlink(path.c_str());
}

void FetchQueue::tidy(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(kept_, [&](const auto& one) {
    if (now - one.second.since < kKeep) return false;
    remove(one.second);
    return true;
  });
}

bool FetchQueue::make_room(std::uint64_t bytes, Clock::time_point now, std::string& why) {
  std::uint64_t used = 0;
  for (const auto& [uuid, one] : kept_)
    used += one.bytes;
  for (const auto& [uuid, most] : running_)
    used += most;
  while (used + bytes > options_.most_bytes) {
    auto oldest = kept_.end();
    for (auto at = kept_.begin(); at != kept_.end(); ++at) {
      if (now - at->second.since >= kKeepAtLeast &&
          (oldest == kept_.end() || at->second.since < oldest->second.since)) {
        oldest = at;
      }
    }
    if (oldest == kept_.end()) {
      why = "no room: it may need " + bytes_in_words(static_cast<double>(bytes)) + ", and " +
            bytes_in_words(static_cast<double>(used)) + " of " +
            bytes_in_words(static_cast<double>(options_.most_bytes)) + " are in use";
      return false;
    }
    used -= oldest->second.bytes;
    remove(oldest->second);
    kept_.erase(oldest);
  }
  return true;
}

void FetchQueue::run_worker() {
  std::unique_lock lock(mutex_);
  while (true) {
    more_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    FetchOrder order = std::move(waiting_.front());
    waiting_.pop_front();
    FetchResult result;
    result.uuid = order.uuid;
    result.state = "failed";
    order.most_bytes = std::min(order.most_bytes, options_.most_bytes / 2);
    const std::uint64_t most = order.most_bytes + settings_.longest_signature;
    if (make_room(most, Clock::now(), result.reason)) {
      running_[order.uuid] = most;
      lock.unlock();
      result = fetch(order, settings_, [this] { return stopping_.load(); });
      lock.lock();
      running_.erase(order.uuid);
      if (stopping_ && result.state == "failed") {
        waiting_.push_front(std::move(order));  // not its fault
        return;
      }
      if (result.state == "fetched") {
        Kept kept{Clock::now(), result.bytes + settings_.longest_signature, {result.path}};
        if (!result.signature_path.empty()) kept.paths.push_back(result.signature_path);
        kept_[order.uuid] = std::move(kept);
      }
    }
    done_.push_back({std::move(order), std::move(result)});
  }
}

}  // namespace beaconry
