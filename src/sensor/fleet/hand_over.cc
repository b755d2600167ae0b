// Documents and images that somebody carried here.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "sensor/fleet/link_threads.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 4096;
constexpr std::string_view kHead = "beaconry-signed-document ", kImage = ".instrument";

Result<std::vector<std::string>> files_of(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    files.push_back(at->path().string());
    if (files.size() > kMostFiles) {
      return fail(ErrorKind::limit, "read", folder,
                  "it has more than " + std::to_string(kMostFiles) + " files; name the document");
    }
  }
  if (error) return fail(ErrorKind::io, "read", folder, error.message());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

// The newest that is for this sensor. One that is named must be right; in a folder others' are no
// fault.
Result<LinkThreads::Found> LinkThreads::find_document(const std::string& path) const {
  Found found;
  const auto look = [&](const std::string& file, bool named) -> Result<void> {
    auto text = read_small_file(file, kLongestSignedDocument);
    if (!text) return named ? Result<void>(tl::unexpected<Error>(text.error())) : Result<void>();
    if (!named && !text->starts_with(kHead)) return {};
    auto looked = document_.look_at(*text);
    if (!looked.wish) {
      const bool is_others = !named && looked.checked.refusal == DocumentRefusal::other_sensor;
      if (is_others && !found.refused.empty()) return {};
      found.fault = file + ": " + looked.checked.words;
      if (!is_others) found.refused = std::move(*text);
      return {};
    }
    if (found.wish && looked.checked.document->version <= found.version) return {};
    found.message = std::move(*text);
    found.version = looked.checked.document->version;
    found.wish = std::move(looked.wish);
    return {};
  };
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (auto done = look(path, true); !done) return tl::unexpected<Error>(std::move(done.error()));
    return found;
  }
  const auto files = files_of(path);
  if (!files) return tl::unexpected<Error>(files.error());
  for (const std::string& file : *files) {
    if (auto done = look(file, false); !done) return tl::unexpected<Error>(std::move(done.error()));
  }
  if (!found.wish && found.fault.empty())
    found.fault = path + ": there is no signed document in it";
  return found;
}

Result<FleetLink::Taken> LinkThreads::take(const std::string& path) {
  auto found = find_document(path);
  if (!found) return tl::unexpected<Error>(std::move(found.error()));
  if (!found->wish) {
    // Counted like any other that came.
    if (!found->refused.empty()) (void)document_.keep(found->refused, options_.clock());
    return fail(ErrorKind::malformed, "take", "document", found->fault);
  }
  Taken taken;
  std::error_code error;
  const std::string folder =
      fs::is_directory(path, error) ? path : fs::path(path).parent_path().string();
  // First, so that nothing waits for what is on the same stick.
  take_images(folder.empty() ? "." : folder, *found->wish, taken);
  {
    const std::lock_guard one(taking_);
    const auto kept = document_.keep(found->message, options_.clock());
    if (!kept) return tl::unexpected<Error>(kept.error());
    if (kept->refusal != DocumentRefusal::none)
      return fail(ErrorKind::malformed, "take", path, kept->words);
    taken.version = kept->version;
    taken.is_news = kept->is_news;
    const std::lock_guard lock(mutex_);
    if (kept->is_news) obeyed_ = false;
  }
  obey();
  const std::lock_guard lock(mutex_);
  if (!not_obeyed_.words.empty()) return fail(ErrorKind::io, "obey", path, not_obeyed_.words);
  return taken;
}

void LinkThreads::take_images(const std::string& folder, const FleetWish& wish, Taken& taken) {
  std::map<std::string, bool> wished;  // and whether it may be unsigned
  for (const auto& [name, instance] : wish.instances) {
    bool& may_be_unsigned = wished[instance.image];
    may_be_unsigned = may_be_unsigned || instance.allow_unsigned;
  }
  for (const ImageInfo& image : sensor_.images())
    wished.erase(image.fingerprint);
  if (wished.empty()) return;
  const auto files = files_of(folder);
  if (!files) {
    taken.problems.push_back(files.error().message());
    return;
  }
  for (const std::string& file : *files) {
    if (!file.ends_with(kImage)) continue;
    const auto image = options_.inspect(file, options_.keys_folder);
    if (!image) {
      taken.problems.push_back(image.error().message());
      continue;
    }
    const auto want = wished.find(image->fingerprint);
    if (want == wished.end()) continue;
    if (image->signed_by.empty() && !want->second) {
      taken.problems.push_back(
          file + " is not signed by a key of this machine (" +
          (image->signature_fault.empty() ? "no signature" : image->signature_fault) +
          "): it is left there");
      continue;
    }
    const auto added = sensor_.add_image(file);
    if (!added) {
      taken.problems.push_back(added.error().message());
      continue;
    }
    taken.images.push_back(image->fingerprint);
    wished.erase(want);
  }
  for (const auto& [image, may_be_unsigned] : wished) {
    taken.problems.push_back("image " + image.substr(0, 12) +
                             "... is neither here nor beside the document");
  }
}

}  // namespace beaconry
