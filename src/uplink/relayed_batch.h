#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// A batch that an instrument sends by its sensor, as the content of an Envelope whose content_kind
// is `relayed`. The sensor does not open its content: who sent it is what the sensor says, never
// what the inner envelope says. proto/uplink.proto, docs/formats/uplink.md.
struct RelayedBatch {
  std::string instance;  // detector_0
  Timestamp taken{};     // when the sensor took it, by its clock
  std::string envelope;  // bytes of an Envelope, as they came
};

std::string encode_relayed(const RelayedBatch& batch);  // the time is brought into range
// Checks what the sensor said; the inner envelope stays as it is.
Result<RelayedBatch> decode_relayed(std::string_view content, std::size_t most_bytes);

// Whose an encode_relayed() of ours is, without what it carries.
Result<std::string> instance_of_relayed(std::string_view content);

}  // namespace beaconry
