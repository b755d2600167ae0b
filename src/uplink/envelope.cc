#include <uplink.pb.h>  // generated

#include "base/hex.h"
#include "uplink/flow_batch.h"
#include "uplink/wire.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostFields = 64;  // of an envelope; newer versions may add some

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "envelope", std::move(cause));
}

}  // namespace

std::string encode_envelope(const Envelope& envelope) {
  uplink::silence_protobuf();
  uplink::Envelope message;
  message.set_edge(envelope.edge);
  message.set_edge_name(envelope.edge_name);
  message.set_incarnation(envelope.incarnation);
  message.set_sequence(envelope.sequence);
  message.set_sent_us(envelope.sent.time_since_epoch().count());
  message.set_content(envelope.content);
  message.set_batches_dropped(envelope.batches_dropped);
  message.set_content_kind(static_cast<std::uint32_t>(envelope.content_kind));
  return message.SerializeAsString();
}

Result<Envelope> decode_envelope(std::string_view bytes) {
  uplink::silence_protobuf();
  uplink::WireReader reader(bytes);
  uplink::WireField field;
  std::size_t fields = 0;
  while (reader.next(field)) {
    if (++fields > kMostFields) return malformed("it has too many fields");
  }
  uplink::Envelope message;
  if (reader.malformed() || bytes.size() > INT32_MAX ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return malformed("it is no beaconry.uplink.Envelope (proto/uplink.proto)");
  }
  if (!is_lower_hex(message.edge(), 64)) {
    return malformed("edge is not 64 hex digits, the SHA-256 of the edge's public key");
  }
  if (!is_lower_hex(message.incarnation(), 32))
    return malformed("incarnation is not 32 hex digits");
  if (message.edge_name().size() > uplink::kLongestText ||
      !uplink::is_plain_text(message.edge_name())) {
    return malformed("edge_name is longer than 255 bytes or has control characters");
  }
  if (message.sequence() == 0) return malformed("sequence is 0; batches count from 1");
  const Timestamp sent{Duration{message.sent_us()}};
  if (sent < kEarliest || sent > kLatest) return malformed("sent_us is not in years 1970 to 2200");
  if (message.content_kind() > static_cast<std::uint32_t>(ContentKind::relayed)) {
    return malformed("content_kind " + std::to_string(message.content_kind()) +
                     " is none that this version knows: the edge is newer than the server");
  }
  Envelope envelope;
  envelope.edge = std::move(*message.mutable_edge());
  envelope.edge_name = std::move(*message.mutable_edge_name());
  envelope.incarnation = std::move(*message.mutable_incarnation());
  envelope.sequence = message.sequence();
  envelope.sent = sent;
  envelope.content = std::move(*message.mutable_content());
  envelope.batches_dropped = message.batches_dropped();
  envelope.content_kind = static_cast<ContentKind>(message.content_kind());
  return envelope;
}

}  // namespace beaconry
