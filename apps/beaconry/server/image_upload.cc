#include "server/image_upload.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "image/digest.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 30;
constexpr std::size_t kLongestSignature = 4096;

Result<std::string> piece_of(const Fd& file, const std::string& name, std::uint64_t offset) {
  std::string piece(kImagePiece, '\0');
  std::size_t have = 0;
  while (have < piece.size()) {
    const ssize_t got = ::pread(file.get(), piece.data() + have, piece.size() - have,
                                static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", name);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  piece.resize(have);
  return piece;
}

// "" without one: then the sensors take the image only where they are told to.
Result<std::string> signature_of(const std::string& file) {
  const std::string beside = file + ".minisig";
  std::error_code failed;
  if (!std::filesystem::exists(beside, failed)) return std::string();
  return read_small_file(beside, kLongestSignature);
}

}  // namespace

Result<Json> upload_image(Server& server, const std::string& file,
                          const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  const auto digest = sha256_file(file, kMostBytes);
  if (!digest) return tl::unexpected<Error>(digest.error());
  const auto signature = signature_of(file);
  if (!signature) return tl::unexpected<Error>(signature.error());
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return fail_errno("open", file);

  const std::string path = "/api/v1/fleet/images/" + digest->sha256;
  // What the server has of it; where it knows nothing of it, that is none.
  std::uint64_t have = 0;
  if (const auto known = parsed_answer(server.get(path))) have = count_at(*known, "have");
  progress(have, digest->bytes);
  while (have < digest->bytes) {
    auto piece = piece_of(opened, file, have);
    if (!piece) return tl::unexpected<Error>(piece.error());
    const auto taken = parsed_answer(
        server.put_bytes(path, {{"offset", std::to_string(have)}}, std::move(*piece)));
    if (!taken) return taken;
    const std::uint64_t now = count_at(*taken, "have");
    if (now <= have || now > digest->bytes) {
      return fail(ErrorKind::io, "send", terminal_safe(file),
                  "the server has " + std::to_string(now) + " bytes of it after " +
                      std::to_string(have) + "; was the file changed meanwhile?");
    }
    have = now;
    progress(have, digest->bytes);
  }
  return parsed_answer(
      server.post(path + "/complete", Json{{"signature", utf8_valid(*signature)}}.dump()));
}

}  // namespace beaconry
