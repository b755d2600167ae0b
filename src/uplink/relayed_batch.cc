#include "uplink/relayed_batch.h"

#include <uplink.pb.h>  // generated

#include <algorithm>

#include "uplink/instrument_event_batch.h"
#include "uplink/wire.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

constexpr int kLevel = 1;  // what is inside is compressed already
constexpr std::size_t kMostFields = 64;
constexpr std::size_t kInstanceWithin = 128;  // the first field, as ours are written

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "relayed batch", std::move(cause));
}

}  // namespace

std::string encode_relayed(const RelayedBatch& batch) {
  uplink::silence_protobuf();
  uplink::RelayedBatch message;
  message.set_instance(batch.instance);
  message.set_taken_us(std::clamp(batch.taken, kEarliest, kLatest).time_since_epoch().count());
  message.set_envelope(batch.envelope);
  return uplink::compress(message.SerializeAsString(), kLevel);
}

Result<RelayedBatch> decode_relayed(std::string_view content, std::size_t most_bytes) {
  uplink::silence_protobuf();
  const auto plain =
      uplink::decompress(content, std::min<std::size_t>(most_bytes, std::size_t{INT32_MAX}));
  if (!plain) return tl::unexpected<Error>(plain.error());
  if (!uplink::has_at_most(plain->view(), kMostFields)) {
    return uplink::past("fields of a relayed batch", kMostFields);
  }
  uplink::RelayedBatch message;
  if (!message.ParseFromArray(plain->bytes.get(), static_cast<int>(plain->size))) {
    return malformed("it is no beaconry.uplink.RelayedBatch (proto/uplink.proto)");
  }
  if (!is_instance_name(message.instance())) {
    return malformed("its instance is none such as detector_0");
  }
  RelayedBatch batch;
  batch.taken = Timestamp{Duration{message.taken_us()}};
  if (batch.taken < kEarliest || batch.taken > kLatest) {
    return malformed("taken_us is not in years 1970 to 2200");
  }
  if (message.envelope().empty()) return malformed("it has no envelope inside");
  batch.instance = std::move(*message.mutable_instance());
  batch.envelope = std::move(*message.mutable_envelope());
  return batch;
}

Result<std::string> instance_of_relayed(std::string_view content) {
  const auto start = uplink::decompress_start(content, kInstanceWithin);
  if (!start) return tl::unexpected<Error>(start.error());
  uplink::WireReader fields(*start);
  uplink::WireField first;
  if (!fields.next(first) || first.number != uplink::RelayedBatch::kInstanceFieldNumber ||
      first.type != 2 || !is_instance_name(first.bytes)) {
    return malformed("it does not begin with its instance");
  }
  return std::string(first.bytes);
}

}  // namespace beaconry
