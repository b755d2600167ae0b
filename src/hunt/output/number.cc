#include "hunt/output/number.h"

#include <charconv>
#include <cmath>

namespace beaconry {

std::string_view six_decimals(double value, NumberBuffer& buffer) {
  char* end = buffer.data();
  char* const limit = buffer.data() + buffer.size();
  if (std::abs(value) >= 9e12) {
    end = std::to_chars(end, limit, value).ptr;
  } else {
    const long long millionths = std::llround(value * 1e6);
    const auto size = static_cast<unsigned long long>(std::abs(millionths));
    if (millionths < 0) *end++ = '-';
    end = std::to_chars(end, limit, size / 1'000'000).ptr;
    *end++ = '.';
    auto rest = static_cast<unsigned>(size % 1'000'000);
    unsigned unit = 100'000;
    do {
      *end++ = static_cast<char>('0' + rest / unit);
      rest %= unit;
      unit /= 10;
    } while (rest != 0);
  }
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

}  // namespace beaconry
