#include "control/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>

#include <array>

#include "base/text.h"
#include "control/secret.h"
#include "http/target.h"

namespace beaconry {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t kSecretBytes = 20;
constexpr std::uint64_t kStepSeconds = 30;

}  // namespace

std::string base32(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const char c : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(c);
    for (have += 8; have >= 5; have -= 5)
      text.push_back(kAlphabet[(bits >> (have - 5)) & 31U]);
  }
  if (have > 0) text.push_back(kAlphabet[(bits << (5 - have)) & 31U]);
  return text;
}

std::optional<std::string> parse_base32(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned have = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 5U) | static_cast<std::uint32_t>(value);
    have += 5;
    if (have < 8) continue;
    have -= 8;
    bytes.push_back(static_cast<char>((bits >> have) & 255U));
  }
  return bytes;
}

std::string make_totp_secret() {
  std::string bytes(kSecretBytes, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return base32(bytes);
}

std::string totp_uri(std::string_view user, std::string_view secret) {
  return "otpauth://totp/Beaconry:" + percent_encoded(std::string(user)) +
         "?secret=" + std::string(secret) + "&issuer=Beaconry";
}

std::string totp_code(std::string_view key, std::uint64_t step, unsigned digits) {
  std::array<unsigned char, 8> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i)
    counter[i] = static_cast<unsigned char>(step >> (8 * (7 - i)));
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  if (HMAC(EVP_sha1(), key.data(), static_cast<int>(key.size()), counter.data(), counter.size(),
           mac.data(), &length) == nullptr ||
      length != 20) {
    return {};
  }
  // RFC 4226 §5.3: the last four bits say which 31 bits count.
  const std::size_t at = mac[19] & 15U;
  std::uint32_t number = ((mac[at] & 127U) << 24U) |
                         (static_cast<std::uint32_t>(mac[at + 1]) << 16U) |
                         (static_cast<std::uint32_t>(mac[at + 2]) << 8U) | mac[at + 3];
  std::string code(digits, '0');
  for (std::size_t i = digits; i > 0; --i, number /= 10)
    code[i - 1] = static_cast<char>('0' + number % 10);
  return code;
}

std::optional<std::uint64_t> totp_step(std::string_view secret, std::string_view code,
                                       Timestamp now, std::uint64_t last) {
  const auto key = parse_base32(secret);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  if (!key || key->empty() || seconds < static_cast<std::int64_t>(kStepSeconds)) {
    return std::nullopt;
  }
  const std::uint64_t current = static_cast<std::uint64_t>(seconds) / kStepSeconds;
  std::optional<std::uint64_t> found;
  for (std::uint64_t step = current - 1; step <= current + 1; ++step) {
    if (equal_in_constant_time(totp_code(*key, step), code) && step > last && !found) found = step;
  }
  return found;
}

}  // namespace beaconry
