#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "http/certificates.h"
#include "uplink/signed_report.h"

// As a server is given it from a stick; and, rightly signed, with whatever a sensor put into it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto edge = *beaconry::make_self_signed("sensor", {});
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)beaconry::check_signed_report(bytes);
  const auto message = beaconry::sign_report(edge.key_pem, bytes);
  if (!message) return 0;
  const auto report = beaconry::check_signed_report(*message);
  if (!report || report->body != bytes) std::abort();
  return 0;
}
