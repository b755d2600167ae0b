// Bytes as the file of an allow-list, asked about pairs: an entry that is named must cover the
// pair.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "detect/allow_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  AllowList list;
  const auto added = list.add_lines(text, "fuzz.txt");
  if (!added && added.error().message().find("fuzz.txt line ") == std::string::npos) std::abort();

  static const char* const kPairs[] = {"10.0.0.5->203.0.113.9:443/TCP",
                                       "[2001:db8::1]->[2001:db8::2]:53/UDP",
                                       "0.0.0.0->255.255.255.255:0/ICMP"};
  static const std::string_view kNames[] = {"", "a.b.example.com", "example.com", "x"};
  for (const char* pair_text : kPairs) {
    const PairKey pair = *PairKey::parse(pair_text);
    for (const auto name : kNames) {
      const AllowEntry* found = list.match(pair, name);
      if (found == nullptr) continue;
      const auto rule = AllowRule::parse(found->text);
      if (!rule || !rule->covers(pair, name)) std::abort();
    }
  }
  return 0;
}
