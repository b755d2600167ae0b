#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "base/fd.h"
#include "base/log.h"
#include "sensor/network.h"
#include "sensor/network/child.h"
#include "sensor/network/instance_ties.h"

namespace beaconry {
namespace {

constexpr const char* kOurTables = "beaconry_bcy";
constexpr const char* kOurLinks = "bcy";
constexpr itimerspec kSoon{{}, {1, 0}};

bool begins_with(const std::string& text, std::string_view with) {
  return text.rfind(with, 0) == 0;
}

void empty(int descriptor) {
  std::array<char, 4'096> bytes;
  while (::read(descriptor, bytes.data(), bytes.size()) > 0) {
  }
}

class HostNetwork final : public Network {
 public:
  explicit HostNetwork(InstanceTies::Options options) : options_(std::move(options)) {}

  Result<void> start(const std::vector<std::string>& running) {
    std::error_code error;
    const std::string folder = InstanceTies::private_folder(options_);
    std::filesystem::create_directories(folder, error);
    if (error || ::chmod(folder.c_str(), 0700) != 0) return fail_errno("make", folder);
    auto events = NetlinkSocket::open(NETLINK_ROUTE, RTMGRP_LINK);
    if (!events) return tl::unexpected<Error>(events.error());
    events_ = std::move(*events);
    auto rules = NetlinkSocket::open(NETLINK_NETFILTER, 1U << (NFNLGRP_NFTABLES - 1));
    if (!rules) return tl::unexpected<Error>(rules.error());
    rules_ = std::move(*rules);
    poll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
    wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    leases_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    timer_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (!poll_ || !wake_ || !leases_ || !timer_ ||
        ::inotify_add_watch(leases_.get(), folder.c_str(), IN_MOVED_TO) < 0)
      return fail_errno("watch", folder);
    for (const int one :
         {events_.descriptor(), rules_.descriptor(), wake_.get(), leases_.get(), timer_.get()})
      watch(one);
    return clean({running.begin(), running.end()});
  }

  Result<std::vector<ContainerSpec::Nic>> prepare(
      const std::string& instance, const Manifest& manifest,
      const std::vector<InterfaceWish>& wishes) override {
    auto host = Links::open();
    if (!host) return tl::unexpected<Error>(host.error());
    Entry& entry = entry_of(instance);
    const std::lock_guard lock(entry.mutex);
    auto nics = entry.ties.prepare(*host, manifest, wishes);
    wake();
    return nics;
  }

  Result<void> attach(const std::string& instance, int process, const Manifest& manifest,
                      const std::vector<InterfaceWish>& wishes) override {
    auto host = Links::open();
    if (!host) return tl::unexpected<Error>(host.error());
    Entry& entry = entry_of(instance);
    const std::lock_guard lock(entry.mutex);
    auto done =
        entry.ties.attach(*host, process, manifest, wishes, [this](int one) { watch(one); });
    wake();
    return done;
  }

  void release(const std::string& instance) override {
    auto host = Links::open();
    if (!host) {
      log_warning(host.error().message());
      return;
    }
    Entry& entry = entry_of(instance);
    const std::lock_guard lock(entry.mutex);
    entry.ties.release(*host);
  }

  int descriptor() const override { return poll_.get(); }

  std::vector<std::string> work(Timestamp now) override {
    empty(wake_.get());
    empty(leases_.get());
    empty(timer_.get());
    (void)events_.drain();
    const bool rules_changed = rules_.drain();
    auto host = Links::open();
    std::vector<std::string> restarts;
    if (!host) return restarts;
    bool waits = false;
    for (const auto& [name, entry] : entries()) {
      const std::unique_lock lock(entry->mutex, std::try_to_lock);
      entry->look_at_rules = entry->look_at_rules || rules_changed;
      if (!lock.owns_lock()) continue;  // who holds it wakes us when it is done
      if (entry->ties.follow(*host, entry->look_at_rules)) restarts.push_back(name);
      entry->look_at_rules = false;
      waits = entry->ties.renew(now, [this](int one) { watch(one); }) || waits;
    }
    if (waits) ::timerfd_settime(timer_.get(), 0, &kSoon, nullptr);
    return restarts;
  }

  std::vector<InterfaceReport> report(const std::string& instance) override {
    Entry& entry = entry_of(instance);
    const std::unique_lock lock(entry.mutex, std::try_to_lock);
    if (!lock.owns_lock()) return entry.last.get();
    auto host = Links::open();
    if (!host) return entry.last.get();
    auto report = entry.ties.report(*host);
    entry.last.set(report);
    return report;
  }

 private:
  class LastReport {
   public:
    std::vector<InterfaceReport> get() {
      const std::lock_guard lock(mutex_);
      return report_;
    }
    void set(const std::vector<InterfaceReport>& report) {
      const std::lock_guard lock(mutex_);
      report_ = report;
    }

   private:
    std::mutex mutex_;
    std::vector<InterfaceReport> report_;
  };
  struct Entry {
    Entry(const std::string& instance, const InstanceTies::Options& options)
        : ties(instance, options) {}
    std::mutex mutex;
    InstanceTies ties;
    LastReport last;             // for who asks while a change is under way
    bool look_at_rules = false;  // of work()'s thread
  };

  // Entries stay, for what was counted: one is small, and names of instances are few.
  Entry& entry_of(const std::string& instance) {
    const std::lock_guard lock(mutex_);
    auto& entry = entries_[instance];
    if (!entry) entry = std::make_unique<Entry>(instance, options_);
    return *entry;
  }
  std::vector<std::pair<std::string, Entry*>> entries() {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<std::string, Entry*>> all;
    for (const auto& [name, entry] : entries_)
      all.emplace_back(name, entry.get());
    return all;
  }

  void watch(int descriptor) {
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, descriptor, &event);
  }
  void wake() {
    const std::uint64_t one = 1;
    (void)!::write(wake_.get(), &one, sizeof one);
  }

  // What a killed predecessor left goes, but for running instances.
  Result<void> clean(const std::set<std::string>& running) {
    auto host = Links::open();
    if (!host) return tl::unexpected<Error>(host.error());
    auto links = host->list();
    if (!links) return tl::unexpected<Error>(links.error());
    std::set<std::string> kept;
    for (const Link& one : *links) {
      const auto mark = TieMark::parse(one.alias);
      if (mark && running.count(mark->instance) != 0) {
        kept.insert(one.name.substr(0, one.name.size() - 1));
      } else if (begins_with(one.name, kOurLinks)) {
        // Of a pair that went with its other end this finds nothing.
        if (auto done = host->remove(one.name); !done) log_warning(done.error().message());
      } else if (mark) {
        log_info("interface " + one.name + ", which " + mark->instance +
                 " had, is the host's again as " + mark->parent);
        return_physical(*host, one, mark->parent);
      }
    }
    auto filter = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!filter) return tl::unexpected<Error>(filter.error());
    const auto tables = list_tables(*filter);
    if (!tables) return tl::unexpected<Error>(tables.error());
    std::string text;
    for (const std::string& one : *tables) {
      const std::size_t prefix = std::string_view("beaconry_").size();
      const std::string id = one.substr(0, one.find('_', prefix));
      if (begins_with(one, kOurTables) && kept.count(id.substr(prefix)) == 0) text += no_rules(one);
    }
    if (text.empty()) return {};
    return run_program({options_.nft, "-f", "-"}, text, -1);
  }

  const InstanceTies::Options options_;
  Fd poll_, wake_, leases_, timer_;
  NetlinkSocket events_, rules_;
  std::mutex mutex_;  // of the map
  std::map<std::string, std::unique_ptr<Entry>> entries_;
};

}  // namespace

Result<std::unique_ptr<Network>> Network::open(const Options& options,
                                               const std::vector<std::string>& running) {
  InstanceTies::Options made;
  made.run_folder = options.run_folder;
  made.nft = find_program(options.nft.empty() ? "nft" : options.nft);
  if (made.nft.empty())
    return fail(ErrorKind::not_found, "open", "the network",
                "nft is not there, and without it no contract holds: install nftables");
  const std::string client =
      find_program(options.dhcp_client.empty() ? "udhcpc" : options.dhcp_client);
  const std::string busybox = find_program("busybox");
  if (!client.empty()) {
    made.dhcp_program = {client};
    if (std::filesystem::path(client).filename() == "busybox")
      made.dhcp_program.push_back("udhcpc");
  } else if (!busybox.empty()) {
    made.dhcp_program = {busybox, "udhcpc"};
  }
  auto network = std::make_unique<HostNetwork>(std::move(made));
  if (auto done = network->start(running); !done) return tl::unexpected<Error>(done.error());
  return network;
}

}  // namespace beaconry
