#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "leak/leak_book.h"
#include "ping/key_ring.h"
#include "store/database.h"

namespace beaconry {

// How a probe's positive control reaches home: over a path that is meant to be open, made by home
// itself where none is, or not at all.
enum class ControlKind : std::uint8_t { none, path, home };
std::string_view to_string(ControlKind kind);
std::optional<ControlKind> parse_control_kind(std::string_view word);

// Another probe, for zone-to-zone tests.
struct ProbePeer {
  std::string name;  // as this server knows it
  IpAddress address;
  bool may_reach = false;
};

// A probe as the server keeps it: public keys and what its line said. No secret of it.
struct KeptProbe {
  ProbeId id;
  std::string name;
  Key32 box_public{}, sign_public{};
  std::string home;  // the edge that it calls
  Key32 home_key{};  // that edge's box key when the line was made
  std::string profile = "ot";
  std::chrono::seconds short_period{1800};
  bool long_cycle = true, listen = false;
  ControlKind control = ControlKind::none;
  IpAddress control_address;  // of `path`
  std::uint16_t control_port = 0;
  bool control_tcp = false;
  std::chrono::seconds control_every{1800};
  std::vector<IpAddress> neighbours;  // that profile `ot` may send to
  std::vector<ProbePeer> peers;
  std::string notes;
  std::optional<Timestamp> end;
  Timestamp created{};
  std::string created_by;
  std::optional<Timestamp> revoked;
  std::string revoked_by;
  std::optional<Timestamp> retires;  // after a rotation: until then the old key counts too
  std::optional<ProbeId> successor;  // the key that took its place

  // From when on its pings are a retired probe's; nothing: they never are.
  std::optional<Timestamp> retired() const;
  bool is_retired(Timestamp now) const { return retired() && *retired() <= now; }
};

// The probes, each key of one by its id; a name is one probe's, whose newest key has no successor.
// Kept in the database and in memory. Any thread may call.
class Probes {
 public:
  static constexpr std::size_t kMostProbes = 4096;  // keys, retired ones too: what a home takes
  static constexpr std::size_t kMostPlaces = 64;    // addresses and networks that are remembered

  static Result<std::unique_ptr<Probes>> open(Database& database);

  // ErrorKind::usage where the name is taken or something is not as it should be.
  Result<void> add(const KeptProbe& probe);
  // `fresh`, with new keys, takes the place of the newest key of this name, which retires at
  // `until`.
  Result<void> rotate(const KeptProbe& fresh, Timestamp until);
  // Every key of a probe, by name or by one key's id, at once. How many there were.
  Result<std::uint64_t> revoke(const std::string& name_or_id, const std::string& who,
                               Timestamp now);

  std::vector<KeptProbe> list() const;  // by name, the newest key first
  std::optional<KeptProbe> find(ProbeId id) const;
  std::optional<KeptProbe> newest(const std::string& name) const;
  std::string name_of(ProbeId id) const;  // its id where the name is not known

  // Where a probe was heard: its own addresses and the resolvers that it asked, as authentic pings
  // name them, and the outer networks that they came from. What is unspecified is not noted; the
  // oldest go. True if something is new.
  struct Whereabouts {
    IpAddress own, resolver, outer;
  };
  Result<bool> heard(ProbeId id, const Whereabouts& where, Timestamp time);
  std::vector<IpAddress> addresses_of(ProbeId id) const;
  // A probe that has this address, or asks this resolver, and is not retired.
  std::optional<KeptProbe> with_address(const IpAddress& address, Timestamp now) const;
  std::optional<KeptProbe> with_resolver(const IpAddress& address, Timestamp now) const;
  // What judges silence. It holds until the generation moves, which every change of list() does, or
  // until `next_end`, when a probe is retired by its own date.
  std::vector<ProbeSchedule> schedules(Timestamp now, Timestamp& next_end) const;
  std::uint64_t generation() const;

 private:
  enum class PlaceKind : std::uint8_t { own = 0, outer = 1, resolver = 2 };  // as they are kept
  struct Place {
    IpAddress address;
    PlaceKind kind = PlaceKind::own;
    Timestamp last{};
  };
  explicit Probes(Database& database) : database_(database) {}
  Result<void> load();
  void note(ProbeId id, const Place& place);
  std::optional<KeptProbe> with_place(const IpAddress& address, PlaceKind kind,
                                      Timestamp now) const;

  Database& database_;
  mutable std::mutex mutex_;
  std::map<ProbeId, KeptProbe> probes_;
  std::map<ProbeId, std::vector<Place>> places_;
  std::uint64_t generation_ = 1;
};

}  // namespace beaconry
