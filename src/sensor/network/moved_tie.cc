// Interfaces that are moved into the container: the machine's own, and macvlan children of them.
//
// With the contract `both`, LXD moves them in before the container starts. With another one the
// rules have to stand in the container's namespace, since rules do not travel with an interface,
// and a rule on the host by the child's MAC address would not hold: with raw sockets, an instrument
// writes any address it likes. So attach() moves the interface in, down, sets the rules, and only
// then brings it up. The instrument cannot (it has no CAP_NET_ADMIN), so there is no moment in
// which the contract does not hold.
#include <linux/netlink.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "sensor/network/tie.h"

namespace beaconry {
namespace {

class MovedTie final : public Tie {
 public:
  explicit MovedTie(const TieSpec& spec)
      : Tie(spec),
        macvlan_(spec.wish.kind == InterfaceWish::Kind::macvlan),
        outer_name_(macvlan_ ? spec.id() + "m" : spec.wish.parent) {}

  Result<std::optional<ContainerSpec::Nic>> prepare(Links& host) override {
    if (!macvlan_) give_back(host);
    const auto parent = host.find(spec_.wish.parent);
    if (!parent) return tl::unexpected<Error>(parent.error());
    if (!*parent) return missing(host, spec_.wish.parent);
    told_ = false;
    auto done = macvlan_ ? make_child(host, **parent) : take(host, **parent);
    if (!done) return tl::unexpected<Error>(done.error());
    if (has_contract()) return std::optional<ContainerSpec::Nic>{};
    return std::optional<ContainerSpec::Nic>{{outer_name_, spec_.wish.name}};
  }

  void release(Links& host, Inside* inside) override {
    if (inside != nullptr) {
      if (has_contract()) take_counts(inside->filter);
      fetch(*inside);
    }
    if (macvlan_) {
      (void)host.remove(outer_name_);
    } else {
      give_back(host);
    }
  }

  Result<void> restore(Links&, const std::vector<std::string>&) override { return {}; }

 private:
  bool has_contract() const { return spec_.interface.contract != Direction::both; }

  Result<void> make_child(Links& host, const Link& parent) {
    if (auto done = host.remove(outer_name_); !done) return done;  // of a run before
    if (auto done = host.add_macvlan(outer_name_, parent.index, spec_.mac()); !done) return done;
    const auto child = host.find(outer_name_);
    if (!child || !*child)
      return fail(ErrorKind::io, "make", "macvlan " + outer_name_, "it vanished at once");
    return host.set_alias((*child)->index, spec_.alias());
  }

  Result<void> take(Links& host, const Link& link) {
    if (link.kind == "bridge" || link.kind == "bond" || link.kind == "team")
      return fail(ErrorKind::usage, "tie", "interface " + spec_.wish.name + " of " + spec_.instance,
                  link.name + " is a " + link.kind +
                      ", which the kernel lets nobody move: " + other_kinds(link));
    if (link.master != 0)
      return fail(ErrorKind::usage, "tie", "interface " + spec_.wish.name + " of " + spec_.instance,
                  link.name + " is part of a bridge or bond: take it out first (ip link set " +
                      link.name + " nomaster)");
    const auto mark = TieMark::parse(link.alias);
    if (mark && (mark->instance != spec_.instance || mark->interface != spec_.wish.name))
      return fail(ErrorKind::usage, "tie", "interface " + spec_.wish.name + " of " + spec_.instance,
                  link.name + " is given to " + mark->interface + " of " + mark->instance +
                      " already: a physical interface has one owner");
    if (auto done = host.set_alias(link.index, spec_.alias()); !done) return done;
    return has_contract() ? host.set_up(link.index, false) : Result<void>{};
  }

  std::string other_kinds(const Link& link) const {
    const std::string copies = ", or as mirror:" + link.name + " where copies suffice";
    return "tie it as " + std::string(link.kind == "bridge" ? "bridge:" : "macvlan:") + link.name +
           copies;
  }

  // What has our mark on the host is the host's again, under its old name: also after a container
  // or a daemon was killed, when it came back under the name that it had inside.
  void give_back(Links& host) {
    const auto links = host.list();
    if (!links) return;
    for (const Link& one : *links) {
      if (one.alias == spec_.alias()) return_physical(host, one, spec_.wish.parent);
    }
  }

  // Out of the namespace that we still hold, where neither LXD nor the kernel did it.
  void fetch(Inside& inside) {
    const auto link = inside.links.find(spec_.wish.name);
    if (!link || !*link || (*link)->alias != spec_.alias()) return;
    if (macvlan_) {
      (void)inside.links.remove(spec_.wish.name);
      return;
    }
    const auto own = NameSpace::own();
    if (!own) return;
    (void)inside.links.set_up((*link)->index, false);
    if (auto done = inside.links.move((*link)->index, own->descriptor(), spec_.wish.parent); !done)
      log_warning(done.error().message() + " back to the host as " + spec_.wish.parent);
  }

  Result<void> bring_in(Links& host, Inside& inside) override {
    auto link = inside.links.find(spec_.wish.name);
    if (!link) return tl::unexpected<Error>(link.error());
    const bool was_inside = link->has_value();
    if (!was_inside) {
      const auto outer = host.find(outer_name_);
      if (!outer) return tl::unexpected<Error>(outer.error());
      if (!*outer) return missing(host, outer_name_);
      if (auto done = host.set_up((*outer)->index, false); !done) return done;
      auto done = host.move((*outer)->index, inside.space.descriptor(), spec_.wish.name);
      if (!done) return done;
      link = inside.links.find(spec_.wish.name);
      if (!link) return tl::unexpected<Error>(link.error());
      if (!*link) return missing(host, outer_name_);
    }
    inside_ = true;
    before_ = **link;
    counts_.refused_sent += std::exchange(sent_past_, 0);
    if (!has_contract()) return {};
    const auto tables = list_tables(inside.filter);
    if (!tables) return tl::unexpected<Error>(tables.error());
    if (std::find(tables->begin(), tables->end(), spec_.table()) != tables->end()) return {};
    const int index = (*link)->index;
    if (auto done = inside.links.set_up(index, false); !done) return done;
    if (spec_.silent()) {
      if (auto done = inside.links.set_arp(index, false); !done) return done;
    }
    return apply(rules(spec_.wish.name, true).text(), inside.space.descriptor());
  }

  Result<void> end_chatter(Inside& inside) override {
    if (!has_contract()) return {};
    return apply(end_of_chatter(spec_.table()), inside.space.descriptor());
  }

  State look(Links& host, Inside* inside) override {
    const auto parent = host.find(spec_.wish.parent);
    if (!parent) return State::fine;  // the kernel did not answer: the next time
    if (inside != nullptr && inside_) {
      const auto link = inside->links.find(spec_.wish.name);
      if (!link) return State::fine;
      if (*link) return cause_.empty() ? State::fine : State::mended;
    } else if (!lost_) {
      return State::fine;  // between its making and the start
    }
    if (!*parent) {
      (void)missing(host, spec_.wish.parent);
      told_ = false;
      return State::lost;
    }
    set_fault("interface " + spec_.wish.parent + " lost",
              "it was away and is back on the host, not in the container", "restart the instance");
    lost_ = true;
    return std::exchange(told_, true) ? State::lost : State::back;
  }

  void count(Links& host, Inside* inside, InterfaceReport& report) override {
    if (inside == nullptr) return;
    const auto link = inside->links.find(spec_.wish.name);
    if (!link || !*link) {
      if (cause_.empty()) (void)missing(host, spec_.wish.parent);
      report.cause = cause_;
      report.evidence = evidence_;
      report.fix = fix_;
      return;
    }
    if (has_contract()) take_counts(inside->filter);
    report.present = (*link)->up;
    report.carrier = (*link)->carrier;
    // A driver counts what comes before the contract drops it.
    if (spec_.interface.contract != Direction::transmit)
      report.received = (*link)->received - std::min((*link)->received, before_.received);
    report.sent = (*link)->sent - std::min((*link)->sent, before_.sent);
    // What the rules drop never comes to the driver: this found a way around them, such as AF_XDP.
    if (spec_.silent()) sent_past_ = std::max(sent_past_, report.sent);
  }

  const bool macvlan_;
  const std::string outer_name_;  // on the host
  bool inside_ = false, told_ = false;
  Link before_;  // as it was moved in: its counters did not begin with us
};

}  // namespace

void return_physical(Links& host, const Link& link, const std::string& name) {
  if (link.name != name) {
    (void)host.set_up(link.index, false);
    if (auto done = host.rename(link.index, name); !done) {
      log_warning(done.error().message() + ": it stays " + link.name);
      return;
    }
  }
  (void)host.set_arp(link.index, true);
  (void)host.set_alias(link.index, "");
}

std::unique_ptr<Tie> make_moved_tie(const TieSpec& spec) {
  return std::make_unique<MovedTie>(spec);
}

}  // namespace beaconry
