#include "control/ingest.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/log.h"
#include "control/batch_entry.h"
#include "control/journal_record.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostRefusedKept = 16;

// Lets events pass once `open` has succeeded, and none if it fails. As a batch is checked before
// its first event is handed over, nothing malformed reaches the journal, and nothing that is not in
// the journal reaches the series.
class Gate final : public FlowSink {
 public:
  Gate(std::function<Result<void>()> open, FlowSink& behind)
      : open_(std::move(open)), behind_(behind) {}

  void add(const FlowEvent& event) override {
    if (passes()) behind_.add(event);
  }
  void settle() override {
    if (is_asked_ && result_) behind_.settle();
  }
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override {
    if (passes()) behind_.add_host_name(host, name, time);
  }
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override {
    if (passes()) behind_.add_address_name(address, name, time);
  }

  bool passes() {
    if (!is_asked_) {
      is_asked_ = true;
      result_ = open_();
    }
    return result_.has_value();
  }
  const Error& error() const { return result_.error(); }

 private:
  std::function<Result<void>()> open_;
  FlowSink& behind_;
  bool is_asked_ = false;
  Result<void> result_;
};

// A predecessor's mapped events on their way to the journal, kept for the series.
class Mapping final : public FlowSink {
 public:
  explicit Mapping(std::vector<FlowEvent>& events) : events_(events) {}
  void add(const FlowEvent& event) override {
    builder.add(event);
    events_.push_back(event);
  }
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}

  FlowBatchBuilder builder;

 private:
  std::vector<FlowEvent>& events_;
};

// To the series and to what is remembered of a predecessor's flows.
class Restoring final : public FlowSink {
 public:
  Restoring(FlowSink& series, PacketFlows& flows, std::string_view node)
      : series_(series), flows_(flows), node_(node) {}
  void add(const FlowEvent& event) override {
    series_.add(event);
    flows_.restore(node_, event);
  }
  void settle() override { series_.settle(); }
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}

 private:
  FlowSink& series_;
  PacketFlows& flows_;
  std::string_view node_;
};

// Such a one would never be taken: the sender must not try again.
Error too_long() {
  return {ErrorKind::limit, "keep", "batch",
          "it is longer than the journal takes; send smaller ones or raise "
          "control_plane.journal_bytes"};
}

EdgeLedger::Batch entry_of(const PredecessorRecord& record, Timestamp received) {
  EdgeLedger::Batch entry;
  entry.id = entry.name = record.node_id;
  entry.predecessor = true;
  entry.events = record.events;
  entry.invalid_events = record.invalid_events;
  entry.received = received;
  entry.dropped_ebpf = record.dropped_ebpf;
  entry.dropped_overflow = record.dropped_overflow;
  return entry;
}

}  // namespace

Ingest::Ingest(Options options, Spool& journal, SinkOf sink_of)
    : options_(std::move(options)),
      journal_(journal),
      sink_of_(std::move(sink_of)),
      packet_flows_(options_.packet_flows) {}

Result<void> Ingest::journal(std::string_view record, Timestamp now) {
  auto sequence = journal_.append(record, now);
  if (!sequence) return tl::unexpected<Error>(std::move(sequence.error()));
  return journal_.sync(*sequence);
}

Ingest::Answer Ingest::refuse(const Error& error, const std::string& edge) {
  Answer answer;
  answer.words = error.message();
  answer.outcome = error.kind == ErrorKind::malformed ? Outcome::malformed : Outcome::too_large;
  edges_.refused(edge);
  return answer;
}

Ingest::Answer Ingest::refuse_batch(const Error& error, const Envelope& envelope) {
  if (options_.refused) options_.refused(envelope.edge, envelope.incarnation, envelope.sequence);
  return refuse(error, envelope.edge);
}

void Ingest::count(const Heard& heard) {
  if (heard.repeated) {
    edges_.duplicate(heard.batch.id);
  } else {
    edges_.accepted(heard.batch);
  }
  if (options_.heard) options_.heard(heard);
}

Ingest::Answer Ingest::accept_envelope(std::string_view body, std::string_view key,
                                       const std::string& address, Timestamp now) {
  auto envelope = decode_envelope(body);
  if (!envelope) return refuse(envelope.error(), {});
  const auto needs_key = [&](const std::string& edge) {
    return options_.needs_key && options_.needs_key(edge);
  };
  // Else whoever has a token could send for another, and use up its sequence numbers.
  if (envelope->edge != key && needs_key(envelope->edge)) {
    Answer answer;
    answer.outcome = Outcome::forbidden;
    answer.words = "the edge that it names is enrolled: its batches come with its key, by https";
    edges_.refused({});
    return answer;
  }
  if (envelope->sequence > kMostSequence) {
    return refuse(Error{ErrorKind::malformed, "read", "envelope",
                        "no edge ever sent as many batches as its sequence says"},
                  {});
  }
  if (!key.empty() && envelope->edge != key &&
      (!options_.needs_key || needs_key(std::string(key)))) {
    return refuse(Error{ErrorKind::malformed, "read", "envelope",
                        "its edge is not the one whose certificate came with it"},
                  std::string(key));
  }
  const std::string record = journal_record(body);
  if (record.size() > options_.longest_record) return refuse_batch(too_long(), *envelope);
  switch (envelope->content_kind) {
    case ContentKind::observations:
      return accept_observations(*envelope, record, address, now);
    case ContentKind::instrument_events:
      return accept_events(*envelope, record, address, now);
    case ContentKind::relayed:
      return accept_relayed(*envelope, record, address, now);
    case ContentKind::flows:
      break;
  }
  return accept_flows(*envelope, nullptr, record, address, now);
}

// `outer`: what it came in, for a batch that a sensor relays.
Ingest::Answer Ingest::accept_flows(const Envelope& envelope, const Envelope* outer,
                                    std::string_view record, const std::string& address,
                                    Timestamp now) {
  const std::string relayed_by = outer == nullptr ? std::string() : outer->edge;
  Answer answer;
  auto claim = seen_.claim(identity_of(envelope));
  if (!claim) {
    answer.outcome = Outcome::duplicate;
    const EdgeLedger::Batch entry = entry_of(envelope, {}, now);
    count({entry, envelope.incarnation, envelope.sequence, address, true, relayed_by});
    return answer;
  }
  const auto series = sink_of_(envelope.edge, now);
  Gate gate(
      [&] {
        auto kept = journal(record, now);
        if (kept) claim.accepted();
        return kept;
      },
      *series);
  auto content = decode_flow_batch(envelope.content, options_.flow_batch, gate);
  if (!content) return refuse_batch(content.error(), envelope);
  if (!gate.passes()) return full(gate.error());
  series->settle();
  answer.events = content->events;
  const EdgeLedger::Batch entry = entry_of(envelope, std::move(*content), now);
  count({entry, envelope.incarnation, envelope.sequence, address, false, relayed_by});
  return answer;
}

Ingest::Answer Ingest::full(const Error& error) {
  ++storage_full_;
  Answer answer;
  answer.outcome = Outcome::storage_full;
  answer.words = error.message();
  return answer;
}

// The journal first, then the database: what only the journal got is refused here, but a restart
// reads it again, and then it is told from what the sender sends again.
Ingest::Answer Ingest::accept_observations(const Envelope& envelope, std::string_view record,
                                           const std::string& address, Timestamp now) {
  Answer answer;
  if (!options_.observe || (options_.may_observe && !options_.may_observe(envelope.edge))) {
    return forbid(envelope, "observations come of homes: this edge was enrolled as another kind");
  }
  auto claim = seen_.claim(identity_of(envelope));
  bool repeated = !claim;
  std::vector<EdgeCounter> counters;
  Timestamp made{};
  if (!repeated) {
    auto batch = decode_observations(envelope.content, options_.observation_batch);
    if (!batch) return refuse_batch(batch.error(), envelope);
    if (auto kept = journal(record, now); !kept) return full(kept.error());
    answer.events = batch->observations.size();
    const auto fresh = options_.observe({envelope, std::move(batch->observations), now, false});
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

Ingest::Mapped Ingest::map(PredecessorBatch& batch, Timestamp now) {
  const auto digest = batch.digest();
  {
    const std::lock_guard lock(refused_mutex_);
    const auto at = std::find_if(refused_.begin(), refused_.end(),
                                 [&](const Mapped& m) { return m.digest == digest; });
    if (at != refused_.end()) {
      Mapped mapped = std::move(*at);
      refused_.erase(at);
      return mapped;
    }
  }
  Mapped mapped;
  mapped.digest = digest;
  Mapping mapping(mapped.events);
  packet_flows_.add(batch.node_id, batch.events, mapping);
  mapped.content = mapping.builder.finish(now, {});
  return mapped;
}

Ingest::Answer Ingest::accept_predecessor(std::string body, bool gzip, const std::string& address,
                                          Timestamp now) {
  if (gzip) {
    auto plain = gunzip(body, options_.predecessor.most_bytes);
    if (!plain) return refuse(plain.error(), {});
    body = std::move(*plain);
  }
  auto batch = decode_predecessor_batch(body, options_.predecessor);
  if (!batch) return refuse(batch.error(), {});
  Answer answer;
  answer.events = batch->events.size();
  answer.invalid_events = batch->invalid_events;
  answer.batch_id = batch->batch_id;
  answer.batch_id_is_text = batch->batch_id_is_text;
  answer.words = batch->first_invalid;

  PredecessorRecord record;
  record.digest = batch->digest();
  record.batch_id = batch->batch_id;
  record.node_id = batch->node_id;
  auto claim = seen_.claim({{}, 0, record.digest});
  if (!claim) {
    answer.outcome = Outcome::duplicate;
    const EdgeLedger::Batch entry = entry_of(record, now);
    count({entry, {}, 0, address, true, {}});
    return answer;
  }
  record.events = answer.events;
  record.invalid_events = batch->invalid_events;
  record.dropped_ebpf = batch->dropped_ebpf;
  record.dropped_overflow = batch->dropped_overflow;
  Mapped mapped = map(*batch, now);
  record.content = std::move(mapped.content);
  const std::string bytes = journal_record(record);
  if (bytes.size() > options_.longest_record) return refuse(too_long(), batch->node_id);
  if (auto kept = journal(bytes, now); !kept) {
    mapped.content = std::move(record.content);
    const std::lock_guard lock(refused_mutex_);
    refused_.push_back(std::move(mapped));
    if (refused_.size() > kMostRefusedKept) refused_.pop_front();
    ++storage_full_;
    answer.outcome = Outcome::storage_full;
    answer.words = kept.error().message();
    return answer;
  }
  claim.accepted();
  const auto series = sink_of_(batch->node_id, now);
  for (const FlowEvent& event : mapped.events)
    series->add(event);
  series->settle();
  const EdgeLedger::Batch entry = entry_of(record, now);
  count({entry, {}, 0, address, false, {}});
  return answer;
}

void Ingest::skip_record(const Error& error) {
  if (++replay_damaged_ == 1) log_warning(error.message());
}

void Ingest::replay_flows(const Envelope& envelope, const Envelope* outer, Timestamp appended,
                          Timestamp now) {
  const auto series = sink_of_(envelope.edge, now);
  auto content = decode_flow_batch(envelope.content, options_.flow_batch, *series);
  if (!content) return skip_record(content.error());
  series->settle();
  seen_.add(identity_of(envelope));
  const EdgeLedger::Batch entry = entry_of(envelope, std::move(*content), appended);
  count({entry,
         envelope.incarnation,
         envelope.sequence,
         {},
         false,
         outer == nullptr ? std::string() : outer->edge});
}

void Ingest::replay_observations(const Envelope& envelope, Timestamp appended) {
  if (!options_.observe) return;
  auto batch = decode_observations(envelope.content, options_.observation_batch);
  if (!batch) return skip_record(batch.error());
  const std::uint64_t events = batch->observations.size();
  // Most were kept before the server ended; they count as received all the same.
  const auto kept = options_.observe({envelope, std::move(batch->observations), appended, true});
  if (!kept) return skip_record(kept.error());
  seen_.add(identity_of(envelope));
  const EdgeLedger::Batch entry =
      entry_of(envelope, {batch->made, std::move(batch->counters), events}, appended);
  count({entry, envelope.incarnation, envelope.sequence, {}, false, {}});
}

void Ingest::replay_one(std::string_view bytes, Timestamp appended, Timestamp now) {
  auto record = read_journal_record(bytes);
  if (!record) return skip_record(record.error());
  // A batch whose sync failed was refused and sent again, and may be there twice.
  if (auto* envelope = std::get_if<Envelope>(&*record)) {
    if (seen_.contains(identity_of(*envelope))) return;
    switch (envelope->content_kind) {
      case ContentKind::observations:
        return replay_observations(*envelope, appended);
      case ContentKind::instrument_events:
        return replay_events(*envelope, appended);
      case ContentKind::relayed:
        return replay_relayed(*envelope, appended, now);
      case ContentKind::flows:
        return replay_flows(*envelope, nullptr, appended, now);
    }
  }
  const auto& batch = std::get<PredecessorRecord>(*record);
  if (seen_.contains({{}, 0, batch.digest})) return;
  const auto series = sink_of_(batch.node_id, now);
  Restoring restoring(*series, packet_flows_, batch.node_id);
  const auto content = decode_flow_batch(batch.content, options_.flow_batch, restoring);
  if (!content) return skip_record(content.error());
  series->settle();
  seen_.add({{}, 0, batch.digest});
  const EdgeLedger::Batch entry = entry_of(batch, appended);
  count({entry, {}, 0, {}, false, {}});
}

Result<void> Ingest::replay(Timestamp now, const std::function<bool(double)>& proceed) {
  const std::uint64_t first = journal_.first(), end = journal_.next();
  for (std::uint64_t sequence = first; sequence < end;) {
    auto record = journal_.read(sequence);
    if (!record) return tl::unexpected<Error>(std::move(record.error()));
    if (!*record || (*record)->sequence >= end) break;
    replay_one((*record)->bytes, (*record)->appended, now);
    sequence = (*record)->sequence + 1;
    const double part = static_cast<double>(sequence - first) / static_cast<double>(end - first);
    if (!proceed(part)) return fail(ErrorKind::usage, "read", "the journal", "stopped");
  }
  return {};
}

}  // namespace beaconry
