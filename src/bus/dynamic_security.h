#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bus/broker.h"

namespace beaconry::dynamic_security {

// What Mosquitto's plugin of that name (2.0.11) reads from its file and takes on its control topic.
// Every account has a role of its own name; what no role allows is refused, also to receive.
// Accounts are bound to their client id, so that none can throw another out by taking its name.
inline constexpr std::string_view kPlatform = "platform";  // no instance: those end in _N
inline constexpr std::string_view kProbe = "probe";        // of BusProbe
inline constexpr std::string_view kControl = "$CONTROL/dynamic-security/v1";
inline constexpr std::string_view kAnswers = "$CONTROL/dynamic-security/v1/response";

inline constexpr std::size_t kMostFilters = 256;  // of an account, both ways
Result<void> check(const BusAccount& account);
// The whole file, with the platform's account, which may do everything, and with the same password
// the probe's, which may publish on its topic. Passwords are in it as PBKDF2-HMAC-SHA512 alone.
std::string document(const std::vector<BusAccount>& accounts, const std::string& password);
// Control messages: both may find nothing to delete. `token` comes back with the answers.
std::string replace_command(const BusAccount& account, const std::string& token);
std::string remove_command(const std::string& instance, const std::string& token);
// Whether this is the answer with the token, and what the broker complains about in it.
struct Answer {
  bool is_ours = false;
  std::string complaint;
};
Answer read_answer(std::string_view json, const std::string& token);

// Base64 of 64 bytes.
std::string hash_password(std::string_view password, std::string_view salt, unsigned iterations);

}  // namespace beaconry::dynamic_security
