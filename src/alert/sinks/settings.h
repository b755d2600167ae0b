#pragma once
#include <string>
#include <string_view>

#include "base/file.h"
#include "config/values.h"

namespace beaconry {

// What the sinks share in reading their settings.

constexpr std::size_t kLongestSecretFile = 64 << 10;

// An error about a key, with the place where it was set.
inline tl::unexpected<Error> refuse_key(const ConfigValues& config, std::string_view path,
                                        const std::string& cause) {
  return fail(ErrorKind::usage, "read", config.origin(path).to_string(),
              std::string(path) + ": " + cause);
}

// The content of the file that a key names; empty where it names none.
inline Result<std::string> content_of(const ConfigValues& config, std::string_view path) {
  const auto file = config.text(path);
  if (!file || file->empty()) return std::string();
  auto content = read_small_file(*file, kLongestSecretFile);
  if (!content) return refuse_key(config, path, content.error().message());
  return content;
}

}  // namespace beaconry
