#include "sensor/lxd_images.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hex.h"

namespace beaconry::lxd {
namespace {

constexpr std::chrono::seconds kLook{10}, kImport{120};

// What says that an image is ours. Not a property: LXD 5.0.2 dies of one that is given with an
// image whose metadata has none.
const std::string kFileName = "beaconry.instrument";

bool was_imported_by_us(const Json& image) {
  return text_at(image, "filename") == kFileName;
}

std::string at(const std::string& fingerprint) {
  return "/1.0/images/" + fingerprint;
}

}  // namespace

Result<bool> Images::is_there(const std::string& fingerprint, bool& ours) const {
  if (!is_lower_hex(fingerprint, 64))
    return fail(ErrorKind::usage, "", "", "write the SHA-256 of the image's file");
  const auto got = lxd_.get(at(fingerprint), kLook);
  if (!got && got.error().kind == ErrorKind::not_found) return false;
  if (!got) return tl::unexpected(got.error());
  ours = was_imported_by_us(*got);
  return true;
}

Result<void> Images::import(const std::string& file, const std::string& fingerprint) const {
  const auto no = [&](Error error) {
    return named(Result<void>(tl::unexpected(std::move(error))), "import image", file);
  };
  bool ours = false;
  const auto there = is_there(fingerprint, ours);
  if (!there) return no(there.error());
  if (*there) return {};
  HttpRequest request;
  request.method = "POST";
  request.target = "/1.0/images";
  for (const char* kind : {"lxd", "incus"})
    request.headers.emplace_back(std::string("x-") + kind + "-filename", kFileName);
  request.headers.emplace_back("content-type", "application/octet-stream");
  const auto done = lxd_.upload(request, file, kImport);
  if (!done && done.error().cause.find("already exists") == std::string::npos)
    return no(done.error());
  if (!done) return {};
  const std::string got = text_at(*done, "fingerprint");
  if (got == fingerprint) return {};
  if (auto removed = remove(got); !removed) return removed;
  return no({ErrorKind::malformed, "", "",
             "its SHA-256 is " + got + ", not " + fingerprint + ": was the file changed?"});
}

Result<void> Images::remove(const std::string& fingerprint) const {
  const auto no = [&](Error error) {
    return named(Result<void>(tl::unexpected(std::move(error))), "remove image", fingerprint);
  };
  bool ours = false;
  const auto there = is_there(fingerprint, ours);
  if (!there) return no(there.error());
  if (!*there || !ours) return {};
  const auto done = lxd_.change(make_request("DELETE", at(fingerprint)), kLook);
  if (!done && done.error().kind != ErrorKind::not_found) return no(done.error());
  return {};
}

Result<std::vector<std::string>> Images::list() const {
  using List = Result<std::vector<std::string>>;
  const auto got = lxd_.get("/1.0/images?recursion=1", kLook);
  if (!got) return named(List(tl::unexpected(got.error())), "list images", "");
  std::vector<std::string> fingerprints;
  if (!got->is_array()) return fingerprints;
  for (const Json& image : *got) {
    if (was_imported_by_us(image)) fingerprints.push_back(text_at(image, "fingerprint"));
  }
  std::sort(fingerprints.begin(), fingerprints.end());
  return fingerprints;
}

}  // namespace beaconry::lxd
