// What a broker sends, as a client takes it: packet after packet of a stream that is cut anywhere.
#include <cstdint>
#include <cstdlib>

#include "bus/mqtt_packet.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry::mqtt;
  constexpr std::size_t kLongest = 4096;
  std::string_view stream(reinterpret_cast<const char*>(data), size);
  while (true) {
    const auto taken = take_packet(stream, kLongest);
    if (!taken || !*taken) break;
    const std::size_t bytes = (*taken)->bytes;
    require(bytes >= 2 && bytes <= stream.size() && bytes <= kLongest + 5);
    // It is not there before its last byte.
    const auto less = take_packet(stream.substr(0, bytes - 1), kLongest);
    require(less.has_value() && !less->has_value());
    if (const auto* publish = std::get_if<Publish>(&(*taken)->packet)) {
      const std::string again = encode_publish(publish->topic, publish->payload, publish->id);
      const auto second = take_packet(again, kLongest);
      require(second.has_value() && second->has_value());
      const auto* same = std::get_if<Publish>(&(*second)->packet);
      require(same != nullptr && same->topic == publish->topic &&
              same->payload == publish->payload && same->id == publish->id);
    }
    stream.remove_prefix(bytes);
  }
  return 0;
}
