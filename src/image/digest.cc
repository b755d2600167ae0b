#include "image/digest.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <stdexcept>
#include <vector>

#include "base/fd.h"
#include "base/hex.h"
#include "base/text.h"

namespace beaconry {
namespace {

class Digest {
 public:
  explicit Digest(const EVP_MD* method) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    // Fails only where memory ends.
    if (!context_ || EVP_DigestInit_ex(context_.get(), method, nullptr) != 1)
      throw std::bad_alloc();
  }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string hex() {
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_DigestFinal_ex(context_.get(), value, &length);
    return to_hex(std::string_view(reinterpret_cast<const char*>(value), length));
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_of(std::string_view bytes) {
  Digest digest(EVP_sha256());
  digest.add(bytes);
  return digest.hex();
}

std::string sha1_hex(std::string_view bytes) {
  Digest digest(EVP_sha1());
  digest.add(bytes);
  return digest.hex();
}

Result<FileDigest> sha256_file(const std::string& path, std::uint64_t most_bytes) {
  auto file = Fd::open_for_reading(path);
  if (!file) return tl::unexpected<Error>(std::move(file.error()));
  Digest digest(EVP_sha256());
  FileDigest result;
  std::vector<char> block(256 << 10);
  for (;;) {
    const ssize_t got = ::read(file->get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", path);
    if (got == 0) break;
    result.bytes += static_cast<std::uint64_t>(got);
    if (result.bytes > most_bytes) {
      return fail(ErrorKind::limit, "read", path,
                  "longer than " + bytes_in_words(static_cast<double>(most_bytes)));
    }
    digest.add({block.data(), static_cast<std::size_t>(got)});
  }
  result.sha256 = digest.hex();
  return result;
}

}  // namespace beaconry
