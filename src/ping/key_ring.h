#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ping/keys.h"
#include "ping/seal.h"

namespace beaconry {

// A probe as home and server know it: no secret of it.
struct KnownProbe {
  ProbeId id;
  std::string name;
  Key32 box_public{};
  Key32 sign_public{};
  bool retired =
      false;  // revoked or past its end: its pings are read, and are news of another kind
};

// The probes whose pings one party can open, found by hint without trying every key: hints of
// kDaysBack before and kDaysAhead after the day that it is. A ping of a clock that is further off
// is tried with every key, but for at most kTriesASecond keys a second. One thread; a new ring
// takes the place of an old one.
class KeyRing {
 public:
  static constexpr int kDaysBack = 40, kDaysAhead = 10;
  static constexpr int kHoursBack = 26, kHoursAhead = 26;  // of bounce tokens
  static constexpr int kTriesASecond = 2000;
  static constexpr std::size_t kMostProbes = 4096;

  static Result<KeyRing> make(const PartyKeys& ours, std::vector<KnownProbe> probes);
  KeyRing(KeyRing&&) noexcept;
  KeyRing& operator=(KeyRing&&) noexcept;
  ~KeyRing();

  struct Opened {
    Ping ping;
    const KnownProbe* probe = nullptr;
    const SharedKey* key = nullptr;
  };
  // Nothing: no key of ours opens it. `now` is handed in; tables follow the day.
  std::optional<Opened> open(ByteView sealed, Timestamp now);

  struct Bounced {
    const KnownProbe* probe = nullptr;
    BounceForm form{};
    std::uint8_t neighbour = 0;
    Timestamp hour{};  // in which it was sent, by the probe's clock
  };
  std::optional<Bounced> find_token(const BounceToken& token, Timestamp now);

  const std::vector<KnownProbe>& probes() const;
  const SharedKey* key_of(ProbeId probe) const;
  std::uint64_t tries_refused() const;  // pings not tried with every key, for kTriesASecond

 private:
  struct State;
  explicit KeyRing(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace beaconry
