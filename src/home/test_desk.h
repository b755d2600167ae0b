#pragma once
#include <set>
#include <vector>

#include "home/receiver.h"
#include "ping/test_pings.h"

namespace beaconry {

// A desk for tests of receivers: knows probe 1, answers each outbound ping once, keeps what it saw.
class TestDesk final : public Desk {
 public:
  std::optional<Answerable> found(ByteView sealed, Observation seen_there) override {
    const auto opened = ring_.open(sealed, now_);
    seen_there.authenticity = opened ? Authenticity::authentic : Authenticity::unknown_key;
    if (opened) seen_there.ping = opened->ping;
    seen.push_back(std::move(seen_there));
    if (!opened || opened->ping.leg != Leg::outbound) return std::nullopt;
    if (!answered_.insert(opened->ping.sequence).second) return std::nullopt;
    Ping reply = opened->ping;
    reply.leg = Leg::reply;
    return Answerable{seal(reply, *opened->key), reply_proof(*opened->key, nonce_in(sealed))};
  }
  void bounced(const BounceToken&, BounceForm, Observation) override {}
  Timestamp now() const override { return now_; }

  void pass(Duration time) { now_ += time; }
  // A ping of probe 1, sealed for this desk; and the key that opens what it is answered.
  Bytes sealed(std::uint64_t sequence, Leg leg = Leg::outbound) {
    Ping ping = sample_ping();
    ping.sequence = sequence;
    ping.leg = leg;
    return seal(ping, key);
  }

  std::vector<Observation> seen;
  const SharedKey key = *SharedKey::make(party(1), party(0).box_public());

 private:
  KeyRing ring_ = *KeyRing::make(
      party(0), {{party(1).id(), "probe 1", party(1).box_public(), party(1).sign_public()}});
  Timestamp now_ = sample_ping().sent;
  std::set<std::uint64_t> answered_;
};

}  // namespace beaconry
