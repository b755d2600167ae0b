#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "control/edge_totals.h"
#include "control/packet_flows.h"
#include "control/predecessor_batch.h"
#include "control/seen_batches.h"
#include "flow/flow_event.h"
#include "spool/spool.h"
#include "uplink/flow_batch.h"
#include "uplink/instrument_event_batch.h"
#include "uplink/observation_batch.h"

namespace beaconry {

// Telemetry on its way in: checked, told from repeats, journalled, and only then counted and handed
// to the series. What accept() says was accepted is on disk, survives any crash, and counts once.
// Any thread may call anything; batches of different threads share the journal's fdatasync.
class Ingest {
 public:
  // Where a batch that was accepted or repeated came from: for the list of edges.
  struct Heard {
    const EdgeLedger::Batch& batch;
    std::string incarnation;  // empty: a predecessor's
    std::uint64_t sequence = 0;
    std::string address;  // empty: of the journal
    bool repeated = false;
    std::string relayed_by;  // the sensor's fingerprint; empty: it came by itself
  };
  // A batch of observations, checked.
  struct Observed {
    const Envelope& envelope;
    std::vector<Observation> observations;
    Timestamp accepted{};
    bool replayed = false;  // out of the journal
  };
  // A batch of a sensor's events, checked.
  struct Told {
    const Envelope& envelope;
    std::vector<InstrumentEvent> events;
    Timestamp accepted{};
    bool replayed = false;  // out of the journal
  };
  struct Options {
    PacketFlows::Options packet_flows;
    FlowBatchLimits flow_batch;
    ObservationBatchLimits observation_batch;
    InstrumentEventBatchLimits event_batch;
    PredecessorLimits predecessor;
    std::uint64_t longest_record = UINT64_MAX;  // that the journal takes: longer ones are too large
    std::function<void(const Heard&)> heard;    // any thread
    // A batch of an edge that will never be taken. Any thread.
    std::function<void(const std::string& edge, const std::string& incarnation, std::uint64_t)>
        refused;
    // Whether batches of this edge are taken with its key only: it is, or was, enrolled. Any
    // thread; unset: of none.
    std::function<bool(const std::string& edge)> needs_key;
    // Keeps observations, each batch once: false if it was kept before. An error: it is to come
    // again. Any thread; unset: there are none.
    std::function<Result<bool>(Observed)> observe;
    // Whether this edge may send observations. Any thread; unset: all may.
    std::function<bool(const std::string& edge)> may_observe;
    // The same for events of instruments.
    std::function<Result<bool>(Told)> tell;
    // Whether this edge may send events and relay batches. Any thread; unset: all may.
    std::function<bool(const std::string& edge)> is_sensor;
  };
  // Where events of an edge go, as of `now`.
  using SinkOf = std::function<std::unique_ptr<FlowSink>(const std::string& edge, Timestamp now)>;

  enum class Outcome : std::uint8_t {
    accepted,
    duplicate,     // accepted before: the sender did not hear of it
    malformed,     // will never be accepted
    forbidden,     // the sender may not speak for the edge that it names
    too_large,     // neither
    storage_full,  // try again later
  };
  struct Answer {
    Outcome outcome = Outcome::accepted;
    std::uint64_t events = 0;
    std::uint64_t invalid_events = 0;
    std::string batch_id;          // a predecessor's
    bool batch_id_is_text = true;  // it may have been a number
    std::string words;             // why not, or the first invalid event
  };

  // The journal outlives this.
  Ingest(Options options, Spool& journal, SinkOf sink_of);

  // Reads the journal again: series, flows of predecessors, repeats and counts are as they were.
  // Call once, before anything else. `proceed` is asked now and then and told how far it is, 0..1.
  Result<void> replay(Timestamp now, const std::function<bool(double)>& proceed);

  // `key` is the fingerprint of the sender's certificate; the batch of an edge that
  // needs_key must come with its own, and who has such a key sends its own only.
  Answer accept_envelope(std::string_view body, std::string_view key, const std::string& address,
                         Timestamp now);
  Answer accept_predecessor(std::string body, bool gzip, const std::string& address, Timestamp now);

  const EdgeLedger& edges() const { return edges_; }
  const PacketFlows& packet_flows() const { return packet_flows_; }
  std::uint64_t storage_full() const { return storage_full_; }  // batches refused for it
  std::uint64_t replay_damaged() const { return replay_damaged_; }

 private:
  // A predecessor's batch that the journal did not take: mapping it again would change what its
  // flows are taken for.
  struct Mapped {
    std::array<std::uint64_t, 2> digest{};
    std::string content;
    std::vector<FlowEvent> events;
  };
  Result<void> journal(std::string_view record, Timestamp now);
  Answer accept_observations(const Envelope& envelope, std::string_view record,
                             const std::string& address, Timestamp now);
  Answer accept_events(const Envelope& envelope, std::string_view record,
                       const std::string& address, Timestamp now);
  Answer accept_relayed(const Envelope& outer, std::string_view record, const std::string& address,
                        Timestamp now);
  Answer accept_flows(const Envelope& envelope, const Envelope* outer, std::string_view record,
                      const std::string& address, Timestamp now);
  Answer forbid(const Envelope& envelope, std::string words);
  Answer full(const Error& error);
  Answer refuse(const Error& error, const std::string& edge);
  // The same, and it counts in the ledger of the edge that it names.
  Answer refuse_batch(const Error& error, const Envelope& envelope);
  Mapped map(PredecessorBatch& batch, Timestamp now);
  void count(const Heard& heard);
  void replay_one(std::string_view bytes, Timestamp appended, Timestamp now);
  void replay_flows(const Envelope& envelope, const Envelope* outer, Timestamp appended,
                    Timestamp now);
  void replay_observations(const Envelope& envelope, Timestamp appended);
  void replay_events(const Envelope& envelope, Timestamp appended);
  void replay_relayed(const Envelope& outer, Timestamp appended, Timestamp now);
  void skip_record(const Error& error);

  Options options_;
  Spool& journal_;
  SinkOf sink_of_;
  SeenBatches seen_;
  EdgeLedger edges_;
  PacketFlows packet_flows_;
  std::mutex refused_mutex_;
  std::deque<Mapped> refused_;  // a few
  std::atomic<std::uint64_t> storage_full_ = 0, replay_damaged_ = 0;
};

}  // namespace beaconry
