#include "escape/stack/next_hops.h"

#include <algorithm>

#include "escape/stack/frame.h"
#include "escape/stack/solicit.h"

namespace beaconry {
namespace {

constexpr std::chrono::seconds kBetweenQuestions{1};
constexpr std::chrono::minutes kFreshFor{5};
constexpr std::chrono::seconds kSilentFor{30};
constexpr std::size_t kMostSilent = 1024;

}  // namespace

NextHops::NextHops(const Segment& segment, const MacAddress& ours, Hooks hooks)
    : segment_(segment), ours_(ours), hooks_(std::move(hooks)) {}

std::optional<MacAddress> NextHops::fresh(const IpAddress& hop, Timestamp now) const {
  const auto neighbour = segment_.neighbour(hop);
  if (!neighbour || now - neighbour->heard > kFreshFor) return std::nullopt;
  return neighbour->mac;
}

Timestamp NextHops::silent_until(const IpAddress& hop) const {
  const auto silent = silent_.find(hop);
  return silent == silent_.end() ? Timestamp{} : silent->second;
}

void NextHops::send(const IpAddress& hop, Outgoing out, Timestamp now) {
  if (const auto mac = fresh(hop, now)) {
    out.frame = ethernet(*mac, ours_, hop.is_v4() ? kEtherIpv4 : kEtherIpv6, out.frame);
    return hooks_.emit(std::move(out));
  }
  if (packets_ >= kMostPackets) return out.finish("too many packets wait for next hops", now);
  if (silent_until(hop) > now) {
    return out.finish("the next hop " + hop.to_string() + " does not answer", now);
  }
  resolve(hop, now);
  const auto asked = asked_.find(hop);
  if (asked == asked_.end()) {
    return out.finish("the next hop " + hop.to_string() + " cannot be asked", now);
  }
  asked->second.packets.push_back(std::move(out));
  ++packets_;
}

void NextHops::resolve(const IpAddress& hop, Timestamp now, int questions) {
  if (fresh(hop, now) || asked_.contains(hop) || asked_.size() >= kMostHops) return;
  if (!segment_.own_for(hop)) return;
  Asked& asked = asked_[hop];
  asked.questions_left = questions;
  ask(hop, asked, now);
}

void NextHops::ask(const IpAddress& hop, Asked& asked, Timestamp now) {
  const auto own = segment_.own_for(hop);
  --asked.questions_left;
  asked.question_waits = true;
  asked.next = kLatest;
  Outgoing out;
  // A borrowed address must not come into others' tables with our MAC.
  out.frame = ask_for_mac(ours_, own && !own->borrowed ? own->address : IpAddress::v4(0), hop);
  out.done = [this, hop](const std::string& why, Timestamp then) {
    const auto at = asked_.find(hop);
    if (at == asked_.end()) return;
    at->second.question_waits = false;
    at->second.next = then + kBetweenQuestions;
    if (!why.empty()) give_up(hop, why, then);
  };
  hooks_.emit(std::move(out));
  static_cast<void>(now);
}

void NextHops::give_up(const IpAddress& hop, const std::string& why, Timestamp now) {
  auto node = asked_.extract(hop);
  if (node.empty()) return;
  if (silent_.size() >= kMostSilent) silent_.clear();
  silent_[hop] = now + kSilentFor;
  packets_ -= node.mapped().packets.size();
  for (Outgoing& out : node.mapped().packets)
    out.finish(why, now);
}

void NextHops::poll(Timestamp now) {
  std::vector<IpAddress> known, over, again;
  for (auto& [hop, asked] : asked_) {
    if (fresh(hop, now)) {
      known.push_back(hop);
    } else if (!asked.question_waits && now >= asked.next) {
      (asked.questions_left > 0 ? again : over).push_back(hop);
    }
  }
  for (const IpAddress& hop : known) {
    auto node = asked_.extract(hop);
    silent_.erase(hop);
    packets_ -= node.mapped().packets.size();
    for (Outgoing& out : node.mapped().packets)
      send(hop, std::move(out), now);
  }
  for (const IpAddress& hop : again)
    ask(hop, asked_.at(hop), now);
  for (const IpAddress& hop : over)
    give_up(hop, "the next hop " + hop.to_string() + " does not answer", now);
}

Timestamp NextHops::due() const {
  Timestamp soonest = kLatest;
  for (const auto& [hop, asked] : asked_)
    soonest = std::min(soonest, asked.next);
  return soonest;
}

}  // namespace beaconry
