#include "uplink/observation_batch.h"

#include <google/protobuf/arena.h>
#include <uplink.pb.h>  // generated

#include <algorithm>

#include "uplink/batch_counters.h"
#include "uplink/wire.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

constexpr int kLevel = 1;  // most of a ping is random: a higher level only costs time
using uplink::Observed;

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "batch", std::move(cause));
}

std::int64_t microseconds(Timestamp time) {
  return std::clamp(time, kEarliest, kLatest).time_since_epoch().count();
}

// The objects of one batch, taken at once and left at once.
google::protobuf::ArenaOptions arena_options() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = options.max_block_size = std::size_t{1} << 20;
  return options;
}

std::string_view bytes_of(const IpAddress& address) {
  const auto all = as_text(address.bytes());
  if (address.is_v4()) return all.substr(12);
  return address == IpAddress{} ? std::string_view{} : all;
}

template <class Text>
void put_text(Text& text, std::string_view value) {
  text.assign(value.data(), value.size());
}

void put(const Observation& seen, Observed& message, std::string& buffer) {
  message.set_received_us(microseconds(seen.received));
  message.set_authenticity(static_cast<std::uint32_t>(seen.authenticity));
  message.set_carrier(static_cast<std::uint32_t>(seen.carrier));
  std::string_view receiver = uplink::cleaned(seen.receiver, buffer);
  receiver = receiver.substr(0, std::min(receiver.size(), kLongestReceiver));
  put_text(*message.mutable_receiver(), receiver);
  message.set_retired(seen.retired);
  if (seen.authenticity != Authenticity::unknown_key) {
    const Bytes ping = encode_ping(seen.ping);
    put_text(*message.mutable_ping(), as_text(ping));
  }
  put_text(*message.mutable_source(), bytes_of(seen.source));
  put_text(*message.mutable_destination(), bytes_of(seen.destination));
  message.set_source_port(seen.source_port);
  message.set_destination_port(seen.destination_port);
  message.set_protocol(seen.protocol);
  message.set_ttl(seen.ttl);
  put_text(*message.mutable_raw(),
           std::string_view(seen.raw).substr(0, std::min(seen.raw.size(), Observation::kMostRaw)));
}

// What a batch holds, counted before objects are made of it: two bytes on the wire may become two
// hundred in memory.
Result<std::size_t> count_observations(std::string_view plain,
                                       const ObservationBatchLimits& limits) {
  constexpr std::size_t kMostOthers = 1024, kMostParts = 64;
  std::size_t observations = 0, counters = 0, others = 0;
  uplink::WireReader reader(plain);
  uplink::WireField field;
  while (reader.next(field)) {
    if (field.number == uplink::ObservationBatch::kObservationsFieldNumber && field.type == 2) {
      if (++observations > limits.most_observations) {
        return uplink::past("observations", limits.most_observations);
      }
      if (!uplink::has_at_most(field.bytes, kMostParts)) {
        return uplink::past("fields of an observation", kMostParts);
      }
    } else if (field.number == uplink::ObservationBatch::kCountersFieldNumber) {
      if (++counters > uplink::kMostCounters) {
        return uplink::past("counters", uplink::kMostCounters);
      }
      if (!uplink::has_at_most(field.bytes, kMostParts)) {
        return uplink::past("fields of a counter", kMostParts);
      }
    } else if (++others > kMostOthers) {
      return uplink::past("other fields", kMostOthers);
    }
  }
  if (reader.malformed()) {
    return malformed("it is no beaconry.uplink.ObservationBatch (proto/uplink.proto)");
  }
  return observations;
}

bool read_time(std::int64_t value, Timestamp& time) {
  time = Timestamp{Duration{value}};
  return time >= kEarliest && time <= kLatest;
}

bool read_address(const std::string& bytes, IpAddress& address) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (bytes.size() == 4) address = IpAddress::v4_bytes(at);
  if (bytes.size() == 16) address = IpAddress::v6_bytes(at);
  return bytes.empty() || bytes.size() == 4 || bytes.size() == 16;
}

template <class Number>
bool read_number(std::uint32_t value, Number& number) {
  number = static_cast<Number>(value);
  return value <= std::numeric_limits<Number>::max();
}

bool is_receiver(const std::string& text) {
  return !text.empty() && text.size() <= kLongestReceiver && uplink::is_plain_text(text);
}

// The cause of a refusal, or nothing.
const char* read(const Observed& message, Observation& seen) {
  if (!read_time(message.received_us(), seen.received)) {
    return "an observation's received_us is not in years 1970 to 2200";
  }
  if (message.authenticity() < 1 ||
      message.authenticity() > static_cast<std::uint32_t>(Authenticity::unknown_key)) {
    return "an observation's authenticity is unknown";
  }
  seen.authenticity = static_cast<Authenticity>(message.authenticity());
  if (message.carrier() < 1 || message.carrier() > static_cast<std::uint32_t>(Carrier::injected)) {
    return "an observation's carrier is unknown";
  }
  seen.carrier = static_cast<Carrier>(message.carrier());
  if (!is_receiver(message.receiver())) {
    return "an observation's receiver is empty, too long or not plain text";
  }
  seen.receiver = message.receiver();
  seen.retired = message.retired();
  if (message.ping().empty() != (seen.authenticity == Authenticity::unknown_key)) {
    return "an observation's ping and its authenticity disagree";
  }
  if (!message.ping().empty()) {
    const auto ping = decode_ping(as_bytes(message.ping()));
    if (!ping) return "an observation's ping cannot be read (docs/formats/ping.md)";
    seen.ping = *ping;
  }
  if (!read_address(message.source(), seen.source) ||
      !read_address(message.destination(), seen.destination)) {
    return "an observation's address has neither 0, 4 nor 16 bytes";
  }
  if (!read_number(message.source_port(), seen.source_port) ||
      !read_number(message.destination_port(), seen.destination_port) ||
      !read_number(message.protocol(), seen.protocol) || !read_number(message.ttl(), seen.ttl)) {
    return "an observation's port, protocol or ttl is out of range";
  }
  if (message.raw().size() > Observation::kMostRaw) return "an observation's raw is too long";
  seen.raw = message.raw();
  return nullptr;
}

}  // namespace

std::string encode_observations(const ObservationBatch& batch) {
  uplink::silence_protobuf();
  google::protobuf::Arena arena(arena_options());
  auto& message = *google::protobuf::Arena::CreateMessage<uplink::ObservationBatch>(&arena);
  std::string buffer;
  message.set_made_us(microseconds(batch.made));
  message.mutable_observations()->Reserve(static_cast<int>(batch.observations.size()));
  for (const Observation& seen : batch.observations)
    put(seen, *message.add_observations(), buffer);
  uplink::put_counters(batch.counters, *message.mutable_counters(), buffer);
  return uplink::compress(message.SerializeAsString(), kLevel);
}

Result<ObservationBatch> decode_observations(std::string_view content,
                                             const ObservationBatchLimits& limits) {
  uplink::silence_protobuf();
  const std::size_t most_bytes = std::min<std::size_t>(limits.most_bytes, INT32_MAX);
  const auto plain = uplink::decompress(content, most_bytes);
  if (!plain) return tl::unexpected<Error>(plain.error());
  const auto count = count_observations(plain->view(), limits);
  if (!count) return tl::unexpected<Error>(count.error());

  google::protobuf::Arena arena(arena_options());
  auto& message = *google::protobuf::Arena::CreateMessage<uplink::ObservationBatch>(&arena);
  message.mutable_observations()->Reserve(static_cast<int>(*count));
  if (!message.ParseFromArray(plain->bytes.get(), static_cast<int>(plain->size))) {
    return malformed("it is no beaconry.uplink.ObservationBatch (proto/uplink.proto)");
  }
  ObservationBatch batch;
  if (!read_time(message.made_us(), batch.made)) {
    return malformed("made_us is not in years 1970 to 2200");
  }
  if (const char* fault = uplink::find_counter_fault(message.counters())) return malformed(fault);
  batch.observations.resize(static_cast<std::size_t>(message.observations_size()));
  for (int i = 0; i < message.observations_size(); ++i) {
    const char* fault =
        read(message.observations(i), batch.observations[static_cast<std::size_t>(i)]);
    if (fault != nullptr) return malformed(fault);
  }
  batch.counters = uplink::take_counters(message.counters());
  return batch;
}

}  // namespace beaconry
