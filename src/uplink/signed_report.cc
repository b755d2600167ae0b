#include "uplink/signed_report.h"

#include "base/hex.h"
#include "base/text.h"
#include "http/certificates.h"
#include "http/key_signature.h"

namespace beaconry {
namespace {

constexpr std::string_view kHead = "beaconry-signed-report 1 ";
constexpr std::size_t kLongestLine = 1024;

}  // namespace

Result<std::string> sign_report(const std::string& key_pem, std::string_view body) {
  const auto key = public_key_of(key_pem);
  if (!key) return key;
  const auto signature = sign_with_key(key_pem, body);
  if (!signature) return signature;
  std::string message = std::string(kHead) + to_hex(*key) + ' ' + to_hex(*signature) + '\n';
  message += body;
  if (message.size() > kLongestSignedReport) {
    return fail(ErrorKind::limit, "sign", "report",
                "it is longer than " + size_text(kLongestSignedReport));
  }
  return message;
}

Result<SignedReport> check_signed_report(std::string_view message) {
  const auto refuse = [](ErrorKind kind, std::string cause) {
    return fail(kind, "read", "signed report", std::move(cause));
  };
  if (message.size() > kLongestSignedReport)
    return refuse(ErrorKind::limit, "it is longer than " + size_text(kLongestSignedReport));
  const auto end = message.substr(0, kLongestLine).find('\n');
  if (!message.starts_with(kHead) || end == std::string_view::npos) {
    return refuse(ErrorKind::malformed,
                  "its first line is not 'beaconry-signed-report 1 KEY SIGNATURE'; 'beaconry "
                  "sensor report' on the sensor writes such a file");
  }
  const auto words = split(message.substr(kHead.size(), end - kHead.size()), ' ');
  const std::string key = words.size() == 2 ? from_hex(words[0]) : std::string();
  const std::string signature = words.size() == 2 ? from_hex(words[1]) : std::string();
  const std::string_view body = message.substr(end + 1);
  if (key.empty() || signature.empty() || !is_signed_by(key, body, signature)) {
    return refuse(ErrorKind::malformed,
                  "it is not what the sensor signed: it was changed or cut off on its way");
  }
  return SignedReport{sha256_hex(key), std::string(body)};
}

}  // namespace beaconry
