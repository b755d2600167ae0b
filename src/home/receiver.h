#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ping/key_ring.h"
#include "ping/observation.h"
#include "ping/replay_window.h"

namespace beaconry {

// What an authentic, first-seen ping may be answered with. Without it nothing is answered.
struct Answerable {
  Bytes reply;       // a sealed ping, leg `reply`
  ReplyProof proof;  // where that does not fit
};

// What receivers give their finds to. It opens pings, makes the observation and keeps it for the
// spool; see home/home.h. Called by the home's one thread.
class Desk {
 public:
  virtual ~Desk() = default;
  // `sealed` as find_ping() gave it; `seen` has everything but authenticity and ping. The answer,
  // if this ping may be answered: authentic, fresh, of a probe that is not retired, an outbound
  // leg, not seen before, within the probe's answers a second.
  virtual std::optional<Answerable> found(ByteView sealed, Observation seen) = 0;
  // A bounce token, which may be nobody's: most packets' are. `sent_as`: what the packet was that
  // this one answers or quotes: echo, closed_port (UDP) or syn.
  virtual void bounced(const BounceToken& token, BounceForm sent_as, Observation seen) = 0;
  virtual Timestamp now() const = 0;
};

struct HomeSettings {
  std::vector<std::string> interfaces;  // to sniff; empty: all but loopback
  std::vector<IpAddress> addresses;     // home's own, as probes know them
  std::string zone;                     // without the final dot; empty: no DNS server
  std::uint16_t dns_port = 53;
  std::vector<std::uint16_t> ports_left;  // not taken by `ports` though nobody listens there
  bool all_ports = true;                  // TCP and UDP by sk_lookup
  bool suppress_replies = true;           // echo replies and resets of the kernel
  std::size_t most_connections = 4096;    // TCP, all together; 64 of one address
};

// A way in: receivers/WORD.cc defines beaconry::receivers::WORD.
class Receiver {
 public:
  struct Counter {
    std::string name;
    std::uint64_t value = 0;
  };
  virtual ~Receiver() = default;
  // Readable descriptors to wait for (they may change); empty until it is open.
  virtual std::vector<int> descriptors() const = 0;
  // Does what there is to do now, bounded, without blocking; also called every 50 ms.
  virtual void work(Desk& desk) = 0;
  virtual std::vector<Counter> counters() const = 0;  // packets, pings, drops, refused, …
};
struct ReceiverKind {
  const char* name;  // "sniffer", "ports", "dns"
  // Before privileges go. Nothing where the settings do not want it.
  Result<std::unique_ptr<Receiver>> (*open)(const HomeSettings& settings);
};
std::span<const ReceiverKind* const> receivers_table();

}  // namespace beaconry
