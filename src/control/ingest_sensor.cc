// What sensors send: events of their instruments, and batches that they relay.
#include <algorithm>
#include <utility>

#include "control/batch_entry.h"
#include "control/ingest.h"
#include "control/relayed_edge.h"
#include "http/certificates.h"
#include "uplink/relayed_batch.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestName = 255;

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "relayed batch", std::move(cause));
}

}  // namespace

std::string relayed_edge(std::string_view sensor, std::string_view instance) {
  return sha256_hex(std::string(sensor) + '/' + std::string(instance));
}

Result<Envelope> open_relayed(const Envelope& outer, std::size_t most_bytes) {
  auto batch = decode_relayed(outer.content, most_bytes);
  if (!batch) return tl::unexpected<Error>(std::move(batch.error()));
  auto inner = decode_envelope(batch->envelope);
  if (!inner) return tl::unexpected<Error>(std::move(inner.error()));
  if (inner->content_kind != ContentKind::flows) {
    return malformed("of " + batch->instance +
                     ": only flows may be relayed, not observations, events or what is relayed");
  }
  if (inner->sequence > kMostSequence) {
    return malformed("of " + batch->instance +
                     ": no edge ever sent as many batches as its sequence says");
  }
  inner->edge = relayed_edge(outer.edge, batch->instance);
  inner->edge_name = batch->instance + '@' + outer.edge_name;
  inner->edge_name.resize(std::min(inner->edge_name.size(), kLongestName));
  // It may have waited at the sensor for days; both have one clock.
  inner->sent = outer.sent;
  return inner;
}

Ingest::Answer Ingest::forbid(const Envelope& envelope, std::string words) {
  Answer answer;
  answer.outcome = Outcome::forbidden;
  answer.words = std::move(words);
  edges_.refused(envelope.edge);
  return answer;
}

// The journal first, then the database, as with observations.
Ingest::Answer Ingest::accept_events(const Envelope& envelope, std::string_view record,
                                     const std::string& address, Timestamp now) {
  if (!options_.tell || (options_.is_sensor && !options_.is_sensor(envelope.edge))) {
    return forbid(envelope,
                  "events of instruments come of sensors: this edge was enrolled as another kind");
  }
  Answer answer;
  auto claim = seen_.claim(identity_of(envelope));
  bool repeated = !claim;
  std::vector<EdgeCounter> counters;
  Timestamp made{};
  if (!repeated) {
    auto batch = decode_instrument_events(envelope.content, options_.event_batch);
    if (!batch) return refuse_batch(batch.error(), envelope);
    if (auto kept = journal(record, now); !kept) return full(kept.error());
    answer.events = batch->events.size();
    const auto fresh = options_.tell({envelope, std::move(batch->events), now, false});
    if (!fresh) return full(fresh.error());
    repeated = !*fresh;
    counters = std::move(batch->counters);
    made = batch->made;
    claim.accepted();
  }
  if (repeated) answer.outcome = Outcome::duplicate;
  const EdgeLedger::Batch entry =
      entry_of(envelope, {made, std::move(counters), repeated ? 0 : answer.events}, now);
  count({entry, envelope.incarnation, envelope.sequence, address, repeated, {}});
  return answer;
}

void Ingest::replay_events(const Envelope& envelope, Timestamp appended) {
  if (!options_.tell) return;
  auto batch = decode_instrument_events(envelope.content, options_.event_batch);
  if (!batch) return skip_record(batch.error());
  const std::uint64_t events = batch->events.size();
  // Most were kept before the server ended; they count as received all the same.
  const auto kept = options_.tell({envelope, std::move(batch->events), appended, true});
  if (!kept) return skip_record(kept.error());
  seen_.add(identity_of(envelope));
  const EdgeLedger::Batch entry =
      entry_of(envelope, {batch->made, std::move(batch->counters), events}, appended);
  count({entry, envelope.incarnation, envelope.sequence, {}, false, {}});
}

// The sensor's batch is one of two edges: the sensor's own, by its number, and the instrument's, by
// the number inside. The inner one decides what counts: an instrument that did not hear the
// sensor's answer hands the same batch in again, and it travels by another number.
Ingest::Answer Ingest::accept_relayed(const Envelope& outer, std::string_view record,
                                      const std::string& address, Timestamp now) {
  if (options_.is_sensor && !options_.is_sensor(outer.edge)) {
    return forbid(outer, "only sensors relay batches: this edge was enrolled as another kind");
  }
  auto claim = seen_.claim(identity_of(outer));
  if (!claim) {
    Answer answer;
    answer.outcome = Outcome::duplicate;
    const EdgeLedger::Batch entry = entry_of(outer, {}, now);
    count({entry, outer.incarnation, outer.sequence, address, true, {}});
    return answer;
  }
  const auto inner = open_relayed(outer, options_.flow_batch.most_bytes);
  if (!inner) return refuse_batch(inner.error(), outer);
  Answer answer = accept_flows(*inner, &outer, record, address, now);
  if (answer.outcome != Outcome::accepted && answer.outcome != Outcome::duplicate) {
    if (answer.outcome != Outcome::storage_full && options_.refused) {
      options_.refused(outer.edge, outer.incarnation, outer.sequence);
    }
    return answer;
  }
  claim.accepted();
  const EdgeLedger::Batch entry = entry_of(outer, {}, now);
  count({entry, outer.incarnation, outer.sequence, address, false, {}});
  return answer;
}

void Ingest::replay_relayed(const Envelope& outer, Timestamp appended, Timestamp now) {
  const auto inner = open_relayed(outer, options_.flow_batch.most_bytes);
  if (!inner) return skip_record(inner.error());
  if (!seen_.contains(identity_of(*inner))) replay_flows(*inner, &outer, appended, now);
  seen_.add(identity_of(outer));
  const EdgeLedger::Batch entry = entry_of(outer, {}, appended);
  count({entry, outer.incarnation, outer.sequence, {}, false, {}});
}

}  // namespace beaconry
