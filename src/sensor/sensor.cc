#include "sensor/sensor.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/thrown_by.h"
#include "sensor/sensor_thread.h"

namespace beaconry {
namespace {

constexpr int kPauseMilliseconds = 100;
constexpr auto kFilesEvery = std::chrono::seconds{2};
constexpr auto kNetworkEvery = std::chrono::seconds{1};
constexpr auto kTakeAgainEvery = std::chrono::minutes{1};

// What is past due, also after the clock was set back.
bool is_due(Timestamp now, Timestamp& next, Duration every) {
  if (now < next && next - now <= every) return false;
  next = now + every;
  return true;
}

// Names, times and sizes of a folder's files; nothing: it cannot be read.
std::optional<std::string> state_of_folder(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  for (auto at = std::filesystem::directory_iterator(folder, error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    struct stat status {};
    if (::stat(at->path().c_str(), &status) != 0) continue;
    files.push_back(at->path().filename().string() + ' ' + std::to_string(status.st_mtim.tv_sec) +
                    '.' + std::to_string(status.st_mtim.tv_nsec) + ' ' +
                    std::to_string(status.st_size) + ' ' + std::to_string(status.st_ino) + '\n');
  }
  if (error) return {};
  std::sort(files.begin(), files.end());
  std::string all;
  for (const std::string& file : files)
    all += file;
  return all;
}

}  // namespace

Result<std::unique_ptr<Sensor>> Sensor::open(const Options& options, Runtime& runtime,
                                             const Makers& makers) {
  auto made = SensorThread::make(options, runtime, makers);
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  return std::unique_ptr<Sensor>(std::move(*made));
}

Result<std::unique_ptr<Sensor>> Sensor::open(const Options& options, Runtime& runtime) {
  return open(options, runtime, Makers{});
}

Result<std::unique_ptr<SensorThread>> SensorThread::make(const Options& options, Runtime& runtime,
                                                         const Makers& makers) {
  auto desired = DesiredStore::open(options.state_folder, options.desired_folder);
  if (!desired) return tl::unexpected<Error>(std::move(desired.error()));
  std::vector<std::string> problems;
  auto keys_seen = state_of_folder(options.keys_folder);  // before they are read with
  auto images = ImageFolder::open(
      {options.state_folder + "/images", options.keys_folder, makers.inspect}, problems);
  if (!images) return tl::unexpected<Error>(std::move(images.error()));
  std::unique_ptr<SensorThread> sensor(
      new SensorThread(options, runtime, std::move(*desired), std::move(*images)));
  sensor->keys_seen_ = std::move(keys_seen);
  for (const std::string& problem : problems)
    log_error(problem);
  sensor->image_problems_ = std::move(problems);
  if (auto begun = sensor->begin(makers); !begun) {
    return tl::unexpected<Error>(std::move(begun.error()));
  }
  return sensor;
}

// Interfaces of all others are cleaned up. With the runtime away, any may run.
std::vector<std::string> SensorThread::running_instances() {
  std::vector<std::string> names;
  const auto containers = runtime_.list();
  if (!containers) {
    for (const auto& [name, wish] : desired_.state().instances)
      names.push_back(name);
    return names;
  }
  for (const ContainerState& one : *containers) {
    bool aside = false;
    const std::string name = instance_of_container(one.name, aside);
    if (!name.empty() && !aside && one.run != ContainerState::Run::stopped) names.push_back(name);
  }
  return names;
}

Result<void> SensorThread::begin(const Makers& makers) {
  started_ = options_.clock();
  if (auto opened = open_management(); !opened) return opened;
  if (auto opened = mailbox_.open(); !opened) return opened;
  watch_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  // Without it the folders are looked at every two seconds.
  for (const std::string& folder : {options_.desired_folder, options_.keys_folder}) {
    if (!watch_ || folder.empty()) continue;
    ::inotify_add_watch(watch_.get(), folder.c_str(),
                        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
  }
  auto network = makers.network(options_.network, running_instances());
  if (!network) return tl::unexpected<Error>(std::move(network.error()));
  network_ = std::move(*network);
  Services::Options services = options_.services;
  services.restart = [this](const std::string& instance, const std::string& why) {
    // It may ask for that while it is opened: what runs then is taken over soon.
    if (reconciler_) reconciler_->revive(instance, why);
  };
  services.pull = [this](const std::string& instance, const std::string& path,
                         const std::string& to, std::uint64_t most_bytes,
                         const std::function<void(Result<void>)>& done) {
    pullers_->submit(
        [this, instance, path, to, most_bytes, done]() -> std::function<void()> {
          auto pulled = runtime_.pull(container_name(instance), path, to, most_bytes);
          return [done, pulled = std::move(pulled)] { done(pulled); };
        },
        [done, path](const std::string& why) { done(fail(ErrorKind::io, "pull", path, why)); });
  };
  auto opened = makers.services(services);
  if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  services_ = std::move(*opened);
  workers_ = std::make_unique<Workers>(options_.workers, mailbox_);
  pullers_ = std::make_unique<Workers>(1, mailbox_);
  reconciler_ = std::make_unique<Reconciler>(
      Reconciler::Options{options_.state_folder, options_.broken_after, options_.clock},
      Reconciler::Parts{runtime_, *network_, *services_, *workers_, images_});
  reconciler_->recall();
  reconciler_->take_wishes(desired_.state(), "", "wish");
  return {};
}

SensorThread::~SensorThread() {
  ended_ = true;
  pullers_.reset();
  workers_.reset();
}

void SensorThread::stop() {
  stopping_ = true;
  mailbox_.wake();
}

void SensorThread::wait() {
  std::vector<pollfd> waits{{mailbox_.descriptor(), POLLIN, 0},
                            {watch_.get(), POLLIN, 0},
                            {network_->descriptor(), POLLIN, 0}};
  for (const int descriptor : services_->descriptors())
    waits.push_back({descriptor, POLLIN, 0});
  ::poll(waits.data(), waits.size(), kPauseMilliseconds);
  if ((waits[1].revents & POLLIN) != 0) {
    char events[4096];
    while (::read(watch_.get(), events, sizeof events) > 0) {
    }
    next_files_ = {};
  }
}

// A fault of ours ends a turn and not the sensor: it would come again at the next start, and
// another wish, which mends it, comes while this runs.
void SensorThread::run() {
  while (!stopping_) {
    wait();
    std::string thrown = thrown_by([this] { work(); });
    if (thrown.empty()) continue;
    if (thrown != thrown_) log_error("The sensor has a fault: " + thrown);
    thrown_ = std::move(thrown);
    ::poll(nullptr, 0, kPauseMilliseconds);  // what it did not come to would not let it wait
  }
  ended_ = true;
}

void SensorThread::work() {
  mailbox_.work();
  const Timestamp now = options_.clock();
  services_->work(now);
  follow_management(now);
  const Network::Work network = network_->work(now);
  for (const std::string& instance : network.restarts)
    reconciler_->restart(instance, "its interface is back");
  if (network.changed) reconciler_->look_at_interfaces();
  if (is_due(now, next_network_, kNetworkEvery)) point_canary();
  if (is_due(now, next_files_, kFilesEvery)) {
    look_at_keys();
    look_at_files(now);
  }
  reconciler_->work();
  if (canary_) canary_->work(Canary::Clock::now());
}

// Of what is wished: an interface that is not there yet gets it once it is.
void SensorThread::point_canary() {
  std::vector<std::string> interfaces;
  for (const auto& [name, wish] : desired_.state().instances) {
    const auto run = wish.running ? reconciler_->run_of(name) : std::nullopt;
    if (!run) continue;
    const auto more = Canary::interfaces_of(name, *run->manifest, run->interfaces);
    interfaces.insert(interfaces.end(), more.begin(), more.end());
  }
  if (!interfaces.empty() && !canary_ && !canary_failed_) {
    auto canary = Canary::open();
    canary_failed_ = !canary;
    if (canary)
      canary_ = std::move(*canary);
    else
      log_warning(canary.error().message() + ": detectors cannot prove that they detect");
  }
  if (canary_) canary_->set_interfaces(interfaces);
}

void SensorThread::look_at_files(Timestamp now) {
  if (!desired_.files_changed(now)) return;
  const MergeParts parts{[this](const std::string& words) { return image_of_file(words); },
                         [this](const InstanceWish& wish) { return check_fit(wish); }};
  if (!desired_.read_files(parts, now)) return;
  log_info("The files of " + options_.desired_folder + " make version " +
           std::to_string(desired_.version()) + " of the desired state");
  reconciler_->take_wishes(desired_.state(), "", "file");
}

// A key that was taken away ends what it had signed. A folder that cannot be read for a moment ends
// nothing.
void SensorThread::look_at_keys() {
  if (reading_keys_) return;
  const auto seen = state_of_folder(options_.keys_folder);
  if (!seen || keys_seen_ == seen) return;
  keys_seen_ = seen;
  reading_keys_ = true;
  log_info("The keys of " + options_.keys_folder + " changed: signatures are checked again");
  workers_->submit(
      [this, options = images_.options(), known = images_.all()]() -> std::function<void()> {
        auto read = ImageFolder::inspect_again(options, known);
        return [this, read = std::move(read)] {
          reading_keys_ = false;
          for (const ImageInfo& image : read) {
            if (images_.find(image.fingerprint) != nullptr) images_.add(image);
          }
          reconciler_->images_changed();
          desired_.look_again();
        };
      },
      [this](const std::string&) {
        reading_keys_ = false;
        keys_seen_.reset();  // read again at the next look
      });
}

// A path is copied by a worker, once for each time and size of the file, and again every minute
// while it could not be, such as on a full disk; the files are then read again.
Result<std::optional<std::string>> SensorThread::image_of_file(const std::string& words) {
  if (words.find('/') == std::string::npos) {
    auto found = images_.resolve(words);
    if (!found) return tl::unexpected<Error>(std::move(found.error()));
    return std::optional<std::string>(std::move(*found));
  }
  struct stat status {};
  if (::stat(words.c_str(), &status) != 0) return fail_errno("read image", words);
  const std::string key = words + ' ' + std::to_string(status.st_mtim.tv_sec) + '.' +
                          std::to_string(status.st_mtim.tv_nsec) + ' ' +
                          std::to_string(status.st_size);
  const auto found = taken_.find(key);
  if (found != taken_.end()) {
    if (!found->second.fingerprint) return std::optional<std::string>();
    const Result<std::string>& taken = *found->second.fingerprint;
    if (taken && images_.find(*taken) != nullptr) return std::optional<std::string>(*taken);
    if (!taken && !is_due(options_.clock(), found->second.again, kTakeAgainEvery)) {
      return tl::unexpected<Error>(taken.error());
    }
  }
  // What was wrong is told until this copy is there.
  Result<std::optional<std::string>> meanwhile = std::optional<std::string>();
  if (found != taken_.end() && !*found->second.fingerprint) {
    meanwhile = tl::unexpected<Error>(found->second.fingerprint->error());
  } else {
    taken_[key] = {};
  }
  const auto end = [this, key](const Result<ImageInfo>& image) {
    if (image) {
      images_.add(*image);
      taken_[key].fingerprint = image->fingerprint;
      reconciler_->images_changed();
    } else {
      taken_[key] = {tl::unexpected<Error>(image.error()), options_.clock() + kTakeAgainEvery};
    }
    desired_.look_again();
    next_files_ = {};
  };
  workers_->submit(
      [end, words, options = images_.options()]() -> std::function<void()> {
        return [end, image = ImageFolder::take(options, words)] { end(image); };
      },
      [end, words](const std::string& why) { end(fail(ErrorKind::io, "take image", words, why)); });
  return meanwhile;
}

}  // namespace beaconry
