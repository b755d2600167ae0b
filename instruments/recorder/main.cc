// The recorder: tcpdump of Debian as an instrument, with retention that deletes.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "common/interface.h"
#include "common/run_briefly.h"
#include "recorder/capture_counters.h"
#include "recorder/recordings.h"
#include "sdk/child.h"
#include "sdk/instrument.h"

namespace beaconry {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr const char* kTcpdump = "/usr/bin/tcpdump";
constexpr const char* kFolder = "/persistent-data/recordings";
constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr std::uint64_t kFilesInTheBound = 8;  // so that the oldest goes in steps of an eighth
constexpr std::chrono::seconds kPatienceAtTheEnd{3};
constexpr std::chrono::seconds kLookEvery{1}, kStartEvery{5};

struct Settings {
  std::string interface = "mirror", filter;
  std::uint64_t snaplen = 262144, minutes = 10, most = 192 * kMebibyte;

  static Settings from(const json& config) {
    Settings read;
    read.interface = config.value("interface", read.interface);
    read.filter = config.value("filter", "");
    read.snaplen = config.value("snaplen", read.snaplen);
    read.minutes = config.value("file_minutes", read.minutes);
    read.most = config.value("most_mib", read.most / kMebibyte) * kMebibyte;
    return read;
  }
  std::vector<std::string> command(const std::string& file) const {
    // tcpdump's -C counts in 1,000,000 bytes.
    const std::uint64_t step = std::max<std::uint64_t>(1, most / kFilesInTheBound / 1'000'000);
    return {kTcpdump,  "-i",
            interface, "-n",
            "-U",  // each packet at once: what was recorded is not lost with us
            "-s",      std::to_string(snaplen),
            "-G",      std::to_string(minutes * 60),
            "-C",      std::to_string(step),
            "-w",      file,
            "-Z",      "root",  // we have no privileges to drop, and its own user is not here
            "--",      filter};
  }
};

class Recorder {
 public:
  Result<void> configure(const json& config) {
    Settings settings = Settings::from(config);
    if (auto opened = recordings_.open(); !opened) return opened;
    // A filter that tcpdump does not take would only be seen as a recorder that does not run.
    if (auto good = check_filter(settings); !good) return good;
    settings_ = std::move(settings);
    configured_ = true;
    child_.reset();
    start(Clock::now());
    return {};
  }

  void tick() {
    if (!configured_) return;
    const auto now = Clock::now();
    child_->work(now);
    if (!child_->is_running()) {
      if (now >= next_start_) start(now);
    } else if (watch_.is_due(now)) {
      watch_.asked(now);
      child_->signal(SIGUSR1);
    }
    if (now - looked_ >= kLookEvery) {
      looked_ = now;
      keep_bound();
    }
  }

  Health health(const sdk::Instrument& instrument) const {
    Health whole;
    whole.name = instrument.identity().instance;
    whole.parts.push_back(interface_health(settings_.interface));
    Health program;
    program.name = "tcpdump";
    program.state = HealthState::healthy;
    if (!configured_) {
      program.state = HealthState::unknown;
      program.cause = "starting";
      program.evidence = "its configuration has not come yet";
    } else if (!child_->is_running()) {
      program.state = HealthState::failed;
      program.cause = "tcpdump does not run";
      program.evidence = fault();
      program.fix = "look at the instrument's log; it is started again by itself";
    }
    whole.parts.push_back(program);
    if (program.state == HealthState::healthy) whole.parts.push_back(watch_.health(Clock::now()));
    Health storage;
    storage.name = "bound";
    storage.state = bound_fault_.empty() ? HealthState::healthy : HealthState::failed;
    storage.evidence = bound_fault_.empty() ? bound_words() : bound_fault_;
    if (!bound_fault_.empty()) {
      storage.cause = "old recordings cannot be removed";
      storage.fix = "look at /persistent-data by 'beaconry instrument exec'";
    }
    whole.parts.push_back(storage);
    whole.state = HealthState::healthy;
    whole.evidence = storage.evidence;
    bool first = true;
    for (const Health& part : whole.parts) {
      if (part.state == HealthState::healthy || (!first && part.state <= whole.state)) continue;
      first = false;
      whole.state = part.state;
      whole.cause = part.cause;
      whole.evidence = part.evidence;
      whole.fix = part.fix;
    }
    return whole;
  }

  RetentionReceipt retain(Timestamp before) {
    const auto receipt = recordings_.retain(before, [this] {
      if (child_) child_->stop();
    });
    log_info("Removed " + with_thousands(receipt.items) + " packets, " +
             bytes_in_words(static_cast<double>(receipt.bytes)) + ", from before " +
             to_rfc3339(before) + (receipt.error.empty() ? "" : "; " + receipt.error));
    if (child_ && !child_->is_running()) start(Clock::now());  // goes on recording at once
    return receipt;
  }

  void stop() { child_.reset(); }

 private:
  static Result<void> check_filter(const Settings& settings) {
    if (settings.filter.empty()) return {};
    // Compiled for Ethernet, and nothing is opened.
    const auto said = run_briefly({kTcpdump, "-y", "EN10MB", "-d", "--", settings.filter});
    if (!said) return fail(ErrorKind::usage, "use", "'filter'", said.error().cause);
    return {};
  }

  std::string fault() const {
    return "it ended with " + child_->last_end() + (last_line_.empty() ? "" : ": " + last_line_);
  }

  // Each with a run of its own: two never write to one file.
  void start(Clock::time_point now) {
    next_start_ = now + kStartEvery;
    watch_.started(now);
    last_line_.clear();
    sdk::Child::Options options;
    options.command = settings_.command(recordings_.next_run());
    options.restart = false;
    options.patience = kPatienceAtTheEnd;
    child_ = std::make_unique<sdk::Child>(
        options, [this](std::string_view line) { take(line, Clock::now()); });
    if (auto started = child_->start(now); !started)
      log_error(started.error().message());
    else
      log_info("Recording " + settings_.interface);
  }

  void take(std::string_view line, Clock::time_point now) {
    if (const auto counters = CaptureCounters::parse(line)) {
      const auto files = recordings_.files();
      watch_.take(*counters, files ? Recordings::progress(*files) : "", now);
      return;
    }
    last_line_ = terminal_safe(line);
    log_info(last_line_);
  }

  void keep_bound() {
    const auto removed = recordings_.keep_below(settings_.most);
    bound_fault_ = removed ? "" : removed.error().message();
    if (!removed || removed->files == 0) return;
    files_removed_ += removed->files;
    log_info("Removed the " + std::to_string(removed->files) + " oldest files, " +
             bytes_in_words(static_cast<double>(removed->bytes)) + ": the bound is " +
             bytes_in_words(static_cast<double>(settings_.most)));
  }

  std::string bound_words() const {
    const auto files = recordings_.files();
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; files && i < files->size(); ++i)
      bytes += (*files)[i].bytes;
    std::string words = bytes_in_words(static_cast<double>(bytes)) + " of at most " +
                        bytes_in_words(static_cast<double>(settings_.most));
    if (const auto oldest = recordings_.oldest()) words += ", since " + to_rfc3339(*oldest);
    if (files_removed_ > 0)
      words += "; " + with_thousands(files_removed_) + " files went early to keep to that";
    return words;
  }

  Settings settings_;
  Recordings recordings_{kFolder};
  RecordingWatch watch_;
  std::string last_line_, bound_fault_;
  std::uint64_t files_removed_ = 0;
  Clock::time_point looked_{}, next_start_{};
  bool configured_ = false;
  std::unique_ptr<sdk::Child> child_;
};

int run_recorder() {
  Recorder recorder;
  sdk::Handlers handlers;
  handlers.configure = [&](sdk::Instrument&, const json& config) {
    return recorder.configure(config);
  };
  handlers.health = [&](sdk::Instrument& instrument) { return recorder.health(instrument); };
  handlers.retain = [&](sdk::Instrument&, Timestamp before) { return recorder.retain(before); };
  handlers.tick = [&](sdk::Instrument&) { recorder.tick(); };
  handlers.stop = [&](sdk::Instrument&) { recorder.stop(); };
  return sdk::run(handlers);
}

}  // namespace
}  // namespace beaconry

int main() {
  return beaconry::run_recorder();
}
