#pragma once
#include <string>
#include <vector>

#include "bus/messages.h"
#include "sensor/services/resource_store.h"

namespace beaconry {

// For whom a fetched file is: what it must be to be taken, and where it goes then.
struct ResourceTarget {
  std::string instance;
  ResourceWish wish;
  std::string installed;             // SHA-256 of what is there
  std::vector<std::string> refused;  // that were rolled back
  std::uint64_t accepted = 0;        // when the newest that was good was signed; seconds
  bool pinned = false;               // the administrator wrote the wish's SHA-256
  std::string store;                 // folder
};
struct ResourceVerdict {
  std::string instance, name;
  enum class What { install, same, refused, failed } what = What::failed;
  std::string reason;           // refused: the file is not to be had; failed: could not be kept
  std::uint64_t signed_at = 0;  // taken by its signature: when it was made
};
struct CheckedResource {
  std::string sha256;
  std::uint64_t bytes = 0;
  std::string signed_by;  // key id; empty: nobody known
  std::vector<ResourceVerdict> verdicts;
};

// Measures a fetched file, holds its signature against the pinned keys and puts it into the stores
// of those who may have it: whose administrator wrote its hash, or who wish for a file of the name
// that is signed with it, not before what was good already. Blocks; any thread.
CheckedResource check_resource(const std::string& file, const std::string& signature_file,
                               const std::string& keys_folder,
                               const std::vector<ResourceTarget>& targets);

}  // namespace beaconry
