#include "sensor/image_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <tuple>
#include <utility>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSuffix = ".instrument", kIncoming = ".incoming";
constexpr const char* kSignature = ".minisig";
constexpr auto kKept = std::chrono::hours{24};
constexpr std::uint64_t kLargestImage = std::uint64_t{1} << 30;

Result<void> sync(const std::string& path, bool folder) {
  const Fd file(::open(path.c_str(), (folder ? O_DIRECTORY : 0) | O_RDONLY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) return fail_errno("write", path);
  return {};
}

Result<void> copy(const std::string& from, const std::string& to) {
  std::error_code error;
  const auto size = fs::file_size(from, error);
  if (error) return fail(ErrorKind::not_found, "read", from, error.message());
  if (size > kLargestImage) {
    return fail(ErrorKind::limit, "take in", from, "an image has at most 1 GiB");
  }
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) return fail(ErrorKind::io, "copy", from, error.message());
  return sync(to, false);
}

}  // namespace

Result<ImageFolder> ImageFolder::open(const Options& options, std::vector<std::string>& problems) {
  ImageFolder images;
  images.options_ = options;
  std::error_code error;
  fs::create_directories(options.folder, error);
  if (error) return fail(ErrorKind::io, "make folder", options.folder, error.message());
  for (const auto& entry : fs::directory_iterator(options.folder, error)) {
    const std::string path = entry.path().string(), name = entry.path().filename().string();
    if (name.find(kIncoming) != std::string::npos) {  // a crash left it
      fs::remove(entry.path(), error);
      continue;
    }
    if (!name.ends_with(kSuffix)) continue;
    auto image = options.inspect(path, options.keys_folder);
    if (!image) {
      problems.push_back(image.error().message());
    } else if (image->fingerprint + std::string(kSuffix) != name) {
      problems.push_back(path + " is damaged: its SHA-256 is " + image->fingerprint +
                         "; install the image again");
    } else {
      images.add(*image);
    }
  }
  return images;
}

Result<ImageInfo> ImageFolder::take(const Options& options, const std::string& file) {
  // A name of this call's own: several may be taken in at once.
  std::string fresh = options.folder + "/XXXXXX" + std::string(kIncoming);
  const Fd made(::mkstemps(fresh.data(), static_cast<int>(kIncoming.size())));
  if (!made) return fail_errno("take in", options.folder);
  const auto clean = [&] {
    ::unlink(fresh.c_str());
    ::unlink((fresh + kSignature).c_str());
  };
  auto copied = copy(file, fresh);
  if (copied && ::access((file + kSignature).c_str(), F_OK) == 0) {
    copied = copy(file + kSignature, fresh + kSignature);
  }
  if (!copied) {
    clean();
    return tl::unexpected<Error>(std::move(copied.error()));
  }
  auto image = options.inspect(fresh, options.keys_folder);
  if (!image) {
    clean();
    image.error().subject = file;
    return image;
  }
  image->file = options.folder + '/' + image->fingerprint + std::string(kSuffix);
  // The signature first: an image never stands without the one that it came with.
  if (::rename((fresh + kSignature).c_str(), (image->file + kSignature).c_str()) != 0 &&
      errno != ENOENT) {
    clean();
    return fail_errno("take in", image->file);
  }
  if (::rename(fresh.c_str(), image->file.c_str()) != 0) {
    clean();
    return fail_errno("take in", image->file);
  }
  if (auto synced = sync(options.folder, true); !synced) {
    return tl::unexpected<Error>(std::move(synced.error()));
  }
  // What it is by the signature that lies there now, which may be of an earlier copy.
  return options.inspect(image->file, options.keys_folder);
}

std::vector<ImageInfo> ImageFolder::inspect_again(const Options& options,
                                                  const std::vector<ImageInfo>& images) {
  std::vector<ImageInfo> read;
  for (const ImageInfo& image : images) {
    auto now = options.inspect(image.file, options.keys_folder);
    if (!now) {
      log_error(now.error().message());
    } else if (now->fingerprint == image.fingerprint) {
      read.push_back(std::move(*now));
    }
  }
  return read;
}

const ImageInfo* ImageFolder::find(const std::string& fingerprint) const {
  const auto found = images_.find(fingerprint);
  return found == images_.end() ? nullptr : &found->second;
}

Result<std::string> ImageFolder::resolve(const std::string& words) const {
  if (images_.count(words) != 0) return words;
  const std::size_t colon = words.find(':');
  const std::string name = words.substr(0, colon);
  const std::string version = colon == std::string::npos ? "" : words.substr(colon + 1);
  std::string found, versions;
  std::size_t count = 0;
  for (const ImageInfo& image : all()) {
    if (image.manifest.name != name) continue;
    versions += (versions.empty() ? "" : ", ") + image.manifest.version;
    if (!version.empty() && image.manifest.version != version) continue;
    found = image.fingerprint;
    ++count;
  }
  if (count == 1) return found;
  const std::string shown = terminal_safe(words);
  if (count > 1) {
    return fail(ErrorKind::usage, "find image", shown,
                "there are several (" + versions + "); give NAME:VERSION or the fingerprint");
  }
  return fail(ErrorKind::not_found, "find image", shown,
              versions.empty() ? "there is none of that name; install its file"
                               : "there are versions " + versions);
}

std::vector<ImageInfo> ImageFolder::all() const {
  std::vector<ImageInfo> images;
  for (const auto& [fingerprint, image] : images_)
    images.push_back(image);
  std::sort(images.begin(), images.end(), [](const ImageInfo& a, const ImageInfo& b) {
    return std::tie(a.manifest.name, a.manifest.version, a.fingerprint) <
           std::tie(b.manifest.name, b.manifest.version, b.fingerprint);
  });
  return images;
}

void ImageFolder::remove_unused(const std::set<std::string>& used, Timestamp now) {
  for (auto image = images_.begin(); image != images_.end();) {
    const std::string& fingerprint = image->first;
    if (used.count(fingerprint) != 0) {
      unused_since_.erase(fingerprint);
      ++image;
      continue;
    }
    const Timestamp since = unused_since_.emplace(fingerprint, now).first->second;
    if (now - since < kKept) {
      ++image;
      continue;
    }
    log_info("Removing the image " + terminal_safe(image->second.manifest.name) + ' ' +
             terminal_safe(image->second.manifest.version) + ": unused for a day");
    ::unlink(image->second.file.c_str());
    ::unlink((image->second.file + kSignature).c_str());
    unused_since_.erase(fingerprint);
    image = images_.erase(image);
  }
}

}  // namespace beaconry
