#pragma once
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
#include "control/batch_stream.h"
#include "store/database.h"

namespace beaconry {

// The edges that send to this server: who was enrolled, and what came of whom. An edge is its key;
// its name is for people. Who comes by a token or anonymously is listed as not enrolled: under the
// key that it names, or, a predecessor, under its name. Any thread may call; receiving is in
// memory, save() writes it.
class Edges {
 public:
  struct Edge {
    std::string id;  // fingerprint of its key; of a predecessor "name:NAME"
    std::string name;
    std::string kind;  // "collector", "home", "sensor", "instrument"; empty: unknown
    std::string via;   // an instrument's sensor, by its fingerprint; empty: it comes by itself
    bool enrolled = false, revoked = false;
    std::uint64_t enrolments = 0;  // more than one: re-enrolled
    bool name_conflict = false;    // another edge that is not revoked has the same name
    Timestamp enrolled_at{}, last_seen{};
    std::string last_address;
    std::optional<Duration> clock_skew;  // the edge's clock minus the server's
    std::string incarnation;             // of its last batch
    std::uint64_t sequence = 0;
    std::uint64_t batches = 0, repeated = 0, events = 0;
    std::uint64_t missing = 0;      // batches of which later ones came and they did not
    std::uint64_t dropped = 0;      // batches that the edge says it gave up
    std::uint64_t refused = 0;      // batches that were not taken and never will be
    std::uint64_t unexplained = 0;  // of the missing ones: neither dropped nor refused, so far
    // Of its newest stream that tells times; by its clock.
    std::optional<Timestamp> complete_up_to;
    std::string counters = "{}";  // JSON, as last told
  };

  static Result<std::unique_ptr<Edges>> open(Database& database);

  // A token that enrols one edge, once: "bce_" and 64 hex digits.
  Result<std::string> make_token(const std::string& kind, const std::string& name,
                                 Timestamp expires, const std::string& who, Timestamp now);
  // Redeems one. The same key again is the same edge, enrolled once more. Errors: usage for a token
  // that is unknown, used, expired or for another kind, and for a key that was revoked.
  Result<Edge> enrol(std::string_view token, const std::string& kind, const std::string& name,
                     const std::string& fingerprint, const std::string& address, Timestamp now);
  // An enrolled one's. Another edge may have the same.
  Result<void> rename(const std::string& id, const std::string& name);
  // By id or, if only one has it, by name.
  Result<void> revoke(const std::string& id_or_name, Timestamp now);
  bool is_enrolled(std::string_view fingerprint) const;  // and not revoked
  // Enrolled or revoked, or an instrument's, for which its sensor speaks: nobody else does.
  bool needs_key(std::string_view id) const;
  // `now`: for complete_up_to.
  std::optional<Edge> find(const std::string& id, Timestamp now = Timestamp::max()) const;
  std::vector<Edge> list(Timestamp now = Timestamp::max()) const;  // by name

  // One batch. `claim` says whether it is new; if so, `settle` must follow: accepted once it is in
  // the journal, or not. Until then the same batch is `busy` for others. At a restart, claim and
  // settle what the journal holds. `full`: too many edges that are not enrolled, kMostUnknown.
  enum class Claim : std::uint8_t { fresh, repeated, busy, full };
  static constexpr std::size_t kMostUnknown = 1000;
  static constexpr std::size_t kMostIncarnations = 8;  // remembered of an edge
  Claim claim(const std::string& id, const std::string& incarnation, std::uint64_t sequence);
  void settle(const std::string& id, const std::string& incarnation,
              const BatchStream::Batch& batch, bool accepted, Timestamp now);
  // One that will never be taken, of an edge that is known.
  void refuse(const std::string& id, const std::string& incarnation, std::uint64_t sequence);

  // What came with a batch. Nothing for an edge that was never claimed for.
  struct News {
    std::string name, address;
    Timestamp seen{};
    std::optional<Duration> clock_skew;
    std::uint64_t events = 0;
    std::optional<std::uint64_t> dropped;
    std::string counters;  // JSON object; empty: nothing new
    std::string via;       // of an instrument
  };
  void note(const std::string& id, const News& news);

  // Writes what changed since the last call: now and then, and before the journal lets go of
  // anything. Forgets edges that are not enrolled and were not heard of for 30 days.
  Result<void> save(Timestamp now);
  static std::string unenrolled_id(std::string_view name);

  ~Edges();

 private:
  struct Live;
  explicit Edges(Database& database);
  Result<void> load();
  void put(Live& live, Edge edge);  // in place of what it was
  void count_name(const Edge& edge, bool more);
  bool has_namesake(const Edge& edge) const;
  std::optional<Edge> edge_of(const std::string& id) const;
  // In memory, on top of what came of it while the disk was written; with saving_ held.
  template <class Change>
  void change(const std::string& id, const Change& change);
  Result<Edge> redeem(const std::string& hash, const Edge& wanted, Timestamp now);
  Result<void> write(const Edge& edge);

  Database& database_;
  // Held by whoever writes edges to the disk, from the look at them on: what save() copied never
  // takes the place of a revocation. Taken before mutex_, which nobody holds over the disk: every
  // request asks is_enrolled().
  std::mutex saving_;
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Live>, std::less<>> edges_;
  std::map<std::string, std::size_t, std::less<>> names_;  // of those not revoked: how many have it
};

}  // namespace beaconry
