#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "image/image.h"

namespace beaconry {

using InspectImage =
    std::function<Result<ImageInfo>(const std::string& file, const std::string& keys_folder)>;

// The images that a sensor has: FOLDER/FINGERPRINT.instrument with its signature beside it. Each is
// read anew at the start. One thread, but for take().
class ImageFolder {
 public:
  struct Options {
    std::string folder, keys_folder;
    InspectImage inspect;  // inspect_image()
  };
  // Images that cannot be read are named in `problems` and left alone.
  static Result<ImageFolder> open(const Options& options, std::vector<std::string>& problems);

  // Copies a file in, with FILE.minisig, and reads the copy. Any thread; blocks. To be told to
  // add() afterwards.
  static Result<ImageInfo> take(const Options& options, const std::string& file);
  // Reads those that are there anew, as when a key came or went; what cannot be read is not among
  // them. Any thread; blocks.
  static std::vector<ImageInfo> inspect_again(const Options& options,
                                              const std::vector<ImageInfo>& images);
  void add(const ImageInfo& image) { images_[image.fingerprint] = image; }

  const ImageInfo* find(const std::string& fingerprint) const;
  // A fingerprint, NAME:VERSION, or NAME if there is one version of it.
  Result<std::string> resolve(const std::string& words) const;
  std::vector<ImageInfo> all() const;  // by name and version
  const Options& options() const { return options_; }

  // Removes those that are not used and were not for a day.
  void remove_unused(const std::set<std::string>& used, Timestamp now);

 private:
  Options options_;
  std::map<std::string, ImageInfo> images_;
  std::map<std::string, Timestamp> unused_since_;
};

}  // namespace beaconry
