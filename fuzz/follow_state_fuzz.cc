// A checkpoint of followed logs as a bad disk or somebody else left it. Its checksum is made good
// here, or nothing behind it would ever be reached.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "source/follow_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  std::string text(reinterpret_cast<const char*>(data), size);
  require(!parse_follow_state(text + "end 0"));
  if (text.empty() || text.back() != '\n') text += '\n';
  char hash[32];
  std::snprintf(hash, sizeof hash, "%" PRIx64, FlowNames::hash(text));
  const auto state = parse_follow_state(text + "end " + hash + '\n');
  if (!state) return 0;
  const std::string written = to_text(*state);
  const auto again = parse_follow_state(written);
  require(again.has_value());
  require(to_text(*again) == written);
  return 0;
}
