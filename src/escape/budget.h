#pragma once
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "escape/config.h"
#include "escape/frame_traits.h"
#include "escape/link.h"
#include "escape/segment.h"

namespace beaconry {

// The budget contract, enforced at the one place where frames leave. One thread.
//
// Packets and bytes are token buckets: in no time of N seconds leave more than rate * N + burst,
// where the burst is a twentieth of a second's worth, at least one packet or one full frame.
// Broadcasts: in no minute more than broadcasts_a_minute (below one: no two within 60 s / rate).
// Time is handed in; where it jumps back nothing is gained.
class Egress {
 public:
  enum class Verdict : std::uint8_t {
    sent,
    wait,       // not yet: try again at `when`; `why` is said where the link failed
    forbidden,  // by address, MAC, method, profile or end date: `why` says which
  };
  struct Answer {
    Verdict verdict = Verdict::sent;
    Timestamp when{};
    std::string why;
  };
  struct Counters {
    std::uint64_t frames = 0, bytes = 0, broadcasts = 0, forbidden = 0, failed = 0;
  };

  // The link outlives this, and so does the configuration.
  Egress(const ProbeConfig& config, Link& link);

  // `traits` as the method declared them; what a frame itself shows (group address, fragment, a
  // source that is not `own`) is looked at as well, so that a method cannot forget one. ARP, ND and
  // DHCP of the probe itself count against packets and broadcasts and are allowed by every profile.
  Answer send(ByteView frame, MethodId method, std::uint32_t traits, Timestamp now);
  // Whether a profile would ever let it out, before anything is crafted; empty if so.
  std::string why_forbidden(MethodId method, std::uint32_t traits) const;
  // Addresses that are ours: a frame from another one is spoofed.
  void set_own(std::vector<IpAddress> own) { own_ = std::move(own); }
  // Who is gateway, resolver and neighbour, by address and MAC, and which networks are ours:
  // without it (nullptr) only the configuration's word counts. Outlives this. Does not replace
  // set_own().
  void follow(const Segment* segment) { segment_ = segment; }
  bool has_ended(Timestamp now) const { return config_.end && now >= *config_.end; }

  const Counters& counters() const { return counters_; }

 private:
  struct Bucket {
    double a_second = 1, most = 1, level = 1;
    Timestamp filled{};
    Timestamp ready(double amount, Timestamp now);
    void take(double amount) { level -= amount; }
  };
  // The times of the last `most`, each at least `window` older than the next but `most`.
  struct Window {
    std::size_t most = 1;
    Duration window{};
    std::deque<Timestamp> times;
    Timestamp ready(Timestamp now);
    void take(Timestamp now);
  };

  std::string why_not(const FrameTraits& found, MethodId method, std::uint32_t traits,
                      Timestamp now) const;
  bool goes_to_stranger(const FrameTraits& found) const;
  bool is_expected(const IpAddress& address) const;
  std::vector<Cidr> networks() const;

  const ProbeConfig& config_;
  Link& link_;
  const Segment* segment_ = nullptr;
  std::vector<IpAddress> own_;
  Bucket packets_, bytes_;
  Window broadcasts_;
  Counters counters_;
};

}  // namespace beaconry
