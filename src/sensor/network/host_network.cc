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
#include <type_traits>

#include "base/fd.h"
#include "base/find_program.h"
#include "base/log.h"
#include "sensor/network.h"
#include "sensor/network/child.h"
#include "sensor/network/instance_ties.h"
#include "sensor/network/promiscuous.h"
#include "sensor/services/steady_time.h"

namespace beaconry {
namespace {

constexpr const char* kOurTables = "beaconry_bcy";
constexpr const char* kOurLinks = "bcy";
constexpr std::size_t kIdLength = 13;  // TieSpec::id()
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

 public:
  explicit HostNetwork(InstanceTies::Options options) : options_(std::move(options)) {}

  Result<void> start(const std::vector<std::string>& running) {
    std::error_code error;
    const std::string folder = this->folder();
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
    auto host = Links::open();
    if (!host) return tl::unexpected<Error>(host.error());
    take_back(*host);
    return clean(*host, running);
  }

  Result<std::vector<ContainerSpec::Nic>> prepare(
      const std::string& instance, const Manifest& manifest,
      const std::vector<InterfaceWish>& wishes) override {
    auto host = Links::open();
    if (!host) return tl::unexpected<Error>(host.error());
    auto nics =
        locked(instance, [&](Entry& entry) { return entry.ties.prepare(*host, manifest, wishes); });
    wake();
    return nics;
  }

  Result<void> attach(const std::string& instance, int process, const Manifest& manifest,
                      const std::vector<InterfaceWish>& wishes) override {
    auto host = Links::open();
    if (!host) return tl::unexpected<Error>(host.error());
    auto done = locked(instance, [&](Entry& entry) {
      return entry.ties.attach(*host, process, manifest, wishes, [this](int one) { watch(one); });
    });
    wake();
    return done;
  }

  void release(const std::string& instance) override {
    auto host = Links::open();
    if (!host) {
      log_warning(host.error().message());
      return;
    }
    locked(instance, [&](Entry& entry) {
      entry.ties.release(*host);
      auto done = clean_instance(*host, instance);
      if (!done) log_warning(done.error().message());
    });
    wake();
  }

  void forget(const std::string& instance) override { InstanceTies::forget(options_, instance); }

  int descriptor() const override { return poll_.get(); }

  Work work(Timestamp now) override {
    const Timestamp steady = steady_time_.at(now);
    std::array<epoll_event, 16> ready;
    if (::epoll_wait(poll_.get(), ready.data(), static_cast<int>(ready.size()), 0) == 0) return {};
    Work done;
    done.changed = true;
    for (const int one : {wake_.get(), leases_.get(), timer_.get()})
      empty(one);
    const bool links_changed = events_.drain();
    const bool rules_changed = rules_.drain();
    auto host = Links::open();
    if (!host) return done;
    if (links_changed) take_back(*host);
    bool waits = false;
    for (const auto& [name, entry] : entries()) {
      const std::unique_lock lock(entry->mutex, std::try_to_lock);
      entry->look_at_rules = entry->look_at_rules || rules_changed;
      if (!lock.owns_lock()) continue;  // who holds it wakes us when it is done
      if (entry->ties.follow(*host, entry->look_at_rules)) done.restarts.push_back(name);
      entry->look_at_rules = false;
      waits = entry->ties.renew(steady, [this](int one) { watch(one); }) || waits;
    }
    if (waits) ::timerfd_settime(timer_.get(), 0, &kSoon, nullptr);
    return done;
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

  template <class Work>
  std::invoke_result_t<Work, Entry&> locked(const std::string& instance, const Work& work) {
    Entry& entry = entry_of(instance);
    const std::lock_guard lock(entry.mutex);
    return work(entry);
  }

  // A physical interface of a container that was killed comes back by itself, under the name that
  // it had in there.
  static void take_back(Links& host) {
    const auto links = host.list();
    if (!links) return;
    for (const Link& one : *links) {
      const auto mark = TieMark::parse(one.alias);
      if (mark && one.name != mark->parent && !begins_with(one.name, kOurLinks))
        return_physical(host, one, mark->parent);
    }
  }

  // What a killed predecessor left goes, but for running instances. Only before others call: an
  // interface without a mark, or a table without an interface, may be in the making.
  Result<void> clean(Links& host, const std::vector<std::string>& running) {
    auto links = host.list();
    if (!links) return tl::unexpected<Error>(links.error());
    std::set<std::string> kept;
    for (const Link& one : *links) {
      const auto mark = TieMark::parse(one.alias);
      if (mark && std::find(running.begin(), running.end(), mark->instance) != running.end()) {
        kept.insert(id_of(one.name));
      } else {
        remove(host, one, mark);
      }
    }
    return remove_tables([&](const std::string& id) { return kept.count(id) == 0; });
  }

  // Also what was made for an instance before this daemon started.
  Result<void> clean_instance(Links& host, const std::string& instance) {
    auto links = host.list();
    if (!links) return tl::unexpected<Error>(links.error());
    std::set<std::string> gone;
    for (const Link& one : *links) {
      const auto mark = TieMark::parse(one.alias);
      if (!mark || mark->instance != instance) continue;
      gone.insert(id_of(one.name));
      remove(host, one, mark);
    }
    if (gone.empty()) return {};
    return remove_tables([&](const std::string& id) { return gone.count(id) != 0; });
  }

  void remove(Links& host, const Link& link, const std::optional<TieMark>& mark) {
    if (begins_with(link.name, kOurLinks)) {
      // Of a pair that went with its other end this finds nothing.
      if (auto done = host.remove(link.name); !done) log_warning(done.error().message());
      if (mark) Promiscuous(folder()).turn_off(host, mark->parent, id_of(link.name));
    } else if (mark) {
      log_info("interface " + link.name + ", which " + mark->instance +
               " had, is the host's again as " + mark->parent);
      return_physical(host, link, mark->parent);
    }
  }

  Result<void> remove_tables(const std::function<bool(const std::string&)>& goes) {
    auto filter = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!filter) return tl::unexpected<Error>(filter.error());
    const auto tables = list_tables(*filter);
    if (!tables) return tl::unexpected<Error>(tables.error());
    std::string text;
    for (const std::string& one : *tables) {
      const std::size_t prefix = std::string_view("beaconry_").size();
      if (begins_with(one, kOurTables) && goes(one.substr(prefix, kIdLength)))
        text += no_rules(one);
    }
    if (text.empty()) return {};
    return run_program({options_.nft, "-f", "-"}, text, -1);
  }

  std::string folder() const { return InstanceTies::private_folder(options_); }
  static std::string id_of(const std::string& link) { return link.substr(0, kIdLength); }

  const InstanceTies::Options options_;
  SteadyTime steady_time_;  // of work()'s thread
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
  made.dhcp_program = find_dhcp_client(options.dhcp_client);
  made.reserved = options.reserved;
  auto network = std::make_unique<HostNetwork>(std::move(made));
  if (auto done = network->start(running); !done) return tl::unexpected<Error>(done.error());
  return network;
}

}  // namespace beaconry
