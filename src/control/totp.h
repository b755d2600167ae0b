#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace beaconry {

// The second factor: codes of six digits that an app makes every 30 seconds (RFC 6238 over
// HMAC-SHA-1, which is what all apps can).
std::string make_totp_secret();  // 160 bits, base32 without padding
// As apps read it, mostly from a picture: otpauth://totp/…
std::string totp_uri(std::string_view user, std::string_view secret);
// The code of one step, for a key of any bytes.
std::string totp_code(std::string_view key, std::uint64_t step, unsigned digits = 6);
// Which step this is the code of: now's, the one before or the one after, for clocks that are off
// and fingers that are slow; but later than `last`, as a code holds once.
std::optional<std::uint64_t> totp_step(std::string_view secret, std::string_view code,
                                       Timestamp now, std::uint64_t last);

std::string base32(std::string_view bytes);
std::optional<std::string> parse_base32(std::string_view text);

}  // namespace beaconry
