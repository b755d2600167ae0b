// What instruments, the platform and the broker's plugin say, as each is read by its hearer. What
// was taken must come back the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "bus/dynamic_security.h"
#include "bus/messages.h"
#include "bus/topics.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

template <class Message>
void check(const Message& message, beaconry::Result<Message> (*decode)(std::string_view)) {
  const std::string said = beaconry::encode(message);
  const auto again = decode(said);
  require(again.has_value() && beaconry::encode(*again) == said);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto message = decode_from_instrument(text)) check(*message, decode_from_instrument);
  if (const auto message = decode_to_instrument(text)) check(*message, decode_to_instrument);
  if (const auto message = decode_direct(text)) check(*message, decode_direct);
  if (const auto event = decode_event(text)) check(*event, decode_event);
  if (const auto health = parse_health(text)) {
    require(parse_health(health_json(*health)).has_value());
  }
  dynamic_security::read_answer(text, "t");
  if (const auto name = InstanceName::parse(text)) require(name->to_string() == text);
  return 0;
}
