#include "sensor/services/resource_check.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "image/digest.h"
#include "image/minisign.h"
#include "sensor/services/resource_entry.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestSignature = 16 << 10;
constexpr std::uint64_t kMostStored = std::uint64_t{512} << 20;  // an instance, all versions

// Whose key signed it, or why nobody's did.
struct Signature {
  std::string key;
  MinisignComment comment;
};
Result<Signature> signer(const std::string& file, const std::string& signature_file,
                         const std::string& keys_folder) {
  if (signature_file.empty()) {
    return fail(ErrorKind::not_found, "", "", "it is unsigned: there is no .minisig beside it");
  }
  const auto signature = read_small_file(signature_file, kLongestSignature);
  if (!signature) return tl::unexpected<Error>(signature.error());
  const auto keys = read_public_keys(keys_folder);
  if (!keys) return tl::unexpected<Error>(keys.error());
  const auto key = verify_file(file, *signature, *keys);
  if (!key) return fail(key.error().kind, "", "", key.error().cause);
  return Signature{key->id, read_comment(*signature)};
}

// The last word of its path.
std::string_view file_of(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  return url.substr(url.rfind('/') + 1);
}

// Why a good signature is not one of what is wished for; empty: it is.
std::string why_another(const MinisignComment& comment, const ResourceTarget& target,
                        bool is_there) {
  const ResourceWish& wish = target.wish;
  if (comment.file.empty() || comment.timestamp == 0) {
    return "its signature's trusted comment does not say timestamp:SECONDS and file:NAME; sign it "
           "without -t";
  }
  if (comment.file != wish.name && comment.file != file_of(wish.url)) {
    return "its signature is of a file called " + terminal_safe(comment.file) + ", not of " +
           wish.name + "; sign it under its name";
  }
  if (!is_there && comment.timestamp < target.accepted) {
    return "its signature is older than that of a version that was installed before; sign it anew "
           "to go back to it";
  }
  return {};
}

}  // namespace

CheckedResource check_resource(const std::string& file, const std::string& signature_file,
                               const std::string& keys_folder,
                               const std::vector<ResourceTarget>& targets) {
  CheckedResource checked;
  std::string fault, unsigned_because;
  MinisignComment comment;
  const auto digest = sha256_file(file, ResourceEntry::kMostBytes);
  if (digest) {
    checked.sha256 = digest->sha256;
    checked.bytes = digest->bytes;
    const auto by = signer(file, signature_file, keys_folder);
    if (by) {
      checked.signed_by = by->key;
      comment = by->comment;
    } else {
      unsigned_because = by.error().message();
    }
  } else {
    fault = digest.error().message();
  }
  for (const ResourceTarget& target : targets) {
    const ResourceWish& wish = target.wish;
    ResourceVerdict verdict{target.instance, wish.name, ResourceVerdict::What::refused, fault, 0};
    const bool pinned = target.pinned && !wish.sha256.empty();
    const bool is_there = checked.sha256 == target.installed;
    const std::string another =
        pinned || checked.signed_by.empty() ? "" : why_another(comment, target, is_there);
    if (!pinned) verdict.signed_at = comment.timestamp;
    if (!fault.empty()) {
      verdict.what = ResourceVerdict::What::failed;
    } else if (checked.bytes > wish.most_bytes) {
      verdict.reason = "it is too large: " + bytes_in_words(static_cast<double>(checked.bytes)) +
                       ", more than " + bytes_in_words(static_cast<double>(wish.most_bytes));
    } else if (!wish.sha256.empty() && wish.sha256 != checked.sha256) {
      verdict.reason = "its SHA-256 is " + checked.sha256 + ", not " + wish.sha256;
    } else if (!pinned && checked.signed_by.empty()) {
      verdict.reason = unsigned_because;
      if (!wish.sha256.empty()) {
        verdict.reason += "; its SHA-256 would do if it stood in the instance's configuration";
      }
    } else if (!another.empty()) {
      verdict.reason = another;
    } else if (is_there) {
      verdict.what = ResourceVerdict::What::same;
    } else if (std::find(target.refused.begin(), target.refused.end(), checked.sha256) !=
               target.refused.end()) {
      verdict.reason = "its version " + checked.sha256.substr(0, 12) +
                       " was rolled back before and is not taken again";
    } else if (ResourceStore(target.store).bytes() + checked.bytes > kMostStored) {
      verdict.reason = "there is no room for it: an instrument may have " +
                       bytes_in_words(static_cast<double>(kMostStored)) + " of files";
    } else {
      const auto put = ResourceStore(target.store).put(file, checked.sha256, wish.executable);
      verdict.what = put ? ResourceVerdict::What::install : ResourceVerdict::What::failed;
      if (!put) verdict.reason = put.error().message();
    }
    checked.verdicts.push_back(std::move(verdict));
  }
  return checked;
}

}  // namespace beaconry
