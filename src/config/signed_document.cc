#include "config/signed_document.h"

#include <sodium.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHead = "beaconry-signed-document 1 ";
constexpr std::string_view kKeyHead = "beaconry-document-key 1 ";
constexpr std::size_t kDeepest = 40;  // a layer's 32 and what is around it
constexpr std::size_t kSignatureDigits = 2 * crypto_sign_BYTES;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

void need_sodium() {
  if (sodium_init() < 0) std::abort();  // no randomness: nothing here may go on
}

std::string hex(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes_of(bytes), bytes.size());
  text.pop_back();  // its NUL
  return text;
}

// Exactly `size` bytes, or nothing.
std::string from_hex(std::string_view text, std::size_t size) {
  if (text.size() != 2 * size) return {};
  std::string bytes(size, '\0');
  std::size_t got = 0;
  if (sodium_hex2bin(bytes_of(bytes), size, text.data(), text.size(), nullptr, &got, nullptr) !=
          0 ||
      got != size) {
    sodium_memzero(bytes.data(), bytes.size());
    return {};
  }
  return bytes;
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_at(const Json& json, const char* key) {
  const auto value = json.find(key);
  return value != json.end() && value->is_string() ? value->get<std::string>() : std::string();
}

CheckedDocument refused(DocumentRefusal refusal, std::string words) {
  return {refusal, std::move(words), std::nullopt};
}

}  // namespace

DocumentKey DocumentKey::make() {
  need_sodium();
  std::string open(crypto_sign_PUBLICKEYBYTES, '\0'), secret(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_keypair(bytes_of(open), bytes_of(secret));
  return DocumentKey(std::move(secret));
}

Result<DocumentKey> DocumentKey::parse(std::string_view text) {
  need_sodium();
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::malformed, "read", "document key", std::move(cause));
  };
  text = trim(text);
  if (!text.starts_with(kKeyHead)) return refuse("no line 'beaconry-document-key 1 ...'");
  std::string secret = from_hex(text.substr(kKeyHead.size()), crypto_sign_SECRETKEYBYTES);
  if (secret.empty())
    return refuse("behind 'beaconry-document-key 1 ' there are no 128 hex digits");
  DocumentKey key(std::move(secret));
  // Its second half is the public key: one that does not fit would sign what nobody can check, and
  // tell the secret by it.
  std::string seed(crypto_sign_SEEDBYTES, '\0'), open(crypto_sign_PUBLICKEYBYTES, '\0');
  std::string whole(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_ed25519_sk_to_seed(bytes_of(seed), bytes_of(key.secret_));
  crypto_sign_seed_keypair(bytes_of(open), bytes_of(whole), bytes_of(seed));
  const bool fits = sodium_memcmp(whole.data(), key.secret_.data(), whole.size()) == 0;
  sodium_memzero(seed.data(), seed.size());
  sodium_memzero(whole.data(), whole.size());
  if (!fits) return refuse("its halves do not fit: the file was changed");
  return key;
}

DocumentKey::~DocumentKey() {
  sodium_memzero(secret_.data(), secret_.size());
}

std::string DocumentKey::public_hex() const {
  std::string open(crypto_sign_PUBLICKEYBYTES, '\0');
  crypto_sign_ed25519_sk_to_pk(bytes_of(open), bytes_of(secret_));
  return hex(open);
}

std::string DocumentKey::secret_text() const {
  return std::string(kKeyHead) + hex(secret_) + '\n';
}

Result<std::string> DocumentKey::sign(const SignedDocument& document) const {
  const auto refuse = [&](ErrorKind kind, std::string cause) {
    return fail(kind, "sign", "document for " + terminal_safe(document.sensor), std::move(cause));
  };
  const auto read = [](const std::string& text) {
    return json_depth(text) >= kDeepest ? Json() : Json::parse(text, nullptr, false);
  };
  Json wish = read(document.document), origin = read(document.origin);
  if (!wish.is_object() || !origin.is_object())
    return refuse(ErrorKind::malformed, "it and its origins must be JSON objects");
  Json body;
  body["format"] = 1;
  body["sensor"] = document.sensor;
  body["version"] = document.version;
  body["time"] = to_rfc3339(document.time);
  body["document"] = std::move(wish);
  body["origin"] = std::move(origin);
  const std::string bytes = text_of(body);
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(bytes_of(signature), nullptr, bytes_of(bytes), bytes.size(),
                       bytes_of(secret_));
  std::string message = std::string(kHead) + hex(signature) + '\n' + bytes;
  if (message.size() > kLongestSignedDocument)
    return refuse(ErrorKind::limit, "it is longer than " + size_text(kLongestSignedDocument));
  return message;
}

std::string_view to_string(DocumentRefusal refusal) {
  switch (refusal) {
    case DocumentRefusal::none:
      return "none";
    case DocumentRefusal::malformed:
      return "malformed";
    case DocumentRefusal::signature:
      return "signature";
    case DocumentRefusal::other_sensor:
      return "other_sensor";
    case DocumentRefusal::older:
      return "older";
  }
  return "none";
}

CheckedDocument check_signed_document(std::string_view message, std::string_view public_hex,
                                      std::string_view sensor, std::uint64_t least) {
  need_sodium();
  if (message.size() > kLongestSignedDocument)
    return refused(DocumentRefusal::malformed,
                   "the message is longer than " + size_text(kLongestSignedDocument));
  const std::size_t behind = kHead.size() + kSignatureDigits;
  if (!message.starts_with(kHead) || message.size() <= behind || message[behind] != '\n') {
    return refused(DocumentRefusal::malformed,
                   "no signed document of format 1: its first line is not "
                   "'beaconry-signed-document 1 SIGNATURE'");
  }
  const std::string signature =
      from_hex(message.substr(kHead.size(), kSignatureDigits), crypto_sign_BYTES);
  const std::string key = from_hex(public_hex, crypto_sign_PUBLICKEYBYTES);
  const std::string_view body = message.substr(behind + 1);
  if (key.empty())
    return refused(DocumentRefusal::signature, "no server's key is pinned: join the server again");
  if (signature.empty() || crypto_sign_verify_detached(bytes_of(signature), bytes_of(body),
                                                       body.size(), bytes_of(key)) != 0) {
    return refused(DocumentRefusal::signature,
                   "not signed by the server that this sensor joined; if that was set up anew, "
                   "join it again");
  }
  const Json json =
      json_depth(body) > kDeepest ? Json() : Json::parse(body.begin(), body.end(), nullptr, false);
  const auto known = [&](const char* name) {
    return json.is_object() && json.contains(name) && json[name].is_number_unsigned();
  };
  if (!known("format") || json["format"] != 1) {
    return refused(DocumentRefusal::malformed,
                   "signed, but of a format that this program does not know: update it");
  }
  const auto time = parse_rfc3339(text_at(json, "time"));
  const auto is_object = [&](const char* name) {
    return json.contains(name) && json[name].is_object();
  };
  if (!known("version") || !time || !is_object("document") || !is_object("origin"))
    return refused(DocumentRefusal::malformed, "signed, but a key is missing or of another type");
  SignedDocument document{text_at(json, "sensor"), json["version"].get<std::uint64_t>(), *time,
                          text_of(json["document"]), text_of(json["origin"])};
  if (sensor.empty() || document.sensor != sensor) {
    return refused(DocumentRefusal::other_sensor,
                   "for sensor " + terminal_safe(document.sensor) + ", not for this one");
  }
  if (document.version < least) {
    return refused(DocumentRefusal::older, "version " + std::to_string(document.version) +
                                               " is older than " + std::to_string(least) +
                                               ", which holds; a rollback is a new version");
  }
  return {DocumentRefusal::none, {}, std::move(document)};
}

}  // namespace beaconry
