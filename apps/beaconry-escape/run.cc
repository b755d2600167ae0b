#include "run.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>

#include "base/fd.h"
#include "base/privileges.h"
#include "base/text.h"
#include "escape/evidence_report.h"
#include "escape/probe.h"

namespace beaconry {
namespace {

volatile std::sig_atomic_t stop_wanted = 0;

void want_stop(int) {
  stop_wanted = 1;
}

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

// Time in which this machine slept included: leases end meanwhile.
Duration elapsed() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(time.tv_nsec));
}

// Each line at once, so that whoever reads it sees that the probe is alive.
void say(const std::string& line) {
  std::fputs((line + '\n').c_str(), stdout);
  std::fflush(stdout);
}

void listen_to_signals() {
  struct sigaction action {};
  action.sa_handler = want_stop;  // without SA_RESTART: waiting for frames ends
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    ::sigaction(signal, &action, nullptr);
  action.sa_handler = SIG_IGN;  // nobody has to read what we print
  ::sigaction(SIGPIPE, &action, nullptr);
}

// Says that the interface went and came back: the link waits for it by itself.
class InterfaceWatch {
 public:
  explicit InterfaceWatch(std::string name) : name_(std::move(name)) {}

  void look() {
    const Timestamp time = now();
    if (time < next_ && time > next_ - kEvery * 2) return;
    next_ = time + kEvery;
    const bool there = ::if_nametoindex(name_.c_str()) != 0;
    if (there == was_there_) return;
    was_there_ = there;
    std::string stamp = to_rfc3339(time);
    stamp.erase(19, stamp.size() - 20);
    say(stamp + (there ? " interface " + name_ + " is back"
                       : " silent interface " + name_ + " is gone: waiting until it is back"));
  }

 private:
  static constexpr std::chrono::seconds kEvery{1};
  std::string name_;
  bool was_there_ = true;
  Timestamp next_{};
};

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// What root made belongs to whom the probe becomes.
Result<void> give_to(const Account& account, const std::string& path) {
  if (path.empty() || ::geteuid() != 0) return {};
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file || ::fchown(file.get(), account.uid, account.gid) != 0) {
    return fail_errno("give to " + account.name, path);
  }
  return {};
}

// A record that goes on for ever must be shortened some day, by a new file in its folder.
Result<void> check_folder(const std::string& path, const Account& account, bool once) {
  if (path.empty() || once ||
      ::faccessat(AT_FDCWD, folder_of(path).c_str(), W_OK | X_OK, AT_EACCESS) == 0) {
    return {};
  }
  return fail(ErrorKind::usage, "keep evidence in", path,
              "its folder must be writable by '" + account.name +
                  "', as whom the probe runs: make one that is that account's own");
}

void print_table(const Probe& probe) {
  std::vector<std::vector<std::string>> rows{{"METHOD", "TRIED", "ANSWERED", "NOT TRIED BECAUSE"}};
  bool tried = false;
  for (const Probe::MethodResult& result : probe.results()) {
    tried = tried || result.tried > 0;
    rows.push_back({std::string(to_string(result.method)), with_thousands(result.tried),
                    with_thousands(result.answered), terminal_safe(result.why_not)});
  }
  std::fputs(('\n' + aligned(rows)).c_str(), stdout);
  const auto& counters = probe.counters();
  std::printf(
      "%s frames, %s bytes, %s broadcasts left; %s were held back by the contract, %s failed\n",
      with_thousands(counters.frames).c_str(), with_thousands(counters.bytes).c_str(),
      with_thousands(counters.broadcasts).c_str(), with_thousands(counters.forbidden).c_str(),
      with_thousands(counters.failed).c_str());
  if (!tried) {
    std::puts(
        "Nothing was tried, so this proves nothing. Without DHCP or router advertisements, give "
        "'addresses' and 'gateways'.");
  }
  if (const std::uint64_t drops = probe.unheard(); drops > 0) {
    std::printf("%s frames came and were not heard: the kernel had no room for them\n",
                with_thousands(drops).c_str());
  }
  std::fflush(stdout);
}

}  // namespace

Result<RunOutcome> run_probe(const ProbeConfig& config, const std::string& interface, bool once) {
  auto link = open_packet_link(interface);
  if (!link) return tl::unexpected<Error>(link.error());
  const Account account =
      ::geteuid() == 0
          ? find_local_account("beaconry-escape")
          : Account{"user " + std::to_string(::geteuid()), ::geteuid(), ::getegid(), {}};
  const PartyKeys keys(config.seed);
  auto evidence = ProbeEvidence::open({config.evidence, 32 << 20, config.name}, keys, now());
  if (!evidence) return tl::unexpected<Error>(evidence.error());
  for (const auto& done :
       {give_to(account, config.evidence),
        restrict_process({account, {}, {SystemCallGroup::basic, SystemCallGroup::network}}),
        check_folder(config.evidence, account, once)}) {
    if (!done) return tl::unexpected<Error>(done.error());
  }

  listen_to_signals();
  InterfaceWatch watch(interface);
  Probe::Options options;
  options.config = config;
  options.once = once;
  options.clock = now;
  options.elapsed = elapsed;
  options.say = say;
  options.stopping = [&] {
    watch.look();
    return stop_wanted != 0;
  };
  auto probe = Probe::make(std::move(options), **link, **evidence);
  if (!probe) return tl::unexpected<Error>(probe.error());
  if (auto ran = (*probe)->run(); !ran) return tl::unexpected<Error>(ran.error());
  RunOutcome outcome;
  for (const Probe::MethodResult& result : (*probe)->results())
    outcome.answered = outcome.answered || result.answered > 0;
  if (once) print_table(**probe);
  return outcome;
}

}  // namespace beaconry
