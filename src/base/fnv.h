#pragma once

#include <cstdint>
#include <string_view>

namespace beaconry {

// FNV-1a of 64 bits: the same over versions and machines. For marks and names that need only
// differ; it withstands nobody.
inline constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325;

constexpr std::uint64_t fnv1a(std::uint64_t hash, std::uint8_t byte) {
  return (hash ^ byte) * 0x100000001b3;
}

constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = kFnvBasis) {
  for (const char one : text)
    hash = fnv1a(hash, static_cast<std::uint8_t>(one));
  return hash;
}

}  // namespace beaconry
