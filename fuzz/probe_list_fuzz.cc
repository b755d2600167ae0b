// What a server, or a file, tells home of its probes.
#include <cstdint>
#include <cstdlib>

#include "home/probe_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const auto list = parse_probe_list(as_text({data, size}));
  if (!list) return 0;
  if (list->probes.size() > KeyRing::kMostProbes || list->version.size() > 64) std::abort();
  for (const ProbeList::Control& control : list->controls) {
    if (control.every < std::chrono::seconds{1}) std::abort();
  }
  return 0;
}
