#pragma once
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <array>
#include <bitset>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

namespace beaconry {

// Which batch: an edge's, by its place in the edge's spool, or a predecessor's, by what it holds.
struct BatchIdentity {
  std::string stream;                     // edge and incarnation; empty: a predecessor's
  std::uint64_t sequence = 0;             // in the stream
  std::array<std::uint64_t, 2> digest{};  // without a stream

  friend bool operator==(const BatchIdentity&, const BatchIdentity&) = default;
  template <class H>
  friend H AbslHashValue(H h, const BatchIdentity& b) {
    return H::combine(std::move(h), b.stream, b.sequence, b.digest[0], b.digest[1]);
  }
};

// Remembers which batches were accepted, so that each counts once however often it is sent. Memory
// is bounded: of each stream the last kWindow sequence numbers are told apart, and what is below
// them counts as seen, for edges send in order; of each edge the streams that it used last; of
// predecessors' batches the last million. So an edge that lies about its incarnation can make
// nobody else's batches count twice. Any thread may call.
class SeenBatches {
 public:
  static constexpr std::size_t kWindow = 1024;
  static constexpr std::size_t kMostStreams = 16'384;
  static constexpr std::size_t kMostStreamsOfEdge = 32;
  static constexpr std::size_t kMostDigests = 1 << 20;

  // Somebody works on this batch, as long as it lives.
  class Claim {
   public:
    Claim(Claim&& other) noexcept
        : seen_(std::exchange(other.seen_, nullptr)), batch_(std::move(other.batch_)) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim() {
      if (seen_ != nullptr) seen_->drop(batch_);
    }
    // False: it was accepted before.
    explicit operator bool() const { return seen_ != nullptr; }
    void accepted() { seen_->add(batch_); }

   private:
    friend class SeenBatches;
    Claim(SeenBatches* seen, BatchIdentity batch) : seen_(seen), batch_(std::move(batch)) {}
    SeenBatches* seen_;
    BatchIdentity batch_;
  };

  // Waits while another works on the same batch.
  Claim claim(const BatchIdentity& batch);
  bool contains(const BatchIdentity& batch) const;
  void add(const BatchIdentity& batch);

 private:
  struct Window {
    std::uint64_t highest = 0;
    std::bitset<kWindow> seen;  // by sequence modulo kWindow, of those above highest - kWindow
    std::uint64_t used = 0;     // when, by the count of additions
  };
  using Streams = absl::flat_hash_map<std::string, Window>;  // of one edge
  bool knows(const BatchIdentity& batch) const;
  static std::uint64_t oldest_use(const Streams& streams);
  static bool is_sooner_forgotten(const Streams& one, const Streams& other);
  void forget_oldest(Streams& streams);
  void drop(const BatchIdentity& batch);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  absl::flat_hash_set<BatchIdentity> in_work_;
  absl::flat_hash_map<std::string, Streams> edges_;
  std::size_t streams_ = 0;  // of all edges
  absl::flat_hash_set<std::array<std::uint64_t, 2>> digests_;
  std::deque<std::array<std::uint64_t, 2>> by_age_;
  std::uint64_t additions_ = 0;
};

}  // namespace beaconry
