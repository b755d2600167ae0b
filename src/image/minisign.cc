#include "image/minisign.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"

namespace beaconry {
namespace {

// Sizes of the files' binary parts.
constexpr std::size_t kIdBytes = 8, kPublicBytes = 2 + kIdBytes + crypto_sign_PUBLICKEYBYTES;
constexpr std::size_t kSignatureBytes = 2 + kIdBytes + crypto_sign_BYTES;
// Algorithm, key derivation, checksum, salt, two costs; then id, secret key and its checksum.
constexpr std::size_t kSecretHead = 2 + 2 + 2 + 32 + 8 + 8;
constexpr std::size_t kSecretBytes = kSecretHead + kIdBytes + crypto_sign_SECRETKEYBYTES + 32;
constexpr std::size_t kLongestKeyFile = 4096, kLongestSignature = 16 << 10, kMostKeys = 1000;

constexpr std::string_view kUntrusted = "untrusted comment: ", kTrusted = "trusted comment: ";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// libsodium's random numbers need it; it is done once, from any thread.
void need_sodium() {
  if (sodium_init() < 0) std::abort();  // no randomness: nothing here may go on
}

std::string encoded(std::string_view bytes) {
  std::string text(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes_of(bytes), bytes.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();  // its NUL
  return text;
}

// Exactly `size` bytes, or nothing.
std::string decoded(std::string_view text, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  const char* end = nullptr;
  if (sodium_base642bin(bytes_of(bytes), size, text.data(), text.size(), nullptr, &got, &end,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      got != size || end != text.data() + text.size()) {
    return {};
  }
  return bytes;
}

// As minisign prints it: the number that the bytes are in little-endian order.
std::string id_text(std::string_view id) {
  std::string text;
  for (std::size_t i = id.size(); i-- > 0;) {
    const auto byte = static_cast<unsigned char>(id[i]);
    text += "0123456789ABCDEF"[byte >> 4];
    text += "0123456789ABCDEF"[byte & 15];
  }
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
  }
  while (!lines.empty() && lines.back().empty())
    lines.pop_back();
  return lines;
}

Result<std::string> hash_file(const std::string& path) {
  auto file = Fd::open_for_reading(path);
  if (!file) return tl::unexpected<Error>(std::move(file.error()));
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, crypto_generichash_BYTES_MAX);
  std::vector<unsigned char> block(256 << 10);
  for (;;) {
    const ssize_t got = ::read(file->get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", path);
    if (got == 0) break;
    crypto_generichash_update(&state, block.data(), static_cast<std::size_t>(got));
  }
  std::string hash(crypto_generichash_BYTES_MAX, '\0');
  crypto_generichash_final(&state, bytes_of(hash), hash.size());
  return hash;
}

bool verified(std::string_view signature, std::string_view message, const std::string& key) {
  return crypto_sign_verify_detached(bytes_of(signature), bytes_of(message), message.size(),
                                     bytes_of(std::string_view(key))) == 0;
}

std::string sign(std::string_view message, std::string_view secret) {
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(bytes_of(signature), nullptr, bytes_of(message), message.size(),
                       bytes_of(secret));
  return signature;
}

// A secret that is wiped when it is done with.
class Secret {
 public:
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { sodium_memzero(bytes_.data(), bytes_.size()); }
  std::string_view view() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace

Result<MinisignPublicKey> parse_public_key(std::string_view text, const std::string& where) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::malformed, "read public key", terminal_safe(where), std::move(cause));
  };
  if (text.size() > kLongestKeyFile) return refuse("longer than 4 KiB");
  const auto lines = lines_of(text);
  if (lines.size() != 2 || !lines[0].starts_with(kUntrusted))
    return refuse("no minisign public key: a line 'untrusted comment: ...', then the key");
  const std::string bytes = decoded(lines[1], kPublicBytes);
  if (bytes.empty()) return refuse("line 2 is not the base64 of 42 bytes");
  if (!bytes.starts_with("Ed")) return refuse("not an Ed25519 key");
  return MinisignPublicKey{id_text(std::string_view(bytes).substr(2, kIdBytes)),
                           bytes.substr(2 + kIdBytes), where};
}

Result<std::vector<MinisignPublicKey>> read_public_keys(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    if (at->path().extension() == ".pub") files.push_back(at->path().string());
  }
  if (error) return fail(ErrorKind::io, "read", folder, error.message());
  if (files.size() > kMostKeys) return fail(ErrorKind::limit, "read", folder, "over 1,000 keys");
  std::sort(files.begin(), files.end());
  std::vector<MinisignPublicKey> keys;
  for (const std::string& file : files) {
    const auto text = read_small_file(file, kLongestKeyFile);
    if (!text) return tl::unexpected<Error>(text.error());
    auto key = parse_public_key(*text, file);
    if (!key) return tl::unexpected<Error>(std::move(key.error()));
    keys.push_back(std::move(*key));
  }
  return keys;
}

namespace {

struct Signature {
  std::string id;           // of the key
  std::string own, global;  // of the file; of that and the comment
  std::string comment;
};

Result<Signature> parse_signature(std::string_view text, const std::string& file) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::malformed, "verify", terminal_safe(file), std::move(cause));
  };
  if (text.size() > kLongestSignature) return refuse("its signature is longer than 16 KiB");
  const auto lines = lines_of(text);
  if (lines.size() != 4 || !lines[0].starts_with(kUntrusted) || !lines[2].starts_with(kTrusted))
    return refuse("its signature is not minisign's: four lines, two of them comments");
  const std::string bytes = decoded(lines[1], kSignatureBytes);
  std::string global = decoded(lines[3], crypto_sign_BYTES);
  if (bytes.empty() || global.empty()) return refuse("its signature is no base64 of a signature");
  if (bytes.starts_with("Ed"))
    return refuse("its signature is of minisign's legacy format; sign it without -l");
  if (!bytes.starts_with("ED")) return refuse("its signature's algorithm is unknown");
  return Signature{id_text(std::string_view(bytes).substr(2, kIdBytes)), bytes.substr(2 + kIdBytes),
                   std::move(global), std::string(lines[2].substr(kTrusted.size()))};
}

}  // namespace

Result<std::string> signer_of(std::string_view signature) {
  auto parsed = parse_signature(signature, "the signature");
  if (!parsed) return tl::unexpected<Error>(std::move(parsed.error()));
  return std::move(parsed->id);
}

Result<MinisignPublicKey> verify_file(const std::string& file, std::string_view signature,
                                      const std::vector<MinisignPublicKey>& keys) {
  need_sodium();
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::malformed, "verify", terminal_safe(file), std::move(cause));
  };
  const auto parsed = parse_signature(signature, file);
  if (!parsed) return tl::unexpected<Error>(parsed.error());
  const auto& [id, own, global, comment] = *parsed;

  std::optional<std::string> hash;
  bool known = false;
  for (const MinisignPublicKey& key : keys) {
    if (key.id != id || key.key.size() != crypto_sign_PUBLICKEYBYTES) continue;
    known = true;
    if (!hash) {
      auto read = hash_file(file);
      if (!read) return tl::unexpected<Error>(std::move(read.error()));
      hash = std::move(*read);
    }
    if (!verified(own, *hash, key.key)) continue;
    if (!verified(global, own + comment, key.key))
      return refuse("its signature's trusted comment was changed");
    return key;
  }
  if (known) {
    return refuse(
        "its signature is not of these bytes: the file was changed, or the signature is another's");
  }
  return fail(ErrorKind::not_found, "verify", terminal_safe(file),
              "it is signed by key " + id + ", which is none of the " +
                  std::to_string(keys.size()) + " pinned ones");
}

MinisignComment read_comment(std::string_view signature) {
  MinisignComment comment;
  const auto lines = lines_of(signature.substr(0, kLongestSignature));
  if (lines.size() != 4 || !lines[2].starts_with(kTrusted)) return comment;
  constexpr std::string_view kFile = "file:", kTimestamp = "timestamp:";
  std::string_view rest = lines[2].substr(kTrusted.size());
  while (!rest.empty()) {
    const std::size_t tab = rest.find('\t');
    const std::string_view part = rest.substr(0, tab);
    rest.remove_prefix(tab == std::string_view::npos ? rest.size() : tab + 1);
    if (part.starts_with(kFile) && comment.file.empty()) comment.file = part.substr(kFile.size());
    if (!part.starts_with(kTimestamp) || comment.timestamp != 0) continue;
    const std::string_view number = part.substr(kTimestamp.size());
    std::uint64_t seconds = 0;
    const auto end = number.data() + number.size();
    const auto read = std::from_chars(number.data(), end, seconds);
    if (read.ec == std::errc() && read.ptr == end) comment.timestamp = seconds;
  }
  return comment;
}

MinisignKeyPair make_key_pair(std::string_view comment) {
  need_sodium();
  std::string id(kIdBytes, '\0'), key(crypto_sign_PUBLICKEYBYTES, '\0');
  std::string secret(crypto_sign_SECRETKEYBYTES, '\0');
  randombytes_buf(id.data(), id.size());
  crypto_sign_keypair(bytes_of(key), bytes_of(secret));
  // Neither password nor checksum, as `minisign -G -W` writes it.
  std::string file("Ed\0\0B2", 6);
  file.resize(kSecretHead, '\0');
  file += id;
  file += secret;
  file.resize(kSecretBytes, '\0');
  const std::string words = terminal_safe(comment);
  MinisignKeyPair pair;
  pair.public_text = std::string(kUntrusted) + words + " public key " + id_text(id) + '\n' +
                     encoded("Ed" + id + key) + '\n';
  pair.secret_text = std::string(kUntrusted) + words + " secret key\n" + encoded(file) + '\n';
  sodium_memzero(secret.data(), secret.size());
  sodium_memzero(file.data(), file.size());
  return pair;
}

namespace {

// Tabs stay: they part a comment's words.
std::string one_line(std::string_view comment) {
  std::string line;
  for (;;) {
    const std::size_t tab = comment.find('\t');
    line += terminal_safe(comment.substr(0, tab));
    if (tab == std::string_view::npos) return line;
    line += '\t';
    comment.remove_prefix(tab + 1);
  }
}

}  // namespace

Result<std::string> sign_file(const std::string& file, std::string_view secret_text,
                              std::string_view trusted_comment) {
  need_sodium();
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::malformed, "read", "secret key", std::move(cause));
  };
  const auto lines = lines_of(secret_text.substr(0, kLongestKeyFile));
  if (lines.size() != 2 || !lines[0].starts_with(kUntrusted))
    return refuse("no minisign secret key: a line 'untrusted comment: ...', then the key");
  const Secret bytes(decoded(lines[1], kSecretBytes));
  if (bytes.view().empty()) return refuse("line 2 is not the base64 of 158 bytes");
  if (!bytes.view().starts_with("Ed")) return refuse("not an Ed25519 key");
  if (bytes.view().substr(2, 2) != std::string_view("\0\0", 2))
    return refuse("it has a password; make one without by 'minisign -C -W' or 'minisign -G -W'");
  const std::string id(bytes.view().substr(kSecretHead, kIdBytes));
  const std::string_view secret =
      bytes.view().substr(kSecretHead + kIdBytes, crypto_sign_SECRETKEYBYTES);
  const auto hash = hash_file(file);
  if (!hash) return tl::unexpected<Error>(hash.error());
  const std::string own = sign(*hash, secret), comment = one_line(trusted_comment);
  return std::string(kUntrusted) + "signature by key " + id_text(id) + '\n' +
         encoded("ED" + id + own) + '\n' + std::string(kTrusted) + comment + '\n' +
         encoded(sign(own + comment, secret)) + '\n';
}

}  // namespace beaconry
