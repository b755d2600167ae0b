#include "sensor/network/instance_ties.h"

#include <linux/netlink.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/file.h"
#include "base/log.h"
#include "sensor/network/tie_check.h"

namespace beaconry {
namespace {

constexpr std::chrono::seconds kDhcpAgain{5};

// The kernel makes it down, and nobody inside has the right to bring it up.
Result<void> bring_up_loopback(const NameSpace& space) {
  return space.within([]() -> Result<void> {
    auto links = Links::open();
    if (!links) return tl::unexpected<Error>(links.error());
    const auto loopback = links->find("lo");
    if (!loopback) return tl::unexpected<Error>(loopback.error());
    return *loopback && !(*loopback)->up ? links->set_up((*loopback)->index, true) : Result<void>{};
  });
}

// It has no entry under /proc, or lost it while that was being opened. Any other fault is one: its
// loopback would stay down unseen.
bool is_gone(int process, const Error& error) {
  return error.kind == ErrorKind::not_found || (::kill(process, 0) != 0 && errno == ESRCH);
}

}  // namespace

Result<void> InstanceTies::adopt(const Manifest& manifest,
                                 const std::vector<InterfaceWish>& wishes) {
  ties_.clear();
  for (const InterfaceWish& wish : wishes) {
    const auto interface =
        std::find_if(manifest.interfaces.begin(), manifest.interfaces.end(),
                     [&](const Manifest::Interface& one) { return one.name == wish.name; });
    const std::string subject = "interface " + wish.name + " of " + instance_;
    if (interface == manifest.interfaces.end())
      return fail(ErrorKind::usage, "tie", subject, "its manifest has no interface of that name");
    if (const auto can = check_tie(wish, *interface, manifest); !can)
      return fail(ErrorKind::usage, "tie", subject, can.error().cause);
    auto tie = Tie::make({instance_, *interface, wish, options_.nft, private_folder(options_)});
    tie->count_from(kept_counts(*tie));
    ties_.push_back(std::move(tie));
  }
  for (const Manifest::Interface& one : manifest.interfaces) {
    const bool tied = std::any_of(ties_.begin(), ties_.end(), [&](const auto& tie) {
      return tie->spec().wish.name == one.name;
    });
    if (!tied && !one.optional)
      return fail(ErrorKind::usage, "tie", "interface " + one.name + " of " + instance_,
                  "the instrument needs it, and nothing says what it is tied to: " + one.name +
                      "=bridge:br0, for example");
  }
  return {};
}

Result<std::vector<ContainerSpec::Nic>> InstanceTies::prepare(
    Links& host, const Manifest& manifest, const std::vector<InterfaceWish>& wishes) {
  release(host);
  if (auto done = adopt(manifest, wishes); !done) return tl::unexpected<Error>(done.error());
  std::vector<ContainerSpec::Nic> nics;
  for (const auto& tie : ties_) {
    tie->clear_fault();
    const auto free = check_way(tie->spec().wish, options_.reserved());
    auto nic = free ? tie->prepare(host) : tl::unexpected<Error>(free.error());
    if (nic) {
      if (*nic) nics.push_back(**nic);
      continue;
    }
    const bool absent = nic.error().kind == ErrorKind::not_found;
    if (absent && tie->spec().interface.optional) {
      log_info(nic.error().message());
      continue;
    }
    if (!absent)
      tie->set_fault("interface " + tie->spec().wish.parent + " cannot be tied",
                     nic.error().message(), tie->other_tie());
    for (const auto& made : ties_) {
      if (made == tie) break;
      made->release(host, nullptr);
    }
    return tl::unexpected<Error>(nic.error());
  }
  if (auto done = write_resolvers(); !done) return tl::unexpected<Error>(done.error());
  return nics;
}

Result<void> InstanceTies::attach(Links& host, int process, const Manifest& manifest,
                                  const std::vector<InterfaceWish>& wishes, const Watch& watch) {
  if (ties_.empty()) {
    if (auto done = adopt(manifest, wishes); !done) return done;
  }
  const auto space = NameSpace::of_process(process);
  // One that ended meanwhile needs none.
  if (!space && ties_.empty() && is_gone(process, space.error())) return {};
  if (!space) return tl::unexpected<Error>(space.error());
  if (auto done = bring_up_loopback(*space); !done || ties_.empty()) return done;
  auto inside = Inside::open(process);
  if (!inside) return tl::unexpected<Error>(inside.error());
  clients_.clear();
  inside_ = std::move(*inside);
  process_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
  watch(inside_->events.descriptor());
  for (const auto& tie : ties_) {
    auto done = tie->attach(host, *inside_);
    if (done && tie->spec().wish.address == "dhcp") done = start_dhcp(*tie, watch);
    if (done) continue;
    if (done.error().kind == ErrorKind::not_found && tie->spec().interface.optional) continue;
    tie->set_fault("interface " + tie->spec().wish.name + " was not set up", done.error().message(),
                   "restart the instance");
    return done;
  }
  return write_resolvers();
}

void InstanceTies::release(Links& host) {
  clients_.clear();
  for (const auto& tie : ties_) {
    tie->release(host, inside_ ? &*inside_ : nullptr);
    tie->forget_loss();
    tie->set_address({});
    keep_counts(*tie);
  }
  inside_.reset();
  process_ = Fd();
}

// An instance that ends gives its interfaces back, which is no loss of theirs.
bool InstanceTies::has_ended() const {
  pollfd end{process_.get(), POLLIN, 0};
  return process_ && ::poll(&end, 1, 0) == 1;
}

// What was dropped is counted over restarts of the instance and of the daemon.
void InstanceTies::keep_counts(const Tie& tie) {
  const ContractCounts counts = tie.counts();
  const std::string file = counts_file(tie.spec().id());
  auto done = replace_file(file, std::to_string(counts.refused_sent) + " " +
                                     std::to_string(counts.refused_received) + " " +
                                     std::to_string(counts.chatter) + "\n");
  if (!done) log_warning(done.error().message());
}

std::string InstanceTies::counts_file(const std::string& id) const {
  return private_folder(options_) + "/" + instance_ + "." + id + ".counts";
}

void InstanceTies::forget(const Options& options, const std::string& instance) {
  std::error_code error;
  std::filesystem::directory_iterator at(private_folder(options), error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with(instance + ".") || !name.ends_with(".counts")) continue;
    std::error_code ignored;
    std::filesystem::remove(at->path(), ignored);
  }
}

ContractCounts InstanceTies::kept_counts(const Tie& tie) const {
  ContractCounts counts;
  std::ifstream file(counts_file(tie.spec().id()));
  if (!(file >> counts.refused_sent >> counts.refused_received >> counts.chatter)) return {};
  return counts;
}

bool InstanceTies::follow(Links& host, bool rules_changed) {
  if (inside_) inside_->events.drain();
  if (has_ended()) return false;
  bool restart = false;
  Result<std::vector<std::string>> tables = std::vector<std::string>{};
  if (rules_changed) {
    auto filter = NetlinkSocket::open(NETLINK_NETFILTER);
    tables = filter ? list_tables(*filter) : fail_errno("list", "nftables' tables");
  }
  for (const auto& tie : ties_) {
    if (rules_changed && tables) {
      if (auto done = tie->restore(host, *tables); !done) log_warning(done.error().message());
    }
    if (tie->follow(host, inside_ ? &*inside_ : nullptr)) restart = true;
  }
  return restart;
}

Result<void> InstanceTies::start_dhcp(Tie& tie, const Watch& watch) {
  const std::string& name = tie.spec().wish.name;
  if (options_.dhcp_program.empty())
    return fail(ErrorKind::not_found, "start", "the DHCP client of " + name,
                "udhcpc is not installed: install busybox or udhcpc, or set an address");
  DhcpClient::Options options;
  options.program = options_.dhcp_program;
  options.folder = private_folder(options_);
  options.name = tie.spec().id();
  options.interface = name;
  options.name_space = inside_->space.descriptor();
  Client& client = clients_[name];
  client.process.reset();
  auto process = DhcpClient::start(options);
  if (!process) return tl::unexpected<Error>(process.error());
  client.process = std::move(*process);
  client.again = {};
  watch(client.process->descriptor());
  const auto link = inside_->links.find(name);
  if (!link || !*link) return {};
  const auto had = inside_->links.addresses((*link)->index);
  for (const std::string& one : had ? *had : std::vector<std::string>{}) {
    const auto prefix = Prefix::parse(one);
    if (prefix && prefix->address.is_v4()) tie.set_address(one);
  }
  return {};
}

bool InstanceTies::renew(Timestamp steady, const Watch& watch) {
  bool waits = false;
  for (const auto& tie : ties_) {
    const auto found = clients_.find(tie->spec().wish.name);
    if (found == clients_.end() || !inside_) continue;
    Client& client = found->second;
    const auto news = client.process ? client.process->news() : std::nullopt;
    if (news && !(*news == client.last)) {
      const DhcpNews before = std::exchange(client.last, *news);
      take_news(*tie, before, *news);
    }
    if (client.process && !client.process->ended()) continue;
    waits = true;
    if (client.again == Timestamp{}) {
      client.again = steady + kDhcpAgain;
      log_warning("the DHCP client of " + tie->spec().wish.name + " of " + instance_ +
                  " ended: it is started again in 5 s");
    } else if (steady >= client.again) {
      if (auto done = start_dhcp(*tie, watch); !done) {
        log_warning(done.error().message());
        client.again = steady + kDhcpAgain;
      } else {
        waits = false;
      }
    }
  }
  return waits;
}

// A client that starts says first that it has nothing, which is no news of an address that was set
// before the daemon was restarted: that one goes when nobody confirms it.
void InstanceTies::take_news(Tie& tie, const DhcpNews& before, const DhcpNews& news) {
  const bool lost = before.has_lease() || news.state == "leasefail" || news.state == "nak";
  const auto link = inside_->links.find(tie.spec().wish.name);
  if (!link || !*link) return;
  const int index = (*link)->index;
  const auto set = [&]() -> Result<void> {
    const auto had = inside_->links.addresses(index);
    const std::string wanted = news.has_lease() ? news.address->to_string() : "";
    if (wanted.empty() && !lost) return {};
    if (!had || std::find(had->begin(), had->end(), wanted) == had->end()) {
      if (auto done = inside_->links.remove_addresses(index, false); !done) return done;
    }
    tie.set_address(wanted);
    if (wanted.empty()) return {};
    if (auto done = inside_->links.add_address(index, wanted); !done) return done;
    if (news.router) {
      auto done = inside_->links.add_default_route(index, news.router->to_string());
      if (!done) return done;
    }
    return write_resolvers();
  };
  if (auto done = set(); !done) log_warning(done.error().message());
}

// The resolvers that the wishes name, else those of the leases.
Result<void> InstanceTies::write_resolvers() {
  std::vector<std::string> all;
  for (const auto& tie : ties_) {
    const auto& wished = tie->spec().wish.resolvers;
    all.insert(all.end(), wished.begin(), wished.end());
  }
  if (all.empty()) {
    for (const auto& [name, client] : clients_) {
      for (const IpAddress& one : client.last.resolvers)
        all.push_back(one.to_string());
    }
  }
  if (all.empty() && !clients_.empty()) return {};  // there may be those of a lease before
  std::string text;
  for (const std::string& one : all)
    text += "nameserver " + one + "\n";
  const std::string folder = options_.run_folder + "/" + instance_;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  const std::string file = folder + "/resolv.conf";
  if (auto done = replace_file(file, text); !done) return done;
  return ::chmod(file.c_str(), 0644) == 0 ? Result<void>{} : fail_errno("open to all", file);
}

std::vector<InterfaceReport> InstanceTies::report(Links& host) {
  std::vector<InterfaceReport> all;
  for (const auto& tie : ties_) {
    InterfaceReport one = tie->report(host, inside_ ? &*inside_ : nullptr);
    if (tie->spec().wish.address == "dhcp" && inside_ && one.cause.empty() && one.address.empty()) {
      one.cause = "no address by DHCP for " + one.name;
      const auto client = clients_.find(one.name);
      const bool answered = client != clients_.end() && client->second.last.state == "nak";
      one.evidence = answered ? "the server refused" : "no server answered";
      one.fix = "look whether a DHCP server answers on " + tie->spec().wish.parent +
                ", or set an address";
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace beaconry
