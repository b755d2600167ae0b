#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/time.h"
#include "fleet/fleet_images.h"
#include "image/manifest.h"
#include "store/database.h"

namespace beaconry {

bool is_sha256(std::string_view text);  // 64 hex digits, lower case: a file's name here

// The images that the server hands on: files in a folder of its own, uploaded piece by piece, and
// what it knows of them. It holds no trusted keys: a signature is kept and said whose it claims to
// be; sensors check it. Any thread may call; complete() reads the whole file.
class ImageStore {
 public:
  static constexpr std::size_t kLongestPiece = std::size_t{8} << 20, kMostUploads = 32;
  static constexpr std::uint64_t kMostBytes = std::uint64_t{20} << 30;  // unless it is told
  static constexpr std::uint64_t kKeepFree = std::uint64_t{512} << 20;  // of the disk, for others
  static constexpr Duration kForgetAfter = std::chrono::hours{24};      // an upload that rests

  using Image = FleetImages::Image;
  struct Upload {
    std::string sha256;
    std::uint64_t have = 0;
    Timestamp touched{};
  };

  // Makes the folder. What a crash left half made is cleared away.
  static Result<std::unique_ptr<ImageStore>> open(Database& database, const std::string& folder,
                                                  Timestamp now);

  void set_most_bytes(std::uint64_t bytes) { most_bytes_ = bytes; }  // of all images and uploads

  // A piece at most kLongestPiece long. Returns what is there by now, from the beginning. What is
  // there already is left out; ErrorKind::conflict for a gap, ErrorKind::limit where it is full.
  Result<std::uint64_t> take(const std::string& sha256, std::uint64_t offset,
                             std::string_view piece, Timestamp now);
  // The upload is whole: its SHA-256 and what is in it are checked, and it is an image from now on.
  // Bytes that are wrong are removed. Signature: the .minisig's text, or empty; of an image that is
  // there it replaces the one before.
  Result<Image> complete(const std::string& sha256, const std::string& signature,
                         const std::string& who, Timestamp now);

  Result<std::vector<Image>> list() const;
  std::vector<Upload> uploads(Timestamp now);  // not forgotten yet
  Result<Image> find(const std::string& sha256) const;
  Result<Manifest> manifest(const std::string& sha256) const;
  Result<Fd> file(const std::string& sha256) const;
  Result<std::string> signature(const std::string& sha256) const;  // not_found: it is not signed
  Result<void> remove(const std::string& sha256);                  // also an upload

 private:
  ImageStore(std::string folder, std::unique_ptr<FleetImages> images);
  Result<void> load(Timestamp now);
  std::string path(const std::string& sha256, const char* end) const;
  Result<std::uint64_t> used() const;
  Result<void> has_room(std::uint64_t bytes) const;
  Result<std::uint64_t> append(const std::string& sha256, std::uint64_t have,
                               std::string_view bytes, Timestamp now);
  Result<Image> check(const std::string& sha256, const std::string& signer, const std::string& who,
                      Timestamp now, std::string& manifest) const;
  Result<Image> sign_anew(Image image, const std::string& signature, const std::string& signer);
  void forget(Timestamp now);

  const std::string folder_;
  const std::unique_ptr<FleetImages> images_;
  std::atomic<std::uint64_t> most_bytes_{kMostBytes};
  mutable std::mutex mutex_;
  std::map<std::string, Upload> uploads_;
  std::set<std::string> busy_;  // uploads that are being checked
};

}  // namespace beaconry
