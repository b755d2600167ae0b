#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace beaconry {

// What a server wishes of one sensor, at one time: docs/formats/fleet.md.
struct SignedDocument {
  std::string sensor;         // fingerprint of the sensor's key
  std::uint64_t version = 0;  // of this sensor's; only grows
  Timestamp time{};
  std::string document;       // JSON object
  std::string origin = "{}";  // JSON object
};

// The key by which a server signs documents: Ed25519. Wiped when it is done with.
class DocumentKey {
 public:
  static DocumentKey make();
  // What secret_text() wrote.
  static Result<DocumentKey> parse(std::string_view text);
  DocumentKey(DocumentKey&& other) noexcept : secret_(std::move(other.secret_)) {}
  DocumentKey& operator=(DocumentKey&&) = delete;
  ~DocumentKey();

  std::string public_hex() const;   // 64 digits: what a sensor pins
  std::string secret_text() const;  // for a file of mode 0600
  // The message: a line with the signature, and the signed bytes. Errors: a document that is no
  // JSON object, or too long.
  Result<std::string> sign(const SignedDocument& document) const;

 private:
  explicit DocumentKey(std::string secret) : secret_(std::move(secret)) {}
  std::string secret_;  // 64 bytes
};

constexpr std::size_t kLongestSignedDocument = std::size_t{4} << 20;

enum class DocumentRefusal : std::uint8_t {
  none,
  malformed,     // no such message, or one of a newer server
  signature,     // not of the pinned key, or not of these bytes
  other_sensor,  // rightly signed, for another one
  older,         // a version below the one that holds
};
std::string_view to_string(DocumentRefusal refusal);  // for counters: "signature"

struct CheckedDocument {
  DocumentRefusal refusal = DocumentRefusal::none;
  std::string words;                       // why, and what to do; empty where it was taken
  std::optional<SignedDocument> document;  // where it was taken
};
// A message from afar, for this sensor. Nothing of it is read before its signature was found right.
// `least` is the lowest version to take: the one that holds (a repeat is taken), 0 at first.
CheckedDocument check_signed_document(std::string_view message, std::string_view public_hex,
                                      std::string_view sensor, std::uint64_t least);

}  // namespace beaconry
