#include "escape/stack/addresses.h"

#include <algorithm>

#include "escape/stack/solicit.h"

namespace beaconry {
namespace {

using std::chrono::seconds;

constexpr int kProbes = 3;  // RFC 5227 §1.1
constexpr seconds kBetweenProbes{1}, kAfterProbes{2};
constexpr int kSolicitations = 1;  // RFC 4862 §5.1
constexpr seconds kAfterSolicitation{1};
constexpr int kMostRouterQuestions = 3;  // RFC 4861 §10
constexpr seconds kBetweenRouterQuestions{4};
constexpr int kDiscoveriesToSettle = 2;
constexpr std::chrono::minutes kStaticAgain{5};

std::string with_length(const IpAddress& address, unsigned length) {
  return address.to_string() + "/" + std::to_string(length);
}

}  // namespace

Addresses::Addresses(const ProbeConfig& config, const InterfaceFacts& facts, Segment& segment,
                     Bytes client_id, Hooks hooks)
    : config_(config), facts_(facts), segment_(segment), hooks_(std::move(hooks)) {
  const auto is_told = [&](bool v4) {
    return std::any_of(config.own_hosts.begin(), config.own_hosts.end(),
                       [&](const IpAddress& own) { return own.is_v4() == v4; });
  };
  // Without a home or resolver to reach by IPv6 its questions would only use up the budget.
  const bool v6_is_of_use = !config.home.zone.empty() || config.listen ||
                            std::any_of(config.home.addresses.begin(), config.home.addresses.end(),
                                        [](const IpAddress& home) { return !home.is_v4(); });
  wants_lease_ = config.dhcp && !is_told(true);
  wants_prefixes_ = config.router_advertisements && !is_told(false) && v6_is_of_use;
  DhcpClient::Hooks dhcp;
  dhcp.emit = [this](Outgoing out) { hooks_.emit(std::move(out)); };
  dhcp.random = [this] { return hooks_.random(); };
  dhcp.granted = [this](const DhcpReply& lease) { granted(lease, now_); };
  dhcp.lost = [this](const std::string& why) { give_up_lease(why); };
  dhcp_ = std::make_unique<DhcpClient>(facts.mac, std::move(client_id), std::move(dhcp));
}

bool Addresses::kernel_owns(const IpAddress& address) const {
  const auto& all = facts_.kernel_addresses;
  return std::find(all.begin(), all.end(), address) != all.end();
}

void Addresses::start(Timestamp now) {
  now_ = now;
  for (const IpAddress& gateway : config_.gateways)
    segment_.add_gateway(gateway);
  for (const IpAddress& resolver : config_.resolvers)
    segment_.add_resolver(resolver);
  for (std::size_t i = 0; i < config_.own_hosts.size() && i < config_.addresses.size(); ++i) {
    const IpAddress& address = config_.own_hosts[i];
    const unsigned bits = config_.addresses[i].bits();
    claim(address, address.is_v4() ? bits - 96 : bits, Origin::fixed, kLatest, now);
  }
  if (wants_lease_) dhcp_->start(now);
  if (wants_prefixes_) solicit_at_ = now;
}

void Addresses::own(const IpAddress& address, unsigned prefix_length, bool by_kernel) {
  Segment::OwnAddress made;
  made.address = address;
  made.prefix_length = prefix_length;
  made.kernel_owned = by_kernel;
  made.link_local = address.is_link_local();
  segment_.add_own(made);
  hooks_.changed();
}

void Addresses::claim(const IpAddress& address, unsigned prefix_length, Origin origin,
                      Timestamp valid_until, Timestamp now) {
  Claim made;
  made.address = address;
  made.prefix_length = prefix_length;
  made.origin = origin;
  made.valid_until = valid_until;
  made.next = now;
  if (kernel_owns(address)) {
    // Its answer to our question would be the kernel's: nobody else has it.
    own(address, prefix_length, true);
    hooks_.say("address " + with_length(address, prefix_length) +
               " is the kernel's: what needs an address of the probe's own is not tried");
    if (origin == Origin::dhcp) dhcp_->confirm();
    return;
  }
  // Without broadcasts nobody can be asked: whoever configures that answers for its addresses.
  const bool may_ask = config_.broadcasts_a_minute > 0 || origin != Origin::fixed;
  made.questions_left = !may_ask ? 0 : address.is_v4() ? kProbes : kSolicitations;
  claims_.push_back(made);
}

void Addresses::ask(const IpAddress& address) {
  const auto at = std::find_if(claims_.begin(), claims_.end(),
                               [&](const Claim& other) { return other.address == address; });
  if (at == claims_.end()) return;
  Claim& claim = *at;
  --claim.questions_left;
  claim.question_waits = true;
  const Duration after = !claim.address.is_v4()
                             ? Duration(kAfterSolicitation)
                             : Duration(claim.questions_left > 0 ? kBetweenProbes : kAfterProbes);
  Outgoing out;
  out.frame = ask_for_mac(facts_.mac, claim.address.is_v4() ? IpAddress::v4(0) : IpAddress(),
                          claim.address);
  out.done = [this, after, address](const std::string& why, Timestamp then) {
    for (Claim& waiting : claims_) {
      if (waiting.address != address) continue;
      waiting.question_waits = false;
      waiting.next = then + after;
    }
    if (why.empty()) return;
    std::erase_if(claims_, [&](const Claim& other) { return other.address == address; });
    hooks_.say("address " + address.to_string() + " is not used: " + why);
    if (address == leased_) {
      leased_ = {};
      dhcp_->decline(then);
    }
  };
  hooks_.emit(std::move(out));
}

void Addresses::take(const Claim& claim, Timestamp now) {
  held_.push_back({claim.address, claim.prefix_length, claim.origin, claim.valid_until});
  own(claim.address, claim.prefix_length, false);
  const char* const by = claim.origin == Origin::fixed  ? " as configured"
                         : claim.origin == Origin::dhcp ? " by DHCP"
                                                        : " by router advertisement";
  hooks_.say("address " + with_length(claim.address, claim.prefix_length) + by);
  if (claim.origin == Origin::dhcp) dhcp_->confirm();
  if (claim.origin == Origin::advertised) collisions_ = 0;
  if (claim.address.is_v4()) {
    // One announcement where RFC 5227 has two: broadcasts are dear.
    Outgoing out;
    out.frame = ask_for_mac(facts_.mac, claim.address, claim.address);
    hooks_.emit(std::move(out));
  }
  static_cast<void>(now);
}

void Addresses::heard(const Frame& frame, Timestamp now) {
  now_ = now;
  if (frame.vlan_tags > 0) return;
  look_for_conflict(frame, now);
  if (frame.kind != Frame::Kind::ip) return;
  dhcp_->heard(frame, now);
  if (wants_prefixes_) {
    if (const auto said = read_router_advertisement(frame)) heard_router(*said, now);
  }
}

void Addresses::look_for_conflict(const Frame& frame, Timestamp now) {
  if (frame.source == facts_.mac) return;  // ours, come back by a loop
  if (frame.kind == Frame::Kind::arp) {
    if (frame.arp.sender_mac == facts_.mac) return;
    conflict(frame.arp.sender, frame.arp.sender_mac, now);
    // Another host probes for the address that we are asking for.
    const bool asks_as_well = std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
      return claim.address == frame.arp.target;
    });
    if (frame.arp.sender.is_unspecified() && asks_as_well) {
      conflict(frame.arp.target, frame.arp.sender_mac, now);
    }
    return;
  }
  const auto message = read_neighbour_message(frame);
  if (!message) return;
  const bool asks_as_well = std::any_of(claims_.begin(), claims_.end(), [&](const Claim& claim) {
    return claim.address == message->target;
  });
  if (message->advertises || (is_unset(frame.ip_source) && asks_as_well)) {
    conflict(message->target, message->link_layer.value_or(frame.source), now);
  }
}

void Addresses::conflict(const IpAddress& address, const MacAddress& with, Timestamp now) {
  Claim lost;
  const auto claimed = std::find_if(claims_.begin(), claims_.end(),
                                    [&](const Claim& claim) { return claim.address == address; });
  const auto held = std::find_if(held_.begin(), held_.end(),
                                 [&](const Held& own) { return own.address == address; });
  if (claimed != claims_.end()) {
    lost = *claimed;
    claims_.erase(claimed);
  } else if (held != held_.end()) {
    lost.prefix_length = held->prefix_length;
    lost.origin = held->origin;
    lost.valid_until = held->valid_until;
    lost.address = address;
    held_.erase(held);
    segment_.remove_own(address);
    hooks_.changed();
  } else {
    return;
  }
  hooks_.say("address " + lost.address.to_string() + " given up: " + with.to_string() + " has it");
  if (lost.origin == Origin::dhcp) {
    leased_ = {};
    dhcp_->decline(now);
  } else if (lost.origin == Origin::fixed) {
    again_.push_back({lost.address, lost.prefix_length, now + kStaticAgain});
  }
  // A prefix gets another interface id at the router's next advertisement.
  if (lost.origin == Origin::advertised) {
    ++collisions_;
    solicit_at_ = collisions_ < kMostCollisions ? now : kLatest;
    router_heard_ = collisions_ >= kMostCollisions;
    solicitations_ = 0;
  }
}

void Addresses::granted(const DhcpReply& lease, Timestamp now) {
  forget_lease();
  told_ = lease;
  leased_ = lease.address;
  for (const IpAddress& router : lease.routers)
    segment_.add_gateway(router);
  for (const IpAddress& resolver : lease.resolvers)
    segment_.add_resolver(resolver);
  if (!lease.wpad.empty()) segment_.set_wpad(lease.wpad);
  claim(lease.address, lease.prefix_length, Origin::dhcp, kLatest, now);
}

// What a lease said holds as long as it does.
void Addresses::forget_lease() {
  const auto is_told = [](const std::vector<IpAddress>& list, const IpAddress& address) {
    return std::find(list.begin(), list.end(), address) != list.end();
  };
  for (const IpAddress& router : told_.routers)
    if (!is_told(config_.gateways, router)) segment_.forget_gateway(router);
  for (const IpAddress& resolver : told_.resolvers)
    if (!is_told(config_.resolvers, resolver)) segment_.forget_resolver(resolver);
  if (!told_.wpad.empty()) segment_.set_wpad({});
  told_ = {};
}

void Addresses::give_up_lease(const std::string& why) {
  forget_lease();
  std::erase_if(claims_, [](const Claim& claim) { return claim.origin == Origin::dhcp; });
  std::erase_if(held_, [](const Held& held) { return held.origin == Origin::dhcp; });
  segment_.remove_own(leased_);
  hooks_.changed();
  hooks_.say("address " + leased_.to_string() + " given up: " + why);
  leased_ = {};
}

void Addresses::heard_router(const RouterAdvertisement& said, Timestamp now) {
  if (said.lifetime_seconds > 0) router_heard_ = true;
  for (const RouterAdvertisement::Prefix& prefix : said.prefixes) {
    if (!prefix.autonomous || prefix.length != 64 || prefix.network.is_v4()) continue;
    const Timestamp until = prefix.valid_seconds == 0xffffffffU
                                ? kLatest
                                : std::min(kLatest, now + seconds{prefix.valid_seconds});
    const auto is_of = [&](const auto& own) {
      return own.origin == Origin::advertised && own.address.masked(64) == prefix.network;
    };
    const auto held = std::find_if(held_.begin(), held_.end(), is_of);
    if (held != held_.end()) {
      held->valid_until = until;
      continue;
    }
    if (prefix.valid_seconds == 0 || collisions_ >= kMostCollisions ||
        std::any_of(claims_.begin(), claims_.end(), is_of) ||
        static_cast<std::size_t>(
            std::count_if(held_.begin(), held_.end(),
                          [](const Held& own) { return own.origin == Origin::advertised; })) +
                claims_.size() >=
            kMostPrefixes) {
      continue;
    }
    std::array<std::uint8_t, 16> bytes = prefix.network.bytes();
    for (std::size_t at = 8; at < 16; ++at)
      bytes[at] = static_cast<std::uint8_t>(hooks_.random());
    // No reserved identifier: neither the subnet's router nor RFC 2526's anycast.
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0xfc) | 0x10);
    claim(IpAddress::v6_bytes(bytes.data()), 64, Origin::advertised, until, now);
  }
}

void Addresses::solicit_routers(Timestamp now) {
  if (router_heard_ || solicitation_waits_ || now < solicit_at_) return;
  if (solicitations_ >= kMostRouterQuestions) {
    solicit_at_ = kLatest;
    return;
  }
  ++solicitations_;
  solicitation_waits_ = true;
  Outgoing out;
  out.frame = router_solicitation(facts_.mac);
  out.done = [this](const std::string&, Timestamp then) {
    solicitation_waits_ = false;
    solicit_at_ = then + kBetweenRouterQuestions;
  };
  hooks_.emit(std::move(out));
}

void Addresses::expire(Timestamp now) {
  for (std::size_t i = 0; i < held_.size();) {
    if (held_[i].valid_until > now) {
      ++i;
      continue;
    }
    segment_.remove_own(held_[i].address);
    hooks_.say("address " + held_[i].address.to_string() +
               " given up: its prefix is no longer valid");
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    hooks_.changed();
  }
}

void Addresses::poll(Timestamp now) {
  now_ = now;
  dhcp_->poll(now);
  if (wants_prefixes_) solicit_routers(now);
  expire(now);
  for (std::size_t i = 0; i < again_.size(); ++i) {
    if (now < again_[i].when) continue;
    const Later again = again_[i];
    again_.erase(again_.begin() + static_cast<std::ptrdiff_t>(i--));
    claim(again.address, again.prefix_length, Origin::fixed, kLatest, now);
  }
  std::vector<Claim> taken;
  std::vector<IpAddress> asked;  // a question may come to its end at once, and its claim with it
  for (const Claim& claim : claims_) {
    if (claim.question_waits || now < claim.next) continue;
    if (claim.questions_left > 0) {
      asked.push_back(claim.address);
    } else {
      taken.push_back(claim);
    }
  }
  for (const IpAddress& address : asked)
    ask(address);
  for (const Claim& claim : taken) {
    std::erase_if(claims_, [&](const Claim& other) { return other.address == claim.address; });
    take(claim, now);
  }
  if (!from_kernel_ && is_settled()) take_from_kernel();
  if (from_kernel_) borrow();
}

// Without any IPv4 address, from what was heard: the neighbour of whom we last heard, no gateway.
void Addresses::borrow() {
  if (config_.profile != Profile::lab) return;
  const auto& own_now = segment_.own();
  const bool has_own = std::any_of(own_now.begin(), own_now.end(), [](const auto& own) {
    return own.address.is_v4() && !own.borrowed;
  });
  if (has_own && borrowed_ != IpAddress()) {
    segment_.remove_own(borrowed_);
    borrowed_ = {};
    hooks_.changed();
  }
  if (has_own || borrowed_ != IpAddress()) return;
  std::optional<Segment::Neighbour> last;
  for (const Segment::Neighbour& neighbour : segment_.neighbours()) {
    if (!neighbour.address.is_v4() || neighbour.router) continue;
    if (!last || neighbour.heard > last->heard) last = neighbour;
  }
  if (!last) return;
  borrowed_ = last->address;
  Segment::OwnAddress made;
  made.address = borrowed_;
  made.kernel_owned = made.borrowed = true;  // answers go to its owner
  segment_.add_own(made);
  hooks_.changed();
  hooks_.say("address " + borrowed_.to_string() + " is borrowed from " + last->mac.to_string() +
             ": there is none of our own");
}

// Where nothing else was to be had of a family, the kernel's address serves for what does not need
// one of our own.
void Addresses::take_from_kernel() {
  from_kernel_ = true;
  for (const bool v4 : {true, false}) {
    const auto& own_now = segment_.own();
    if (std::any_of(own_now.begin(), own_now.end(),
                    [&](const Segment::OwnAddress& own) { return own.address.is_v4() == v4; })) {
      continue;
    }
    for (std::size_t i = 0; i < facts_.kernel_addresses.size(); ++i) {
      const IpAddress& address = facts_.kernel_addresses[i];
      if (address.is_v4() != v4 || address.is_link_local()) continue;
      const unsigned length =
          i < facts_.kernel_prefixes.size() ? facts_.kernel_prefixes[i] : (v4 ? 24U : 64U);
      own(address, length, true);
      hooks_.say("address " + with_length(address, length) +
                 " is the kernel's: what needs an address of the probe's own is not tried");
      if (v4) {
        for (const IpAddress& gateway : facts_.kernel_gateways)
          segment_.add_gateway(gateway);
      }
      break;
    }
  }
}

bool Addresses::is_settled() const {
  if (!claims_.empty()) return false;
  if (wants_lease_ && !dhcp_->has_lease() && leased_ == IpAddress() &&
      dhcp_->unanswered() <= kDiscoveriesToSettle) {
    return false;
  }
  return !wants_prefixes_ || router_heard_ || solicitations_ >= kMostRouterQuestions;
}

Timestamp Addresses::due() const {
  Timestamp soonest = dhcp_->due();
  if (wants_prefixes_ && !router_heard_ && !solicitation_waits_) {
    soonest = std::min(soonest, solicit_at_);
  }
  for (const Claim& claim : claims_)
    if (!claim.question_waits) soonest = std::min(soonest, claim.next);
  for (const Held& held : held_)
    soonest = std::min(soonest, held.valid_until);
  for (const Later& again : again_)
    soonest = std::min(soonest, again.when);
  return soonest;
}

}  // namespace beaconry
