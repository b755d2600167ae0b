#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "sensor/fleet/event_reader.h"
#include "sensor/fleet/image_range.h"

// What a server says to a sensor: the same however it is cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = data[0] % 32 + 1;
  const std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto range = beaconry::parse_content_range(bytes);
  if (range && (range->first > range->last || range->last >= range->total)) std::abort();
  const auto hear = [&](std::size_t at_once) {
    beaconry::EventReader reader(4096);
    std::vector<std::string> heard;
    for (std::size_t at = 0; at < bytes.size(); at += at_once) {
      const bool right = reader.take(std::string_view(bytes).substr(at, at_once),
                                     [&](const beaconry::EventReader::Event& event) {
                                       if (event.data.size() > 4096) std::abort();
                                       heard.push_back(event.name + '\n' + event.data);
                                     });
      if (!right) return std::vector<std::string>{"too long"};
    }
    return heard;
  };
  if (bytes.size() < 4096 && hear(piece) != hear(bytes.size() + 1)) std::abort();
  (void)hear(piece);
  return 0;
}
