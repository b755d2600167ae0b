#include "fleet/image_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "image/digest.h"
#include "image/image.h"
#include "image/minisign.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPart = ".part";
constexpr const char* kImage = ".instrument";
constexpr const char* kSignature = ".instrument.minisig";
constexpr std::uint64_t kLongestImage = std::uint64_t{1} << 30;  // as an image may be packed
constexpr std::size_t kLongestSignature = 16 << 10;
constexpr std::size_t kDigits = 64;

tl::unexpected<Error> refuse(ErrorKind kind, const char* what, const std::string& sha256,
                             std::string cause) {
  return fail(kind, what, "image " + terminal_safe(sha256.substr(0, kDigits)), std::move(cause));
}

Result<void> expect_sha256(const char* what, const std::string& sha256) {
  if (is_sha256(sha256)) return {};
  return refuse(ErrorKind::usage, what, sha256,
                "name it by the SHA-256 of its file: 64 hex digits in lower case");
}

Result<void> sync_path(const std::string& path, int flags) {
  const Fd fd(::open(path.c_str(), flags | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return fail_errno("sync", path);
  return {};
}

std::string words(std::uint64_t bytes) {
  return bytes_in_words(static_cast<double>(bytes));
}

}  // namespace

bool is_sha256(std::string_view text) {
  return is_lower_hex(text, kDigits);
}

ImageStore::ImageStore(std::string folder, std::unique_ptr<FleetImages> images)
    : folder_(std::move(folder)), images_(std::move(images)) {}

// REQUIRES is_sha256(sha256): it becomes a part of the path.
std::string ImageStore::path(const std::string& sha256, const char* end) const {
  return folder_ + '/' + sha256 + end;
}

Result<std::unique_ptr<ImageStore>> ImageStore::open(Database& database, const std::string& folder,
                                                     Timestamp now) {
  auto images = FleetImages::open(database);
  if (!images) return tl::unexpected<Error>(std::move(images.error()));
  std::unique_ptr<ImageStore> store(new ImageStore(folder, std::move(*images)));
  if (auto done = store->load(now); !done) return tl::unexpected<Error>(std::move(done.error()));
  return store;
}

Result<void> ImageStore::load(Timestamp now) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) return fail(ErrorKind::io, "make a folder", folder_, error.message());
  ::chmod(folder_.c_str(), 0700);
  const auto images = images_->list();
  if (!images) return tl::unexpected<Error>(images.error());
  std::set<std::string> known;
  for (const Image& image : *images) {
    if (fs::is_regular_file(path(image.sha256, kImage), error)) {
      known.insert(image.sha256);
      continue;
    }
    log_error("image " + image.sha256 + " (" + image.name + ' ' + image.version + ") is not in " +
              folder_ + " any more: upload it anew");
    if (auto done = images_->remove(image.sha256); !done) return done;
  }
  fs::directory_iterator at(folder_, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    const std::string sha256 = name.substr(0, kDigits);
    if (!is_sha256(sha256) || known.contains(sha256)) continue;
    std::error_code ignored;
    fs::path part = at->path();
    // Whole, but not known yet when the server ended: whoever sent it completes it again.
    if (name.substr(kDigits) == kImage) {
      part = path(sha256, kPart);
      fs::rename(at->path(), part, ignored);
    }
    struct stat facts {};
    if ((name.substr(kDigits) == kPart || name.substr(kDigits) == kImage) &&
        ::lstat(part.c_str(), &facts) == 0 && S_ISREG(facts.st_mode)) {
      const auto seconds = std::chrono::seconds{facts.st_mtim.tv_sec};
      uploads_[sha256] = {sha256, static_cast<std::uint64_t>(facts.st_size), Timestamp{seconds}};
      continue;
    }
    fs::remove(at->path(), ignored);
  }
  if (error) return fail(ErrorKind::io, "read", folder_, error.message());
  forget(now);
  return {};
}

void ImageStore::forget(Timestamp now) {
  std::erase_if(uploads_, [&](const auto& each) {
    if (now < each.second.touched + kForgetAfter || busy_.contains(each.first)) return false;
    std::error_code ignored;
    fs::remove(path(each.first, kPart), ignored);
    return true;
  });
}

Result<std::uint64_t> ImageStore::used() const {
  const auto images = images_->list();
  if (!images) return tl::unexpected<Error>(images.error());
  std::uint64_t bytes = 0;
  for (const Image& image : *images)
    bytes += image.bytes;
  for (const auto& [sha256, upload] : uploads_)
    bytes += upload.have;
  return bytes;
}

Result<void> ImageStore::has_room(std::uint64_t bytes) const {
  const auto full = [&](std::string cause) {
    return fail(ErrorKind::limit, "take", "an image", std::move(cause));
  };
  const auto held = used();
  if (!held) return tl::unexpected<Error>(held.error());
  if (*held + bytes > most_bytes_) {
    return full("the images have " + words(*held) + ", and may have " + words(most_bytes_) +
                " together; delete some, or raise fleet.images_size");
  }
  std::error_code error;
  const auto space = fs::space(folder_, error);
  if (error) return fail(ErrorKind::io, "look at", folder_, error.message());
  if (space.available < bytes + kKeepFree) {
    return full("its disk has " + words(space.available) + " left, of which " + words(kKeepFree) +
                " stay free");
  }
  return {};
}

Result<std::uint64_t> ImageStore::take(const std::string& sha256, std::uint64_t offset,
                                       std::string_view piece, Timestamp now) {
  if (auto right = expect_sha256("take", sha256); !right)
    return tl::unexpected<Error>(std::move(right.error()));
  if (piece.size() > kLongestPiece)
    return refuse(ErrorKind::usage, "take", sha256, "a piece has at most 8 MiB");
  const std::lock_guard lock(mutex_);
  forget(now);
  const auto known = images_->find(sha256);
  if (!known) return tl::unexpected<Error>(known.error());
  if (*known) return (*known)->bytes;
  if (busy_.contains(sha256))
    return refuse(ErrorKind::conflict, "take", sha256, "it is being checked");
  const auto upload = uploads_.find(sha256);
  if (upload == uploads_.end() && uploads_.size() >= kMostUploads)
    return refuse(ErrorKind::limit, "take", sha256, "32 others are half here");
  const std::uint64_t have = upload == uploads_.end() ? 0 : upload->second.have;
  if (offset > have) {
    return refuse(
        ErrorKind::conflict, "take", sha256,
        "the first " + std::to_string(have) + " bytes are here: go on at " + std::to_string(have));
  }
  if (have - offset >= piece.size()) return have;
  piece.remove_prefix(static_cast<std::size_t>(have - offset));
  if (have + piece.size() > kLongestImage)
    return refuse(ErrorKind::limit, "take", sha256, "an image has at most 1 GiB");
  if (auto room = has_room(piece.size()); !room)
    return tl::unexpected<Error>(std::move(room.error()));
  return append(sha256, have, piece, now);
}

Result<std::uint64_t> ImageStore::append(const std::string& sha256, std::uint64_t have,
                                         std::string_view bytes, Timestamp now) {
  const std::string file = path(sha256, kPart);
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno("open", file);
  uploads_[sha256] = {sha256, have, now};
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t put =
        ::pwrite(fd.get(), bytes.data() + at, bytes.size() - at, static_cast<off_t>(have + at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const int reason = errno;
      if (::ftruncate(fd.get(), static_cast<off_t>(have)) != 0) log_warning("cannot cut " + file);
      errno = reason;
      auto error = fail_errno("write", file);
      if (reason != ENOSPC && reason != EDQUOT) return error;
      return refuse(ErrorKind::limit, "take", sha256, "the disk is full");
    }
    at += static_cast<std::size_t>(put);
  }
  // By the server's clock, also after a restart.
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  const timespec times[2] = {{seconds.count(), 0}, {seconds.count(), 0}};
  ::futimens(fd.get(), times);
  return uploads_[sha256].have = have + bytes.size();
}

Result<ImageStore::Image> ImageStore::check(const std::string& sha256, const std::string& signer,
                                            const std::string& who, Timestamp now,
                                            std::string& manifest) const {
  const std::string file = path(sha256, kPart);
  const auto digest = sha256_file(file, kLongestImage);
  if (!digest) return tl::unexpected<Error>(digest.error());
  if (digest->sha256 != sha256) {
    return refuse(
        ErrorKind::malformed, "complete", sha256,
        "what was sent has the SHA-256 " + digest->sha256 + ": it was removed, send it anew");
  }
  const auto info = inspect_image(file, folder_);
  if (!info && info.error().kind == ErrorKind::io) return tl::unexpected<Error>(info.error());
  if (!info)
    return refuse(ErrorKind::malformed, "complete", sha256,
                  info.error().cause + ": it was removed");
  if (auto synced = sync_path(file, O_RDONLY); !synced)
    return tl::unexpected<Error>(std::move(synced.error()));
  manifest = info->manifest.to_json();
  return Image{sha256, info->manifest.name, info->manifest.version, digest->bytes, signer, now,
               who};
}

Result<ImageStore::Image> ImageStore::sign_anew(Image image, const std::string& signature,
                                                const std::string& signer) {
  if (signature.empty()) return image;
  if (auto done = replace_file(path(image.sha256, kSignature), signature); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  if (auto done = images_->set_signer(image.sha256, signer); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  image.signer = signer;
  return image;
}

Result<ImageStore::Image> ImageStore::complete(const std::string& sha256,
                                               const std::string& signature, const std::string& who,
                                               Timestamp now) {
  if (auto right = expect_sha256("complete", sha256); !right)
    return tl::unexpected<Error>(std::move(right.error()));
  std::string signer;
  if (!signature.empty()) {
    auto id = signer_of(signature);
    if (!id) return refuse(ErrorKind::malformed, "complete", sha256, id.error().cause);
    signer = std::move(*id);
  }
  {
    const std::lock_guard lock(mutex_);
    const auto known = images_->find(sha256);
    if (!known) return tl::unexpected<Error>(known.error());
    if (*known) return sign_anew(**known, signature, signer);
    if (!uploads_.contains(sha256))
      return refuse(ErrorKind::not_found, "complete", sha256, "nothing of it was sent");
    if (!busy_.insert(sha256).second)
      return refuse(ErrorKind::conflict, "complete", sha256, "it is being checked");
  }
  // Also where something throws.
  struct Checked {
    ~Checked() {
      const std::lock_guard lock(store.mutex_);
      store.busy_.erase(sha256);
    }
    ImageStore& store;
    const std::string& sha256;
  };
  const Checked checked{*this, sha256};
  std::string manifest;
  auto image = check(sha256, signer, who, now, manifest);
  const std::lock_guard lock(mutex_);
  std::error_code ignored;
  if (!image) {
    // It could never become right.
    if (image.error().kind == ErrorKind::malformed) {
      fs::remove(path(sha256, kPart), ignored);
      uploads_.erase(sha256);
    }
    return image;
  }
  if (!signature.empty()) {
    if (auto done = replace_file(path(sha256, kSignature), signature); !done)
      return tl::unexpected<Error>(std::move(done.error()));
  }
  if (::rename(path(sha256, kPart).c_str(), path(sha256, kImage).c_str()) != 0)
    return fail_errno("rename", path(sha256, kPart));
  auto done = sync_path(folder_, O_RDONLY | O_DIRECTORY);
  if (done) done = images_->add(*image, manifest);
  if (!done) {
    ::rename(path(sha256, kImage).c_str(), path(sha256, kPart).c_str());
    return tl::unexpected<Error>(std::move(done.error()));
  }
  uploads_.erase(sha256);
  return image;
}

Result<std::vector<ImageStore::Image>> ImageStore::list() const {
  return images_->list();
}

std::vector<ImageStore::Upload> ImageStore::uploads(Timestamp now) {
  const std::lock_guard lock(mutex_);
  forget(now);
  std::vector<Upload> all;
  for (const auto& [sha256, upload] : uploads_)
    all.push_back(upload);
  return all;
}

Result<ImageStore::Image> ImageStore::find(const std::string& sha256) const {
  auto found = images_->find(sha256);
  if (!found) return tl::unexpected<Error>(std::move(found.error()));
  if (*found) return std::move(**found);
  return refuse(ErrorKind::not_found, "find", sha256, "there is none of this SHA-256");
}

Result<Manifest> ImageStore::manifest(const std::string& sha256) const {
  const auto text = images_->manifest(sha256);
  if (!text) return tl::unexpected<Error>(text.error());
  return Manifest::parse(*text, sha256);
}

Result<Fd> ImageStore::file(const std::string& sha256) const {
  if (const auto known = find(sha256); !known) return tl::unexpected<Error>(known.error());
  return Fd::open_for_reading(path(sha256, kImage));
}

Result<std::string> ImageStore::signature(const std::string& sha256) const {
  const auto known = find(sha256);
  if (!known) return tl::unexpected<Error>(known.error());
  if (known->signer.empty())
    return refuse(ErrorKind::not_found, "find", sha256, "it is not signed");
  return read_small_file(path(sha256, kSignature), kLongestSignature);
}

Result<void> ImageStore::remove(const std::string& sha256) {
  if (auto right = expect_sha256("remove", sha256); !right) return right;
  const std::lock_guard lock(mutex_);
  if (busy_.contains(sha256))
    return refuse(ErrorKind::conflict, "remove", sha256, "it is being checked");
  const bool was_upload = uploads_.erase(sha256) > 0;
  auto done = images_->remove(sha256);
  if (!done && !was_upload) return done;
  for (const char* end : {kImage, kSignature, kPart}) {
    std::error_code ignored;
    fs::remove(path(sha256, end), ignored);
  }
  return {};
}

}  // namespace beaconry
