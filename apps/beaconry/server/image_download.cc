#include "server/image_download.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "http/message.h"
#include "image/digest.h"
#include "server/image_upload.h"
#include "server/json_rows.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 30;

// Of a server's words only what no file system minds.
std::string plain(const std::string& text) {
  std::string name;
  for (const char c : text) {
    const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (good && name.size() < 64) name += c;
  }
  return name;
}

bool is_whole(const std::string& file, const std::string& sha256) {
  const auto digest = sha256_file(file, kMostBytes);
  return digest && digest->sha256 == sha256;
}

Result<void> write_all(const Fd& file, const std::string& name, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file.get(), bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return fail_errno("write", name);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

Result<void> get_pieces(Server& server, const std::string& path, std::uint64_t total,
                        const std::string& part) {
  const Fd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!file) return fail_errno("open", part);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno("read", part);
  auto have = static_cast<std::uint64_t>(status.st_size);
  if (have > total) {
    if (::ftruncate(file.get(), 0) != 0) return fail_errno("write", part);
    have = 0;
  }
  while (have < total) {
    const std::uint64_t last = std::min<std::uint64_t>(have + kImagePiece, total) - 1;
    HttpRequest request;
    request.target = path;
    request.headers = {{"range", "bytes=" + std::to_string(have) + '-' + std::to_string(last)}};
    const auto answer = server.send(std::move(request));
    if (!answer) return tl::unexpected<Error>(answer.error());
    if (answer->status != 206 || answer->body.size() != last - have + 1) {
      const auto words = parse_answer(answer->body);
      return fail(ErrorKind::io, "get", "an image's bytes",
                  words ? text_at(*words, "error")
                        : "the server answered " + std::to_string(answer->status));
    }
    if (auto wrote = write_all(file, part, answer->body); !wrote) return wrote;
    have = last + 1;
  }
  return ::fsync(file.get()) == 0 ? Result<void>() : fail_errno("write", part);
}

}  // namespace

Result<std::string> download_image(Server& server, const std::string& sha256,
                                   const std::string& folder) {
  const std::string path = "/api/v1/fleet/images/" + sha256;
  const auto image = parsed_answer(server.get(path));
  if (!image) return tl::unexpected<Error>(image.error());
  if (text_at(*image, "complete") == "false") {
    return fail(ErrorKind::io, "get", sha256, "not all of it is on the server; add it again");
  }
  // Two images may have one name and version: the digits tell them apart.
  constexpr std::size_t kDigits = 12;
  const std::string file = folder + '/' + plain(text_at(*image, "name")) + '_' +
                           plain(text_at(*image, "version")) + '_' +
                           plain(sha256).substr(0, kDigits) + ".instrument";
  if (!is_whole(file, sha256)) {
    const std::string part = folder + '/' + plain(sha256) + ".part";
    auto got = get_pieces(server, path + "/file", count_at(*image, "bytes"), part);
    if (!got) return tl::unexpected<Error>(got.error());
    if (!is_whole(part, sha256)) {
      ::unlink(part.c_str());
      return fail(ErrorKind::malformed, "get", terminal_safe(file),
                  "what came has another SHA-256; try again");
    }
    std::error_code failed;
    std::filesystem::rename(part, file, failed);
    if (failed) return fail(ErrorKind::io, "write", terminal_safe(file), failed.message());
  }
  if (!text_at(*image, "signer").empty()) {
    const auto signature = server.get(path + "/signature");
    if (!signature) return tl::unexpected<Error>(signature.error());
    if (auto written = replace_file(file + ".minisig", *signature); !written) {
      return tl::unexpected<Error>(written.error());
    }
  }
  return file;
}

}  // namespace beaconry
