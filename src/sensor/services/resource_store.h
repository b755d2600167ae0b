#pragma once
#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"

namespace beaconry {

// The files of one instance, as it sees them under /resources: FOLDER/NAME is a link to
// .store/SHA256[x], so that another version takes its place at one moment. Readable for all, since
// the instrument's user is none of ours; the folder above is root's alone.
class ResourceStore {
 public:
  explicit ResourceStore(std::string folder) : folder_(std::move(folder)) {}
  Result<void> open() const;

  // Copies the file in, durable when this returns; one that is there stays. Any thread.
  Result<void> put(const std::string& file, const std::string& sha256, bool executable) const;
  // Lets NAME lead to it, or, with no hash, nowhere. Durable.
  Result<void> point(const std::string& name, const std::string& sha256, bool executable) const;
  // Removes all versions that are not among these (file names of the store) and no longer wished
  // names.
  void keep_only(const std::set<std::string>& versions, const std::set<std::string>& names) const;
  void remove() const;
  std::uint64_t bytes() const;  // of all versions

  static std::string version(const std::string& sha256, bool executable) {
    return sha256 + (executable ? "x" : "");
  }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

}  // namespace beaconry
