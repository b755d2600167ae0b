#pragma once
#include <cstdint>
#include <cstdio>
#include <string>

namespace beaconry::bench {

// Numbers as a table has them: "1.25 s", "4,800,000".
inline std::string with_unit(double value, int digits, const char* unit) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f%s%s", digits, value, *unit == '\0' ? "" : " ", unit);
  return text;
}

inline std::string whole(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, ",");
  return text;
}

}  // namespace beaconry::bench
