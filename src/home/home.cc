#include "home/home.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "home/control_socket.h"
#include "home/home_status.h"
#include "home/new_paths.h"
#include "home/sightings.h"
#include "home/used_ports.h"
#include "packet/parse.h"

namespace beaconry {
namespace {

constexpr std::size_t kBatch = 4096;          // observations
constexpr std::size_t kMostPending = 20'000;  // while the spool takes nothing
constexpr std::size_t kRepeatsAMinute = 600;
constexpr double kMinute = 60;
constexpr std::string_view kReceivers[Sightings::kMostReceivers - 1] = {
    "sniffer", "udp", "tcp", "dns", "tls", "http", "control"};

std::size_t place_of(std::string_view receiver) {
  return static_cast<std::size_t>(
      std::find(std::begin(kReceivers), std::end(kReceivers), receiver) - std::begin(kReceivers));
}

// Of spoof-ttl: UDP, TCP SYN, ICMP echo.
std::uint8_t ttl_variant(BounceForm sent_as) {
  if (sent_as == BounceForm::closed_port) return 0;
  return sent_as == BounceForm::syn ? 1 : 2;
}

struct Totals {
  std::uint64_t found = 0;       // sealed pings that receivers handed in
  std::uint64_t seen_twice = 0;  // of them, one packet at two receivers
  std::uint64_t authentic = 0, retired = 0, repeats = 0, tokens = 0, tokens_misfit = 0;
  std::uint64_t unknown_key = 0;  // kept and not kept
  std::uint64_t unknown_key_not_kept = 0, repeats_not_kept = 0;
  std::uint64_t own_replies = 0;  // home's answers, sent back by somebody
  std::uint64_t answers = 0, answers_over_rate = 0, not_fresh = 0;
  std::uint64_t observations = 0, observations_lost = 0, batches = 0, controls = 0;
  std::uint64_t controls_withheld = 0;
};

class ListeningHome final : public Home {
 public:
  struct Way {
    std::string name;
    std::unique_ptr<Receiver> receiver;
    std::string fault;
  };

  ListeningHome(Options options, PartyKeys keys, Spool& spool, KeyRing ring, ControlSocket control)
      : options_(std::move(options)),
        keys_(std::move(keys)),
        spool_(spool),
        ring_(std::move(ring)),
        control_(std::move(control)),
        book_(options_.answers_a_second, kRepeatsAMinute),
        unknown_(static_cast<double>(options_.most_unknown_a_minute) / kMinute,
                 static_cast<double>(options_.most_unknown_a_minute)) {}

  Result<void> open_receivers();

  // Desk
  std::optional<Answerable> found(ByteView sealed, Observation seen) override;
  void bounced(const BounceToken& token, BounceForm sent_as, Observation seen) override;
  Timestamp now() const override { return options_.clock(); }

  // Home
  Result<void> set_probes(std::vector<KnownProbe> probes) override;
  Result<void> inject_control(ProbeId probe) override;
  std::vector<int> descriptors() const override;
  void work() override;
  Result<void> flush() override;
  bool take_appended() override { return std::exchange(appended_, false); }
  std::vector<EdgeCounter> counters() const override;
  std::string status_json() const override;

 private:
  void merge(const Sightings::Sighting& sighting, const Observation& seen);
  void take_unknown(Sightings::Sighting& sighting, Observation seen);
  void take_authentic(Sightings::Sighting& sighting, const KeyRing::Opened& opened,
                      Observation seen);
  std::optional<Answerable> answer(Sightings::Sighting& sighting, const KeyRing::Opened& opened,
                                   ByteView sealed, Timestamp received);
  bool can_answer(const Observation& seen) const;
  std::uint64_t keep(Observation seen, bool at_once);
  bool is_open(std::string_view receiver) const;
  std::vector<EdgeCounter> own_counters() const;

  Options options_;
  PartyKeys keys_;
  Spool& spool_;
  KeyRing ring_;
  ControlSocket control_;
  ProbeBook book_;
  RateBucket unknown_;
  Sightings sightings_;
  NewPaths paths_;
  ClientPorts client_ports_ = read_client_ports();
  std::vector<Way> ways_;

  std::vector<Observation> pending_;
  std::uint64_t first_pending_ = 1;  // the number of the first of them
  Timestamp due_ = kLatest;
  bool appended_ = false, spool_failed_ = false;
  Totals totals_;
};

Result<void> ListeningHome::open_receivers() {
  for (const ReceiverKind* kind : receivers_table()) {
    auto opened = kind->open(options_.settings);
    if (!opened) {
      log_warning("Receiver " + std::string(kind->name) +
                  " is not there: " + opened.error().message());
      ways_.push_back({kind->name, nullptr, opened.error().message()});
    } else if (*opened) {
      ways_.push_back({kind->name, std::move(*opened), {}});
    }
  }
  if (std::none_of(ways_.begin(), ways_.end(), [](const Way& way) {
        return way.receiver != nullptr && !way.receiver->descriptors().empty();
      })) {
    return fail(ErrorKind::io, "open", "home",
                ways_.empty() ? "its settings want no receiver"
                              : "no receiver could be opened: " + ways_.front().fault);
  }
  return {};
}

bool ListeningHome::is_open(std::string_view receiver) const {
  return std::any_of(ways_.begin(), ways_.end(), [&](const Way& way) {
    return way.name == receiver && way.receiver != nullptr;
  });
}

std::optional<Answerable> ListeningHome::found(ByteView sealed, Observation seen) {
  ++totals_.found;
  if (seen.received == Timestamp{}) seen.received = now();
  const auto [sighting, is_new] = sightings_.add(sealed, place_of(seen.receiver), seen.received);
  if (!is_new) {
    ++totals_.seen_twice;
    merge(sighting, seen);
    if (!sighting.may_answer || !can_answer(seen)) return std::nullopt;
    const auto opened = ring_.open(sealed, seen.received);
    if (!opened || opened->probe->retired) return std::nullopt;
    return answer(sighting, *opened, sealed, seen.received);
  }
  const auto opened = ring_.open(sealed, seen.received);
  if (!opened) {
    take_unknown(sighting, std::move(seen));
    return std::nullopt;
  }
  if (opened->ping.leg == Leg::reply) {
    ++totals_.own_replies;
    return std::nullopt;
  }
  const bool may = can_answer(seen);
  const Timestamp received = seen.received;
  take_authentic(sighting, *opened, std::move(seen));
  if (!may || !sighting.may_answer) return std::nullopt;
  return answer(sighting, *opened, sealed, received);
}

// A socket knows better what carried the ping, the sniffer what the packet was.
void ListeningHome::merge(const Sightings::Sighting& sighting, const Observation& seen) {
  if (sighting.kept_as < first_pending_ || sighting.kept_as == 0) return;
  Observation& kept = pending_[sighting.kept_as - first_pending_];
  if (kept.ttl == 0) kept.ttl = seen.ttl;
  if (kept.receiver != "sniffer") return;
  kept.receiver = seen.receiver;
  kept.carrier = seen.carrier;
}

void ListeningHome::take_unknown(Sightings::Sighting& sighting, Observation seen) {
  ++totals_.unknown_key;
  if (!unknown_.take(seen.received)) {
    ++totals_.unknown_key_not_kept;
    return;
  }
  seen.authenticity = Authenticity::unknown_key;
  sighting.kept_as = keep(std::move(seen), false);
}

void ListeningHome::take_authentic(Sightings::Sighting& sighting, const KeyRing::Opened& opened,
                                   Observation seen) {
  const Ping& ping = opened.ping;
  ++totals_.authentic;
  const bool injected = seen.carrier == Carrier::injected;
  // Injected ones are not the probe's: their numbers must not take the place of its own.
  const ProbeBook::Heard heard =
      injected ? ProbeBook::Heard{true, true, true} : book_.hear(ping, seen.received);
  if (!heard.first) ++totals_.repeats;
  if (!heard.keep) {
    ++totals_.repeats_not_kept;
    return;
  }
  if (opened.probe->retired) ++totals_.retired;
  if (seen.carrier == Carrier::echo_reply && ping.method != MethodId::spoof_bounce) {
    seen.carrier = Carrier::payload;  // sent as one by the probe itself
  }
  const bool asks = ping.leg == Leg::outbound && heard.first && !opened.probe->retired &&
                    seen.carrier != Carrier::quoted && seen.carrier != Carrier::echo_reply &&
                    !injected;
  if (asks && !heard.fresh) ++totals_.not_fresh;
  seen.authenticity = Authenticity::authentic;
  seen.retired = opened.probe->retired;
  seen.ping = ping;
  const bool at_once = paths_.is_new(ping.probe, ping.method, seen.source, seen.received);
  const std::uint64_t kept_as = keep(std::move(seen), at_once);
  // A copy of a ping that waits for its socket takes nothing from it.
  if (!heard.first && sighting.kept_as != 0) return;
  sighting.kept_as = kept_as;
  sighting.may_answer = asks && heard.fresh && kept_as != 0;
}

// What a socket will see too is the socket's to answer.
bool ListeningHome::can_answer(const Observation& seen) const {
  if (seen.receiver != "sniffer") return true;
  if (seen.protocol == kProtocolIcmp || seen.protocol == kProtocolIcmpv6) return true;
  if (seen.protocol != kProtocolUdp || seen.destination_port == options_.settings.dns_port) {
    return false;
  }
  return !is_open("ports") || client_ports_.has(seen.destination_port);
}

std::optional<Answerable> ListeningHome::answer(Sightings::Sighting& sighting,
                                                const KeyRing::Opened& opened, ByteView sealed,
                                                Timestamp received) {
  sighting.may_answer = false;
  if (!book_.may_answer(opened.ping.probe, received)) {
    ++totals_.answers_over_rate;
    return std::nullopt;
  }
  // On disk before anything is answered. A spool that takes nothing is not asked for every ping.
  if ((spool_failed_ && now() < due_) || !flush()) return std::nullopt;
  if (auto synced = spool_.sync(spool_.next() - 1); !synced) return std::nullopt;
  Ping reply = opened.ping;
  reply.leg = Leg::reply;
  reply.sent = now();
  ++totals_.answers;
  return Answerable{seal(reply, *opened.key), reply_proof(*opened.key, nonce_in(sealed))};
}

void ListeningHome::bounced(const BounceToken& token, BounceForm sent_as, Observation seen) {
  if (seen.received == Timestamp{}) seen.received = now();
  const auto bounced = ring_.find_token(token, seen.received);
  if (!bounced) return;
  const bool exceeded = bounced->form == BounceForm::time_exceeded;
  // A token answers for what it was sent as; one of spoof-ttl comes back quoted alone.
  if (exceeded ? seen.carrier != Carrier::quoted : bounced->form != sent_as) {
    ++totals_.tokens_misfit;
    return;
  }
  ++totals_.tokens;
  if (bounced->probe->retired) ++totals_.retired;
  seen.authenticity = Authenticity::token;
  seen.retired = bounced->probe->retired;
  seen.ping.method = exceeded ? MethodId::spoof_ttl : MethodId::spoof_bounce;
  seen.ping.variant = exceeded ? ttl_variant(sent_as) : static_cast<std::uint8_t>(bounced->form);
  seen.ping.probe = bounced->probe->id;
  seen.ping.sent = bounced->hour;
  seen.ping.via = IpAddress::v4(bounced->neighbour);
  // Tokens stay the same for an hour, and whoever saw one can send it again.
  if (!book_.hear_token(bounced->probe->id, seen.received)) {
    ++totals_.repeats_not_kept;
    return;
  }
  const bool at_once = paths_.is_new(seen.ping.probe, seen.ping.method, seen.source, seen.received);
  (void)keep(std::move(seen), at_once);
}

std::uint64_t ListeningHome::keep(Observation seen, bool at_once) {
  if (pending_.size() >= kBatch && !spool_failed_) {
    if (auto done = flush(); !done) return 0;
  }
  if (pending_.size() >= kMostPending) {
    ++totals_.observations_lost;
    return 0;
  }
  const Timestamp current = now();
  if (!spool_failed_) due_ = std::min(due_, at_once ? current : current + kGather);
  pending_.push_back(std::move(seen));
  ++totals_.observations;
  return first_pending_ + pending_.size() - 1;
}

Result<void> ListeningHome::flush() {
  due_ = kLatest;
  if (pending_.empty()) return {};
  const Timestamp current = now();
  ObservationBatch batch;
  batch.made = current;
  batch.observations = std::move(pending_);
  batch.counters = counters();
  auto appended = spool_.append(encode_observations(batch), current);
  if (!appended) {
    pending_ = std::move(batch.observations);
    // All that waits was packed for nothing: a tenth of the time goes into that at most.
    const Timestamp later = now();
    due_ = later + std::max<Duration>(kGather, 9 * (later - current));
    if (!std::exchange(spool_failed_, true)) {
      log_error("Observations wait in memory: " + appended.error().message());
    }
    return tl::unexpected<Error>(std::move(appended.error()));
  }
  spool_failed_ = false;
  first_pending_ += batch.observations.size();
  pending_ = std::move(batch.observations);
  pending_.clear();
  appended_ = true;
  ++totals_.batches;
  return {};
}

Result<void> ListeningHome::set_probes(std::vector<KnownProbe> probes) {
  auto ring = KeyRing::make(keys_, std::move(probes));
  if (!ring) return tl::unexpected<Error>(std::move(ring.error()));
  ring_ = std::move(*ring);
  book_.know(ring_.probes());
  return {};
}

Result<void> ListeningHome::inject_control(ProbeId probe) {
  const SharedKey* key = ring_.key_of(probe);
  if (key == nullptr) {
    return fail(ErrorKind::not_found, "inject the control of", probe.to_string(),
                "no such probe is known here");
  }
  // It says that home hears: what home should hear by must be there. `quiet` hears nothing.
  for (const Way& way : ways_) {
    if (way.receiver || way.name == "quiet") continue;
    ++totals_.controls_withheld;
    return fail(ErrorKind::io, "inject the control of", probe.to_string(),
                "the receiver " + way.name + " is not there: " + way.fault +
                    "; mend it, or turn it off in the configuration");
  }
  Ping ping;
  ping.method = MethodId::control;
  ping.probe = probe;
  ping.sent = now();
  ping.sequence = static_cast<std::uint64_t>(ping.sent.time_since_epoch().count());
  ping.destination = IpAddress::v4(0x7f000001);
  ping.port = control_.port();
  ++totals_.controls;
  return control_.send(seal(ping, *key));
}

std::vector<int> ListeningHome::descriptors() const {
  std::vector<int> all{control_.descriptor()};
  for (const Way& way : ways_) {
    if (!way.receiver) continue;
    const auto more = way.receiver->descriptors();
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

void ListeningHome::work() {
  control_.work(*this);
  for (const Way& way : ways_) {
    if (way.receiver) way.receiver->work(*this);
  }
  if (!pending_.empty() && now() >= due_) (void)flush();  // logged there, and tried again
}

std::vector<EdgeCounter> ListeningHome::own_counters() const {
  const Totals& t = totals_;
  return {{"pings_found", "", t.found},
          {"seen_twice", "", t.seen_twice},
          {"authentic", "", t.authentic},
          {"retired", "", t.retired},
          {"repeats", "", t.repeats},
          {"repeats_not_kept", "", t.repeats_not_kept},
          {"tokens", "", t.tokens},
          {"tokens_misfit", "", t.tokens_misfit},
          {"unknown_key", "", t.unknown_key},
          {"unknown_key_not_kept", "", t.unknown_key_not_kept},
          {"keys_not_tried", "", ring_.tries_refused()},
          {"own_replies", "", t.own_replies},
          {"answers", "", t.answers},
          {"answers_over_rate", "", t.answers_over_rate},
          {"not_fresh", "", t.not_fresh},
          {"controls", "", t.controls},
          {"controls_withheld", "", t.controls_withheld},
          {"observations", "", t.observations},
          {"observations_lost", "", t.observations_lost},
          {"batches", "", t.batches},
          {"batches_dropped", "", spool_.dropped()},
          {"batches_damaged", "", spool_.damaged()}};
}

std::vector<EdgeCounter> ListeningHome::counters() const {
  std::vector<EdgeCounter> all = own_counters();
  for (const Way& way : ways_) {
    if (!way.receiver) continue;
    for (const Receiver::Counter& counter : way.receiver->counters())
      all.push_back({counter.name, way.name, counter.value});
  }
  return all;
}

std::string ListeningHome::status_json() const {
  HomeStatus status;
  status.id = keys_.id().to_string();
  status.box_public = to_hex(keys_.box_public());
  for (const Way& way : ways_) {
    HomeStatus::Way one{way.name, way.fault, {}};
    if (way.receiver) one.counters = way.receiver->counters();
    status.receivers.push_back(std::move(one));
  }
  status.counters = own_counters();
  for (const KnownProbe& probe : ring_.probes()) {
    const ProbeBook::Record* record = book_.find(probe.id);
    status.probes.push_back({probe, record != nullptr ? *record : ProbeBook::Record{}});
  }
  return to_json(status);
}

}  // namespace

Result<std::unique_ptr<Home>> Home::open(Options options, PartyKeys keys, Spool& spool) {
  auto ring = KeyRing::make(keys, {});
  if (!ring) return tl::unexpected<Error>(std::move(ring.error()));
  auto control = ControlSocket::open();
  if (!control) return tl::unexpected<Error>(std::move(control.error()));
  auto home = std::make_unique<ListeningHome>(std::move(options), std::move(keys), spool,
                                              std::move(*ring), std::move(*control));
  if (auto done = home->open_receivers(); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return home;
}

}  // namespace beaconry
