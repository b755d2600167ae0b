#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace beaconry {

// What a sensor reports, as a file that somebody carries: docs/formats/fleet.md. Its body is what
// the sensor would have sent itself.
constexpr std::size_t kLongestSignedReport = (std::size_t{4} << 20) + 1024;

// `key_pem`: the sensor's own. `body`: {"boot", "machine", "sequence", "reported"}.
Result<std::string> sign_report(const std::string& key_pem, std::string_view body);

struct SignedReport {
  std::string sensor;  // fingerprint of the key that signed it: whether it is enrolled, and no
                       // other's, is the caller's to see
  std::string body;    // for Reported::parse()
};
// A file from afar. Nothing of its body is read.
Result<SignedReport> check_signed_report(std::string_view message);

}  // namespace beaconry
