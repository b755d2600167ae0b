// Interfaces that are one end of a veth pair; the other end stays on the host, in a bridge or with
// copies of a captured interface's packets sent to it.
#include <linux/netlink.h>

#include <algorithm>
#include <utility>

#include "sensor/network/promiscuous.h"
#include "sensor/network/tie.h"

namespace beaconry {
namespace {

class VethTie final : public Tie {
 public:
  explicit VethTie(const TieSpec& spec)
      : Tie(spec),
        mirror_(spec.wish.kind == InterfaceWish::Kind::mirror),
        host_end_(spec.id() + "h"),
        inner_end_(spec.id() + "c"),
        copy_table_(spec.table() + "_copy") {}

  Result<std::optional<ContainerSpec::Nic>> prepare(Links& host) override {
    const auto parent = find_parent(host);
    if (!parent) return tl::unexpected<Error>(parent.error());
    if (auto done = make(host, *parent); !done) {
      (void)host.remove(host_end_);
      return tl::unexpected<Error>(done.error());
    }
    return std::optional<ContainerSpec::Nic>{{inner_end_, spec_.wish.name}};
  }

  void release(Links& host, Inside*) override {
    made_ = false;
    read_counters();
    (void)host.remove(host_end_);
    if (mirror_) Promiscuous(spec_.folder).turn_off(host, spec_.wish.parent, spec_.id());
    (void)apply(no_rules(spec_.table()) + no_rules(copy_table_));
  }

  Result<void> restore(Links& host, const std::vector<std::string>& tables) override {
    const auto is_there = [&](const std::string& table) {
      return std::find(tables.begin(), tables.end(), table) != tables.end();
    };
    const auto end = host.find(host_end_);
    if (!end) return tl::unexpected<Error>(end.error());
    if (!*end) return {};
    if (has_contract() && !is_there(spec_.table())) {
      if (auto done = apply(rules(host_end_, false).text()); !done) return done;
      if (chatter_over_) {
        if (auto done = apply(end_of_chatter(spec_.table())); !done) return done;
      }
    }
    if (mirror_ && !is_there(copy_table_)) tapped_ = 0;
    return {};
  }

 private:
  bool has_contract() const { return mirror_ || spec_.interface.contract != Direction::both; }

  Result<Link> find_parent(Links& host) {
    const auto parent = host.find(spec_.wish.parent);
    if (!parent) return tl::unexpected<Error>(parent.error());
    if (!*parent) return missing(host, spec_.wish.parent);
    if (!mirror_ && (*parent)->kind != "bridge")
      return fail(ErrorKind::usage, "tie", "interface " + spec_.wish.name + " of " + spec_.instance,
                  spec_.wish.parent +
                      " is no bridge: use macvlan or physical for it, or make a "
                      "bridge of it (ip link add br0 type bridge)");
    return **parent;
  }

  Result<void> make(Links& host, const Link& parent) {
    if (auto done = host.remove(host_end_); !done) return done;  // of a run before
    Links::Veth pair{host_end_, inner_end_, spec_.mac(), parent.mtu};
    // What is captured on lo, or before segments are cut, is longer than an Ethernet's packets.
    if (parent.mtu == 0 || parent.mtu > 65'535) pair.mtu = 65'535;
    if (auto done = host.add_veth(pair); !done) return done;
    const auto outer = host.find(host_end_), inner = host.find(inner_end_);
    if (!outer || !inner || !*outer || !*inner)
      return fail(ErrorKind::io, "make", "veth pair " + host_end_, "it vanished at once");
    for (const int index : {(*outer)->index, (*inner)->index}) {
      if (auto done = host.set_alias(index, spec_.alias()); !done) return done;
      if (auto done = host.set_no_ipv6_addresses(index); !done) return done;
    }
    if (spec_.silent()) {
      if (auto done = host.set_arp((*inner)->index, false); !done) return done;
    }
    if (mirror_) {
      if (auto done = host.set_arp((*outer)->index, false); !done) return done;
    }
    if (auto done =
            apply(has_contract() ? rules(host_end_, false).text() : no_rules(spec_.table()));
        !done)
      return done;
    chatter_over_ = told_ = false;
    seen_ = ~std::uint64_t{0};
    if (auto done = host.set_up((*outer)->index, true); !done) return done;
    made_ = true;
    return connect(host, (*outer)->index, parent);
  }

  Result<void> connect(Links& host, int outer, const Link& parent) {
    if (!mirror_) return host.set_master(outer, parent.index);
    if (!parent.up) {
      if (auto done = host.set_up(parent.index, true); !done) return done;
    }
    const Promiscuous hearing(spec_.folder);
    if (auto done = hearing.turn_on(host, parent, spec_.id()); !done) return done;
    auto done = apply(mirror_rules(copy_table_, spec_.wish.parent, host_end_));
    if (done) tapped_ = parent.index;
    return done;
  }

  Result<void> bring_in(Links& host, Inside&) override {
    const auto outer = host.find(host_end_);
    if (!outer) return tl::unexpected<Error>(outer.error());
    if (!*outer)
      return fail(ErrorKind::not_found, "attach",
                  "interface " + spec_.wish.name + " of " + spec_.instance,
                  "its end on the host, " + host_end_ + ", is gone: restart the instance");
    made_ = true;  // perhaps by a daemon before this one
    read_counters();
    auto filter = NetlinkSocket::open(NETLINK_NETFILTER);
    if (!filter) return tl::unexpected<Error>(filter.error());
    const auto tables = list_tables(*filter);
    if (!tables) return tl::unexpected<Error>(tables.error());
    if (auto done = restore(host, *tables); !done) return done;
    (void)follow(host, nullptr);
    return {};
  }

  Result<void> end_chatter(Inside&) override {
    chatter_over_ = true;
    if (!has_contract()) return {};
    return apply(end_of_chatter(spec_.table()));
  }

  State look(Links& host, Inside*) override {
    const auto outer = host.find(host_end_), parent = host.find(spec_.wish.parent);
    if (!outer || !parent) return State::fine;  // the kernel did not answer: the next time
    if (!*parent) {
      tapped_ = 0;
      (void)missing(host, spec_.wish.parent);
      return State::lost;
    }
    if (!*outer) {
      // What it is tied to was not there at the start, and is now; or it was released.
      if (!made_) return lost_ ? State::back : State::fine;
      set_fault("interface " + spec_.wish.name + " lost", host_end_ + " was removed",
                "restart the instance");
      lost_ = true;
      return std::exchange(told_, true) ? State::lost : State::back;
    }
    const bool connected =
        mirror_ ? tapped_ == (*parent)->index : (*outer)->master == (*parent)->index;
    if (connected) return cause_.empty() ? State::fine : State::mended;
    if (!mirror_ && (*parent)->kind != "bridge") {
      set_fault(spec_.wish.parent + " is no bridge any more", "its kind is " + (*parent)->kind,
                "make the bridge again");
      return State::lost;
    }
    if (auto done = connect(host, (*outer)->index, **parent); !done) {
      set_fault("interface " + spec_.wish.parent + " cannot be tied again", done.error().message(),
                "restart the instance");
      return State::lost;
    }
    return State::mended;
  }

  void count(Links& host, Inside* inside, InterfaceReport& report) override {
    const auto outer = host.find(host_end_);
    if (!outer || !*outer) return;
    const Link& link = **outer;
    // What a contract drops on its way to the instrument moves no statistics of the interface.
    if (link.received != seen_ || spec_.interface.contract == Direction::transmit) read_counters();
    seen_ = link.received;
    report.received = link.sent;
    report.sent = spec_.silent() ? 0 : link.received;  // of a silent one all is dropped
    bool carrier = link.carrier;
    if (const auto parent = host.find(spec_.wish.parent); parent && *parent) {
      carrier = carrier && (*parent)->carrier;
    }
    report.carrier = carrier;
    if (inside == nullptr) return;
    const auto inner = inside->links.find(spec_.wish.name);
    report.present = link.up && inner && *inner && (*inner)->up;
  }

  void read_counters() {
    if (!has_contract()) return;
    auto filter = NetlinkSocket::open(NETLINK_NETFILTER);
    if (filter) take_counts(*filter);
  }

  const bool mirror_;
  const std::string host_end_, inner_end_, copy_table_;
  int tapped_ = 0;  // index of the captured interface that the rules stand on
  bool chatter_over_ = false;
  bool made_ = false;  // and not released
  bool told_ = false;  // that a restart is needed
  std::uint64_t seen_ = ~std::uint64_t{0};
};

}  // namespace

std::unique_ptr<Tie> make_veth_tie(const TieSpec& spec) {
  return std::make_unique<VethTie>(spec);
}

}  // namespace beaconry
