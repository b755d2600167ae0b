#include "escape/translated.h"

#include <array>

namespace beaconry {

std::vector<IpAddress> translated_forms(const IpAddress& v4) {
  const std::uint8_t* bytes = v4.bytes().data() + 12;
  std::array<std::uint8_t, 16> well_known{0x00, 0x64, 0xff, 0x9b};
  std::array<std::uint8_t, 16> local{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01};
  std::array<std::uint8_t, 16> split = local;  // /48: around the eighth byte, which stays zero
  for (std::size_t i = 0; i < 4; ++i) {
    well_known[12 + i] = local[12 + i] = bytes[i];
    split[(i < 2 ? 6 : 7) + i] = bytes[i];
  }
  std::vector<IpAddress> all;
  for (const auto& form : {well_known, local, split})
    all.push_back(IpAddress::v6_bytes(form.data()));
  return all;
}

}  // namespace beaconry
