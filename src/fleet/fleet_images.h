#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/database.h"

namespace beaconry {

// What the server knows of the instrument images that it hands on, by the SHA-256 of their files.
// The files lie in a folder of the server's; who may trust them is decided by the sensors' keys,
// not here. On disk when a call returns. Any thread may call.
class FleetImages {
 public:
  static constexpr std::size_t kMostImages = 10'000;

  struct Image {
    std::string sha256;         // 64 hex digits, lower case
    std::string name, version;  // of its manifest
    std::uint64_t bytes = 0;
    std::string signer;  // id of the key that signed it, as its signature says; empty: unsigned
    Timestamp added{};
    std::string who;
  };

  static Result<std::unique_ptr<FleetImages>> open(Database& database);
  // The same file again changes nothing. `manifest`: as JSON.
  Result<void> add(const Image& image, const std::string& manifest);
  Result<void> set_signer(const std::string& sha256, const std::string& signer);
  Result<std::optional<Image>> find(const std::string& sha256) const;
  Result<std::vector<Image>> list() const;  // by name, the newest of each first
  Result<std::string> manifest(const std::string& sha256) const;
  Result<void> remove(const std::string& sha256);

 private:
  explicit FleetImages(Database& database) : database_(database) {}

  Database& database_;
};

}  // namespace beaconry
