#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "escape/budget.h"
#include "escape/config.h"
#include "escape/segment.h"
#include "packet/parse.h"
#include "ping/ping.h"
#include "ping/seal.h"

namespace beaconry {

enum class Risk : std::uint8_t { none, low, medium, high };
std::string_view to_string(Risk risk);

// One target of a method: what a single try is about.
struct Target {
  IpAddress destination;  // home's address, or what the method aims at; :: where there is none
  std::uint16_t port = 0;
  std::uint8_t variant = 0;  // the method's own: protocol number, form
  IpAddress via;  // neighbour, gateway or resolver that it goes through; :: the usual way
};

// What is known when targets are listed.
struct Scope {
  const ProbeConfig& config;
  const Segment& segment;
  CycleKind cycle = CycleKind::short_cycle;

  // Home's first address of the family, if it has one and we have an address to speak from.
  std::optional<IpAddress> home_v4() const, home_v6() const;
  std::span<const std::uint16_t> common_ports() const;
  // Neighbours that the profile lets methods send to, home's gateways and ourselves left out.
  std::vector<Segment::Neighbour> allowed_neighbours() const;
};

// Targets are counted and computed one at a time, so that 65,535 ports cost no memory.
struct TargetCount {
  std::uint64_t count = 0;
  std::string why_none;  // where it is 0: "no resolver is known"
};

struct Try {
  const struct Method* method = nullptr;
  Target target;
  std::uint64_t sequence = 0;
  CycleKind cycle_kind = CycleKind::short_cycle;
  std::uint32_t cycle = 0;
  Leg leg = Leg::outbound;  // confirmed: home answered, and this says so
};

// A UDP or ICMP message to one of our addresses, or any other packet to it.
struct Arrival {
  IpAddress source, destination;
  std::uint8_t protocol = 0;
  std::uint16_t source_port = 0, destination_port = 0;
  ByteView payload;  // beyond the transport's header
  ByteView packet;   // from the IP header on
};

class Wire;

// A try that goes on after its first packet: handshakes, questions, answers. Called by the probe's
// loop only.
class Conversation {
 public:
  virtual ~Conversation() = default;
  virtual void begin(Wire& wire) = 0;
  // Packets for the port that the conversation asked for; false: not mine.
  virtual bool arrived(Wire&, const Arrival&) { return false; }
  virtual void connected(Wire&) {}
  virtual void received(Wire&, ByteView /*stream*/) {}  // in order
  virtual void closed(Wire&, std::string_view /*why*/) {}
  virtual void timed_out(Wire&) {}
  bool is_done() const { return done_; }
  void finish() { done_ = true; }

 private:
  bool done_ = false;
};

// What a method may do: everything leaves through the budget in the end. Packets wait in a bounded
// queue until the budget lets them out and their next hop's MAC is known.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual const Scope& scope() const = 0;
  virtual const Try& current() const = 0;
  virtual Timestamp now() const = 0;  // the time of day
  virtual const MacAddress& mac() const = 0;

  // The try's ping, sealed for home (or for the peer, by `zone`), as `current().leg`.
  virtual Bytes ping() = 0;
  virtual const SharedKey& key() const = 0;
  // Random, for ports and identifications.
  virtual std::uint32_t random() = 0;
  virtual std::optional<IpAddress> source_for(const IpAddress& destination) const = 0;

  // By the usual way: on-link or through the gateway of its family.
  virtual void send_ip(Bytes packet) = 0;
  // Through this neighbour: Ethernet to it whatever the destination.
  virtual void send_ip_via(Bytes packet, const IpAddress& neighbour) = 0;
  virtual void send_frame(Bytes frame) = 0;  // whole, as it is

  // A port of ours that nobody else uses; its packets come to the conversation that asked.
  virtual std::uint16_t claim_port(std::uint8_t protocol) = 0;
  // TCP to a place, directly or through `via`; events come to the conversation. One at a time.
  virtual void connect(const IpAddress& destination, std::uint16_t port,
                       const IpAddress& via = {}) = 0;
  virtual void write(Bytes stream) = 0;  // on that connection; whole segments
  virtual void close() = 0;
  virtual void set_timeout(std::chrono::milliseconds after) = 0;  // default 5 s

  // Home's answer was read: a full reply ping in `bytes`, or the proof of one. True if it is one to
  // this try; then the try counts as two-way, and `current().leg` is `confirmed` from then on.
  virtual bool take_reply(ByteView bytes) = 0;
  virtual bool take_proof(const ReplyProof& proof) = 0;
};

// A way out: methods/WORD.cc defines beaconry::methods::WORD.
struct Method {
  MethodId id;
  std::string_view words;   // one line: what is sent, what it proves
  Risk risk;                // for delicate devices
  std::string_view danger;  // one line: what it may disturb
  std::uint32_t traits;     // of Trait
  bool
      needs_own_address;  // TCP and what waits for answers: an address that the kernel does not own
  TargetCount (*count)(const Scope& scope);
  Target (*target)(const Scope& scope, std::uint64_t index);
  // Sends and returns nothing, or returns what goes on. A reply that arrives as a packet of its own
  // is found by the loop, which then calls this again with leg `confirmed`.
  std::unique_ptr<Conversation> (*run)(Wire& wire);
};
std::span<const Method* const> methods_table();
const Method* find_method(MethodId id);

}  // namespace beaconry
