#include "sensor/network/tie.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "base/file.h"
#include "base/fnv.h"
#include "base/text.h"
#include "sensor/network/child.h"
#include "sensor/network/prefix.h"

namespace beaconry {
namespace {

constexpr const char* kMark = "beaconry:";

bool turn_ipv6_off(const std::string& name) {
  std::ofstream file("/proc/sys/net/ipv6/conf/" + name + "/disable_ipv6");
  file << 1 << std::flush;
  return static_cast<bool>(file);
}

}  // namespace

Result<Inside> Inside::open(int process) {
  auto space = NameSpace::of_process(process);
  if (!space) return tl::unexpected<Error>(space.error());
  const auto own = NameSpace::own();
  if (!own || *own == *space)
    return fail(ErrorKind::usage, "attach to", "process " + std::to_string(process),
                "it is in the host's network namespace");
  Inside inside;
  inside.space = std::move(*space);
  auto done = inside.space.within([&]() -> Result<void> {
    auto own_links = Links::open();
    if (!own_links) return tl::unexpected<Error>(own_links.error());
    auto nftables = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!nftables) return tl::unexpected<Error>(nftables.error());
    auto changes = NetlinkSocket::open(NETLINK_ROUTE, RTMGRP_LINK);
    if (!changes) return tl::unexpected<Error>(changes.error());
    inside.links = std::move(*own_links);
    inside.filter = std::move(*nftables);
    inside.events = std::move(*changes);
    return {};
  });
  if (!done) return tl::unexpected<Error>(done.error());
  return inside;
}

std::string TieSpec::id() const {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "bcy%010llx",
                static_cast<unsigned long long>(fnv1a(instance + "/" + wish.name) >> 24));
  return text.data();
}

std::string TieSpec::alias() const {
  return kMark + instance + ":" + wish.name + ":" + wish.parent;
}

bool TieSpec::silent() const {
  return interface.contract == Direction::receive || wish.kind == InterfaceWish::Kind::mirror;
}

std::optional<MacAddress> TieSpec::mac() const {
  const auto machine = read_small_file("/etc/machine-id", 64);
  if (!machine || trim(*machine).empty()) return std::nullopt;
  std::uint64_t value = fnv1a(*machine + instance + "/" + wish.name);
  MacAddress mac;
  for (std::uint8_t& byte : mac.bytes) {
    byte = static_cast<std::uint8_t>(value);
    value >>= 8;
  }
  mac.bytes[0] = static_cast<std::uint8_t>((mac.bytes[0] & 0xfc) | 2);  // local, of one
  return mac;
}

std::optional<TieMark> TieMark::parse(const std::string& alias) {
  if (alias.rfind(kMark, 0) != 0) return std::nullopt;
  const std::size_t first = std::string_view(kMark).size();
  const std::size_t second = alias.find(':', first);
  if (second == std::string::npos) return std::nullopt;
  const std::size_t third = alias.find(':', second + 1);
  if (third == std::string::npos) return std::nullopt;
  return TieMark{alias.substr(first, second - first), alias.substr(second + 1, third - second - 1),
                 alias.substr(third + 1)};
}

std::unique_ptr<Tie> Tie::make(const TieSpec& spec) {
  using Kind = InterfaceWish::Kind;
  const bool moved = spec.wish.kind == Kind::physical || spec.wish.kind == Kind::macvlan;
  return moved ? make_moved_tie(spec) : make_veth_tie(spec);
}

Result<void> Tie::attach(Links& host, Inside& inside) {
  if (auto done = bring_in(host, inside); !done) return done;
  const std::string& name = spec_.wish.name;
  const auto link = inside.links.find(name);
  if (!link) return tl::unexpected<Error>(link.error());
  if (!*link)
    return fail(ErrorKind::not_found, "attach", "interface " + name + " of " + spec_.instance,
                "it is not in the container");
  const int index = (*link)->index;
  const auto prefix = Prefix::parse(spec_.wish.address);
  const bool wants_v6 = prefix && !prefix->address.is_v4();
  const bool has_none = spec_.wish.address.empty() || spec_.wish.address == "none";
  if (spec_.silent() || has_none) {
    const bool off = !wants_v6 && inside.space.within([&]() -> Result<void> {
      return turn_ipv6_off(name) ? Result<void>{} : fail_errno("turn IPv6 off on", name);
    });
    if (off) {
      if (auto done = end_chatter(inside); !done) return done;
    } else if (auto done = inside.links.set_no_ipv6_addresses(index); !done) {
      return done;
    }
  } else if (auto done = end_chatter(inside); !done) {
    return done;
  }
  if (auto done = inside.links.set_up(index, true); !done) return done;
  if (!prefix) return {};
  if (auto done = inside.links.add_address(index, spec_.wish.address); !done) return done;
  address_ = prefix->to_string();
  if (spec_.wish.gateway.empty()) return {};
  return inside.links.add_default_route(index, spec_.wish.gateway);
}

bool Tie::follow(Links& host, Inside* inside) {
  switch (look(host, inside)) {
    case State::fine:
      return false;
    case State::mended:
      lost_ = false;
      clear_fault();
      return false;
    case State::lost:
      lost_ = true;
      return false;
    case State::back:
      return std::exchange(lost_, false);
  }
  return false;
}

InterfaceReport Tie::report(Links& host, Inside* inside) {
  InterfaceReport report;
  report.name = spec_.wish.name;
  report.cause = cause_;
  report.evidence = evidence_;
  report.fix = fix_;
  report.address = address_;
  count(host, inside, report);
  report.refused_sent = counts_.refused_sent + sent_past_;
  report.sent_past = sent_past_;
  report.refused_received = counts_.refused_received;
  if (!cause_.empty()) report.present = false;
  if (report.present && !report.carrier && report.cause.empty()) {
    report.cause = "interface " + spec_.wish.parent + " has no carrier";
    report.evidence = spec_.wish.name + " of " + spec_.instance + " is up, but has no link";
    report.fix = "look at the cable and the other side of " + spec_.wish.parent;
  }
  return report;
}

ContractCounts Tie::counts() const {
  ContractCounts all = counts_;
  all.refused_sent += sent_past_;
  return all;
}

void Tie::set_fault(std::string cause, std::string evidence, std::string fix) {
  cause_ = std::move(cause);
  evidence_ = std::move(evidence);
  fix_ = std::move(fix);
}

void Tie::forget_loss() {
  lost_ = false;
  clear_fault();
}

Result<void> Tie::apply(const std::string& rules, int name_space) const {
  return run_program({spec_.nft, "-f", "-"}, rules, name_space);
}

std::string Tie::other_tie() const {
  return "remove it with its data (beaconry instrument remove " + spec_.instance +
         ") and install it with another --interface; what a file defines is changed there";
}

tl::unexpected<Error> Tie::missing(Links& host, const std::string& name) {
  std::string there;
  if (const auto links = host.list()) {
    for (const Link& one : *links) {
      if (one.name.rfind("bcy", 0) != 0) there += (there.empty() ? "" : ", ") + one.name;
    }
  }
  lost_ = true;
  set_fault("interface " + name + " lost", "this machine has " + there,
            "plug it in or make it; or " + other_tie());
  return fail(ErrorKind::not_found, "tie", "interface " + spec_.wish.name + " of " + spec_.instance,
              "there is no interface " + name + " (this machine has " + there + "); " + fix_);
}

void Tie::take_counts(NetlinkSocket& filter) {
  const auto now = read_counts(filter, spec_.table());
  if (!now) return;
  // A table that is gone reads as nothing; what was counted stays.
  counts_.refused_sent = std::max(counts_.refused_sent, now->refused_sent);
  counts_.refused_received = std::max(counts_.refused_received, now->refused_received);
  counts_.chatter = std::max(counts_.chatter, now->chatter);
}

ContractRules Tie::rules(const std::string& device, bool inside) const {
  ContractRules made;
  made.table = spec_.table();
  made.device = device;
  made.inside = inside;
  made.drop_sent = spec_.silent();
  made.drop_received = spec_.interface.contract == Direction::transmit;
  made.counts = counts_;
  return made;
}

}  // namespace beaconry
