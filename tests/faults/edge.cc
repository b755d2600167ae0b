#include "faults/edge.h"

#include <gtest/gtest.h>

#include "faults/server.h"
#include "uplink/flow_batch.h"

namespace beaconry::faults {

std::string batch_of(unsigned flows, std::uint64_t first, Timestamp time) {
  constexpr std::uint32_t kPairs = 50;
  FlowBatchBuilder builder;
  for (std::uint64_t i = first; i < first + flows; ++i) {
    FlowEvent event;
    event.pair.source = IpAddress::v4(0x0a000001 + static_cast<std::uint32_t>(i % kPairs));
    event.pair.destination = IpAddress::v4(0xcb007109);
    event.pair.port = 443;
    event.pair.protocol = PairKey::parse("10.0.0.1->10.0.0.2:1/TCP")->protocol;
    event.source_port = static_cast<std::uint16_t>(1024 + i % 60'000);
    event.time = time + std::chrono::microseconds{i * 37 % 1'000'000};
    event.duration = std::chrono::milliseconds{i * 7919 % 10'000};
    event.bytes_out = i * 104'729 % 100'000;
    event.bytes_in = i * 1'299'709 % 1'000'000;
    builder.add(event);
  }
  return builder.finish(time, {});
}

std::string envelope_of(std::string content, std::uint64_t sequence, Timestamp sent,
                        const std::string& name) {
  Envelope envelope;
  envelope.edge = std::string(64, 'a');
  envelope.edge_name = name;
  envelope.incarnation = std::string(32, 'b');
  envelope.sequence = sequence;
  envelope.sent = sent;
  envelope.content = std::move(content);
  return encode_envelope(envelope);
}

Edge::Edge(const Options& options) : options_(options) {
  Spool::Options spool;
  spool.folder = options.folder;
  spool.most_bytes = options.most_bytes;
  spool.segment_bytes = options.segment_bytes;
  spool_ = std::move(Spool::open(spool).value());
}

void Edge::begin_sending() {
  Sender::Options sender;
  sender.server.url = options_.url;
  sender.server.use_proxy = false;
  sender.edge = options_.key;
  sender.edge_name = options_.name;
  sender.first_pause = std::chrono::milliseconds{20};
  sender.longest_pause = std::chrono::milliseconds{100};
  sender_ = std::move(Sender::start(sender, *spool_, [ahead = options_.clock_ahead] {
                        return now() + ahead;
                      }).value());
}

void Edge::add(unsigned flows, Duration ahead) {
  const auto added = spool_->append(batch_of(flows, flows_, now() + ahead), now());
  ASSERT_TRUE(added) << added.error().message();
  flows_ += flows;
  ++batches_;
  if (sender_) sender_->wake();
}

}  // namespace beaconry::faults
