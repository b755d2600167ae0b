#include "ping/proof_addresses.h"

#include <array>

namespace beaconry {
namespace {

constexpr std::uint8_t kFirst = 240;
constexpr std::size_t kCount = 6, kEach = 3;

}  // namespace

std::vector<IpAddress> proof_addresses(const ReplyProof& proof) {
  std::vector<IpAddress> addresses;
  for (std::size_t i = 0; i < kCount; ++i) {
    std::array<std::uint8_t, 4> bytes{static_cast<std::uint8_t>(kFirst + i)};
    for (std::size_t j = 0; j < kEach && i * kEach + j < proof.size(); ++j)
      bytes[1 + j] = proof[i * kEach + j];
    addresses.push_back(IpAddress::v4_bytes(bytes.data()));
  }
  return addresses;
}

std::optional<ReplyProof> proof_in_addresses(std::span<const IpAddress> addresses) {
  std::array<std::optional<IpAddress>, kCount> parts;
  for (const IpAddress& address : addresses) {
    const std::uint32_t first = address.is_v4() ? address.v4_value() >> 24 : 0;
    if (first < kFirst || first >= kFirst + kCount) continue;
    auto& part = parts[first - kFirst];
    if (part && *part != address) return std::nullopt;
    part = address;
  }
  ReplyProof proof{};
  for (std::size_t i = 0; i < kCount; ++i) {
    if (!parts[i]) return std::nullopt;
    for (std::size_t j = 0; j < kEach; ++j) {
      const std::uint8_t byte = parts[i]->bytes()[13 + j];
      if (i * kEach + j < proof.size()) {
        proof[i * kEach + j] = byte;
      } else if (byte != 0) {
        return std::nullopt;
      }
    }
  }
  return proof;
}

}  // namespace beaconry
