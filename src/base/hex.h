#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace beaconry {

// Digits and a to f: as SHA-256 sums (64) and keys are written everywhere here.
inline bool is_lower_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

inline std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4U]);
    text.push_back(kDigits[byte & 15U]);
  }
  return text;
}

// What to_hex() wrote; empty: no such digits, or an odd number of them.
inline std::string from_hex(std::string_view text) {
  if (text.size() % 2 != 0 || !is_lower_hex(text, text.size())) return {};
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1])));
  return bytes;
}

}  // namespace beaconry
