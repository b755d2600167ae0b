#include "escape/probe.h"

#include <sys/random.h>

#include <algorithm>
#include <list>
#include <map>

#include "escape/attempt.h"
#include "escape/journal.h"
#include "escape/neighbour_sweep.h"
#include "escape/outbox.h"
#include "escape/recent_tries.h"
#include "escape/reply_search.h"
#include "escape/stack/addresses.h"
#include "escape/stack/next_hops.h"
#include "escape/stack/responder.h"
#include "ping/key_ring.h"
#include "ping/replay_window.h"

namespace beaconry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMostConversations = 16, kMostAttempts = 64;
// The plan is asked only while so little waits: what was taken is never lost to a full queue.
constexpr std::size_t kShortQueue = 4, kFewUnresolved = 8, kMostAsked = 32;
constexpr int kMostFramesATurn = 256, kMostTurns = 64;
constexpr milliseconds kLongestWait{250};
constexpr seconds kForLateAnswers{2}, kBetweenComplaints{60}, kLongestFirstSweep{60},
    kLongestAcquiring{240};

class Loop final : public Probe, public AttemptHost {
 public:
  Loop(Options options, Link& link, ProbeEvidence& evidence, PartyKeys keys, SharedKey home_key)
      : options_(std::move(options)),
        config_(options_.config),
        link_(link),
        keys_(std::move(keys)),
        home_key_(std::move(home_key)),
        egress_(config_, link),
        hops_(segment_, link.facts().mac, {[this](Outgoing out) { put(std::move(out)); }}),
        addresses_(config_, link.facts(), segment_, client_id(keys_.id()), address_hooks()),
        plan_(config_, segment_, egress_, place_in(evidence)),
        sweep_(config_),
        journal_(evidence, options_.say),
        sequence_(evidence.last_sequence()),
        known_time_(evidence.last_time()) {
    if (config_.profile == Profile::ot) segment_.believe_only_routers();
    egress_.follow(&segment_);
  }

  Result<void> add_peers() {
    std::vector<KnownProbe> known;
    for (const Peer& peer : config_.peers) {
      auto key = SharedKey::make(keys_, peer.key);
      if (!key) return tl::unexpected(key.error());
      peer_keys_.emplace(peer.address, std::move(*key));
      known.push_back({probe_id(peer.key), peer.name, peer.key, {}, false});
    }
    if (!config_.listen || known.empty()) return {};
    auto ring = KeyRing::make(keys_, std::move(known));
    if (!ring) return tl::unexpected(ring.error());
    peers_.emplace(std::move(*ring));
    return {};
  }

  Result<void> run() override;
  const Segment& segment() const override { return segment_; }
  const Egress::Counters& counters() const override { return egress_.counters(); }
  std::uint64_t unheard() const override { return link_.drops(); }
  std::vector<MethodResult> results() const override { return journal_.results(); }

 private:
  enum class Phase : std::uint8_t {
    acquiring,  // addresses
    meeting,    // next hops and neighbours
    running,
  };

  // Its own, so that a server does not take us for the host; stable, so that the lease is.
  static Bytes client_id(ProbeId id) {
    Bytes made{0};
    for (const char c : "beaconry-" + id.to_string())
      made.push_back(static_cast<std::uint8_t>(c));
    return made;
  }
  static Plan::Place place_in(const ProbeEvidence& evidence) {
    Plan::Place place;
    place.short_cycle = evidence.last_cycle(CycleKind::short_cycle);
    place.long_cycle = evidence.last_cycle(CycleKind::long_cycle);
    place.long_done = evidence.long_done();
    place.long_method = evidence.long_method();
    return place;
  }
  Addresses::Hooks address_hooks() {
    return {[this](Outgoing out) { put(std::move(out)); },
            [this](const std::string& words) { journal_.note(words, wall_); },
            [this] { return random(); },
            [this] {
              std::vector<IpAddress> own;
              for (const Segment::OwnAddress& of : segment_.own())
                if (!of.borrowed) own.push_back(of.address);
              egress_.set_own(std::move(own));
            }};
  }

  // AttemptHost
  const ProbeConfig& config() const override { return config_; }
  const InterfaceFacts& facts() const override { return link_.facts(); }
  Timestamp now() const override { return now_; }
  Timestamp time_of_day() const override { return wall_; }
  ProbeId id() const override { return keys_.id(); }
  std::uint32_t random() override {
    std::uint32_t value = 0;
    static_cast<void>(::getentropy(&value, sizeof value));
    return value;
  }
  const SharedKey& key_for(const Try& made) const override {
    if (made.method->id != MethodId::zone) return home_key_;
    const auto peer = peer_keys_.find(made.target.destination);
    return peer == peer_keys_.end() ? home_key_ : peer->second;
  }
  void put(Outgoing out) override { outbox_.put(std::move(out), now_); }
  void put_ip(Outgoing packet, const IpAddress& destination, const IpAddress& hop) override;
  bool claim_port(std::uint8_t protocol, std::uint16_t port, Attempt& by) override {
    return ports_.try_emplace({protocol, port}, &by).second;
  }
  void left(Attempt& attempt) override {
    last_left_ = now_;
    const Try& made = attempt.current();
    // The third leg is of a try that is known.
    if (made.leg != Leg::outbound) return;
    recent_.add(made);
    journal_.tried(made, wall_);
  }
  void answered(Attempt& attempt) override {
    if (recent_.answer(attempt.current().sequence) != nullptr) {
      journal_.answered(attempt.current(), wall_);
    }
  }

  IpAddress next_hop_to(const IpAddress& destination) const;
  void work();
  void prepare();
  void sweep_in_background();
  bool may_take() const;
  void take_tries();
  void start(const Try& made);
  void tell_news();
  void retire_attempts();
  void hear(ByteView bytes);
  bool may_answer_all();
  void tell_drops();
  void hear_packet(const Frame& frame);
  void hear_ping(const Frame& frame);
  bool take_ping(const Frame& frame, ByteView sealed);
  void read_clocks();
  bool must_be_silent() const;
  void fall_silent();
  bool is_finished() const;
  milliseconds wait() const;

  Options options_;
  ProbeConfig& config_;
  Link& link_;
  PartyKeys keys_;
  SharedKey home_key_;
  std::map<IpAddress, SharedKey> peer_keys_;
  std::optional<KeyRing> peers_;
  ReplayWindow heard_;
  Segment segment_;
  Egress egress_;
  Outbox outbox_;
  NextHops hops_;
  Addresses addresses_;
  Plan plan_;
  NeighbourSweep sweep_;
  Journal journal_;
  RecentTries recent_;
  std::list<std::unique_ptr<Attempt>> attempts_;
  std::map<std::pair<std::uint8_t, std::uint16_t>, Attempt*> ports_;
  struct Completed {
    CycleKind kind{};
    std::uint32_t cycle = 0;
    std::uint64_t last_sequence = 0;
  };
  std::vector<Completed> completed_;  // told once their last try is over
  std::uint64_t sequence_ = 0;
  Phase phase_ = Phase::acquiring;
  const Timestamp known_time_;  // of the record
  Timestamp wall_{};            // the time of day
  // What waits, waits by now_, which begins at the time of day and never jumps.
  Timestamp began_{}, now_{}, hold_until_{}, last_left_{}, complained_{}, swept_{}, met_until_{};
  Timestamp answered_all_{}, counted_{};
  std::uint64_t told_drops_ = 0;
  Duration elapsed_{};  // at the beginning
  bool silent_ = false;
};

void Loop::put_ip(Outgoing packet, const IpAddress& destination, const IpAddress& hop) {
  const std::uint16_t type = destination.is_v4() ? kEtherIpv4 : kEtherIpv6;
  if (hop == IpAddress() && (destination.is_multicast() || destination.is_broadcast())) {
    packet.frame = ethernet(multicast_mac(destination), link_.facts().mac, type, packet.frame);
    return put(std::move(packet));
  }
  hops_.send(hop == IpAddress() ? next_hop_to(destination) : hop, std::move(packet), now_);
}

IpAddress Loop::next_hop_to(const IpAddress& destination) const {
  if (segment_.is_on_link(destination)) return destination;
  // One that was heard lately; or else one that was not asked in vain, or the longest ago.
  const IpAddress* best = nullptr;
  Timestamp best_failed{};
  for (const IpAddress& gateway : segment_.gateways()) {
    if (gateway.is_v4() != destination.is_v4()) continue;
    if (hops_.is_fresh(gateway, now_)) return gateway;
    const Timestamp failed = hops_.silent_until(gateway);
    if (best != nullptr && failed >= best_failed) continue;
    best = &gateway;
    best_failed = failed;
  }
  // Where nobody routes, somebody may still answer for the destination itself: proxy ARP.
  return best == nullptr ? destination : *best;
}

bool Loop::may_take() const {
  if (phase_ != Phase::running || now_ < hold_until_) return false;
  if (options_.once && plan_.completed_a_short_cycle()) return false;
  const auto talking = static_cast<std::size_t>(std::count_if(
      attempts_.begin(), attempts_.end(), [](const auto& made) { return made->talks(); }));
  return outbox_.own() < kShortQueue && hops_.waiting() < kFewUnresolved &&
         talking < kMostConversations && attempts_.size() < kMostAttempts;
}

void Loop::take_tries() {
  while (may_take()) {
    const std::optional<Plan::Next> next = plan_.next(now_);
    tell_news();
    if (!next) return;
    Try made;
    made.method = next->method;
    made.target = next->target;
    made.sequence = ++sequence_;
    made.cycle_kind = next->kind;
    made.cycle = next->cycle;
    start(made);
  }
}

void Loop::start(const Try& made) {
  attempts_.push_back(std::make_unique<Attempt>(*this, made));
  attempts_.back()->start();
}

void Loop::tell_news() {
  Plan::News news = plan_.take_news();
  for (const auto& [kind, cycle] : news.begun) {
    journal_.began(kind, cycle, wall_);
    // Who came since the last one is found, too.
    if (kind == CycleKind::long_cycle) sweep_.begin_anew();
  }
  for (const Plan::Skipped& skipped : news.skipped)
    journal_.skipped(skipped.method, skipped.kind, skipped.cycle, skipped.why, wall_);
  for (const auto& [kind, cycle] : news.completed)
    completed_.push_back({kind, cycle, sequence_});
}

void Loop::retire_attempts() {
  std::uint64_t oldest = ~std::uint64_t{0};
  for (auto at = attempts_.begin(); at != attempts_.end();) {
    Attempt& attempt = **at;
    attempt.poll();
    if (!attempt.is_over()) {
      oldest = std::min(oldest, attempt.current().sequence);
      ++at;
      continue;
    }
    const Try& made = attempt.current();
    if (!attempt.has_left() && made.leg == Leg::outbound) {
      journal_.skipped(made.method->id, made.cycle_kind, made.cycle,
                       attempt.failure().empty() ? "it had nothing to send" : attempt.failure(),
                       wall_);
      // A try that could not be made takes the time of one packet, so that a network without a way
      // out does not run through the plan at once.
      hold_until_ = now_ + Duration(static_cast<std::int64_t>(
                               1e6 / std::clamp(config_.packets_a_second, 0.01, 1e6)));
    }
    std::erase_if(ports_, [&](const auto& port) { return port.second == &attempt; });
    at = attempts_.erase(at);
  }
  for (std::size_t i = 0; i < completed_.size();) {
    if (completed_[i].last_sequence >= oldest) {
      ++i;
      continue;
    }
    journal_.completed(completed_[i].kind, completed_[i].cycle, wall_);
    completed_.erase(completed_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void Loop::prepare() {
  if (phase_ == Phase::running) return sweep_in_background();
  if (phase_ == Phase::acquiring) {
    if (!addresses_.is_settled() && now_ < began_ + kLongestAcquiring) return;
    phase_ = Phase::meeting;
    met_until_ = now_ + kLongestFirstSweep;
    for (const IpAddress& address : sweep_.named(segment_))
      hops_.resolve(address, now_);
  }
  // A small network in a generous budget is asked through before the first cycle.
  const double a_minute = std::min(config_.broadcasts_a_minute, config_.packets_a_second * 60);
  const bool soon = static_cast<double>(sweep_.left(segment_)) < a_minute && now_ < met_until_;
  while (soon && outbox_.own() < kShortQueue && hops_.asking() < kMostAsked) {
    const auto next = sweep_.next(segment_);
    if (!next) break;
    hops_.resolve(*next, now_, 1);
  }
  if (hops_.asking() > 0 || outbox_.own() > 0) return;
  phase_ = Phase::running;
  swept_ = now_;
}

// At most half of the broadcasts.
void Loop::sweep_in_background() {
  if (hops_.asking() > 0 || outbox_.own() > 0 || config_.broadcasts_a_minute <= 0) return;
  const Duration every(static_cast<std::int64_t>(120e6 / config_.broadcasts_a_minute));
  if (now_ < swept_ + every) return;
  swept_ = now_;
  if (const auto next = sweep_.next(segment_)) hops_.resolve(*next, now_, 1);
}

void Loop::work() {
  for (int turn = 0; turn < kMostTurns; ++turn) {
    const std::uint64_t before = egress_.counters().frames;
    addresses_.poll(now_);
    hops_.poll(now_);
    prepare();
    retire_attempts();
    take_tries();
    const std::string complaint = outbox_.pump(egress_, now_);
    if (!complaint.empty() && now_ >= complained_ + kBetweenComplaints) {
      complained_ = now_;
      journal_.note("link " + complaint, wall_);
    }
    if (egress_.counters().frames == before) break;
  }
  retire_attempts();
  journal_.seal_hourly(wall_);
  tell_drops();
}

void Loop::tell_drops() {
  if (counted_ == Timestamp{}) counted_ = now_;
  if (now_ < counted_ + std::chrono::hours{1}) return;
  counted_ = now_;
  const std::uint64_t drops = link_.drops();
  if (drops > told_drops_) {
    journal_.note("unheard " + std::to_string(drops - told_drops_) +
                      " frames in the last hour: the kernel had no room for them",
                  wall_);
  }
  told_drops_ = drops;
}

void Loop::hear(ByteView bytes) {
  segment_.learn(bytes, now_);
  const std::optional<Frame> frame = read_frame(bytes);
  if (!frame || frame->vlan_tags > 0) return;
  addresses_.heard(*frame, now_);
  if (auto answer = answer_to(*frame, link_.facts().mac, segment_);
      answer && (((*answer)[0] & 1) == 0 || may_answer_all())) {
    Outgoing out;
    out.frame = std::move(*answer);
    out.rank = Outgoing::Rank::answer;
    put(std::move(out));
  }
  const bool for_us =
      segment_.is_own(frame->ip_destination) || frame->destination == link_.facts().mac;
  if (frame->kind == Frame::Kind::ip && for_us) hear_packet(*frame);
}

// Of the broadcasts' budget, others may use up half.
bool Loop::may_answer_all() {
  if (config_.broadcasts_a_minute <= 0) return false;
  const Duration every(static_cast<std::int64_t>(120e6 / config_.broadcasts_a_minute));
  if (answered_all_ != Timestamp{} && now_ < answered_all_ + every) return false;
  answered_all_ = now_;
  return true;
}

void Loop::hear_packet(const Frame& frame) {
  if (frame.fragment == kWhole && segment_.is_own(frame.ip_destination)) {
    const auto port = ports_.find({frame.protocol, frame.destination_port});
    if (port != ports_.end() && port->second->arrived(frame)) return;
  }
  hear_ping(frame);
}

void Loop::hear_ping(const Frame& frame) {
  ByteView rest = frame.packet;
  for (int i = 0; i < kMostCandidates; ++i) {
    const auto found = find_ping(rest);
    if (!found || take_ping(frame, found->sealed)) return;
    rest = rest.subspan(found->end);
  }
}

// False: others may follow in the packet.
bool Loop::take_ping(const Frame& frame, ByteView sealed) {
  if (const auto reply = open_sealed(sealed, home_key_)) {
    // Our own pings come back as well, in others' errors and echoes.
    if (reply->leg != Leg::reply || reply->probe != id()) return false;
    const Try* const known = recent_.answer(reply->sequence);
    if (known == nullptr) return false;
    Try made = *known;
    journal_.answered(made, wall_);
    made.leg = Leg::confirmed;
    if (attempts_.size() < kMostAttempts) start(made);
    return true;
  }
  if (!peers_) return false;
  const auto opened = peers_->open(sealed, wall_);
  if (!opened || opened->ping.probe != opened->probe->id || opened->ping.leg == Leg::reply) {
    return false;
  }
  if (heard_.add(opened->ping.probe, opened->ping.sequence, opened->ping.leg)) {
    journal_.heard(opened->probe->name, opened->ping, frame.ip_source, wall_);
  }
  return true;
}

void Loop::fall_silent() {
  if (silent_) return;
  silent_ = true;
  for (const auto& attempt : attempts_)
    attempt->abandon();
  outbox_.drop_all("the end date is past", now_);
  journal_.note("silent the end date " + to_rfc3339(*config_.end) + " is past", wall_);
  journal_.ended(std::max(now_, wall_));  // not before the end date
}

bool Loop::is_finished() const {
  return options_.once && plan_.completed_a_short_cycle() && attempts_.empty() &&
         outbox_.own() == 0 && completed_.empty() && now_ >= last_left_ + kForLateAnswers;
}

milliseconds Loop::wait() const {
  Timestamp due = std::min({addresses_.due(), hops_.due(), outbox_.due()});
  for (const auto& attempt : attempts_)
    due = std::min(due, attempt->due());
  if (may_take()) due = std::min(due, plan_.due());
  if (now_ < hold_until_) due = std::min(due, hold_until_);
  const auto left = std::chrono::ceil<milliseconds>(due - now_);
  return std::clamp(left, milliseconds{0}, kLongestWait);
}

void Loop::read_clocks() {
  wall_ = options_.clock();
  now_ = options_.elapsed ? began_ + (options_.elapsed() - elapsed_) : wall_;
}

// By whichever clock says so first, and for good: none that is set back begins anew.
bool Loop::must_be_silent() const {
  return silent_ || egress_.has_ended(std::max(now_, wall_));
}

Result<void> Loop::run() {
  // A record knows a later time than a clock that was set back.
  began_ = std::max(options_.clock(), known_time_);
  if (options_.elapsed) elapsed_ = options_.elapsed();
  read_clocks();
  if (egress_.has_ended(began_)) {
    fall_silent();
  } else if (!must_be_silent()) {
    addresses_.start(now_);
  }
  while (!options_.stopping()) {
    read_clocks();
    if (must_be_silent()) {
      fall_silent();
      if (options_.once) return {};
      if (auto unheeded = link_.receive(seconds{1}); !unheeded) return {};
      continue;
    }
    work();
    if (is_finished()) break;
    auto frame = link_.receive(wait());
    for (int i = 0; frame && *frame && i < kMostFramesATurn; ++i) {
      read_clocks();
      if (!must_be_silent()) hear(**frame);
      frame = link_.receive(milliseconds{0});
    }
    if (!frame) return tl::unexpected(frame.error());
  }
  if (!silent_) journal_.ended(options_.clock());
  return {};
}

}  // namespace

Result<std::unique_ptr<Probe>> Probe::make(Options options, Link& link, ProbeEvidence& evidence) {
  PartyKeys keys(options.config.seed);
  auto home_key = SharedKey::make(keys, options.config.home.key);
  if (!home_key) return tl::unexpected(home_key.error());
  if (options.once) options.config.long_cycle = false;
  auto loop = std::make_unique<Loop>(std::move(options), link, evidence, std::move(keys),
                                     std::move(*home_key));
  if (auto added = loop->add_peers(); !added) return tl::unexpected(added.error());
  return loop;
}

}  // namespace beaconry
