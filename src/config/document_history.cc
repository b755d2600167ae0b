#include "config/document_history.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestDocument = std::size_t{8} << 20;
constexpr std::string_view kSuffix = ".json";

Result<void> make_folders(const std::string& folder) {
  for (std::size_t slash = folder.find('/', 1);; slash = folder.find('/', slash + 1)) {
    const std::string part = folder.substr(0, slash);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      return fail_errno("make folder", part);
    }
    if (slash == std::string::npos) return {};
  }
}

std::string path_of(const std::string& folder, std::uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "/%012llu.json", static_cast<unsigned long long>(number));
  return folder + name;
}

Result<std::vector<std::uint64_t>> list(const std::string& folder) {
  DIR* entries = ::opendir(folder.c_str());
  if (entries == nullptr) return fail_errno("read folder", folder);
  std::vector<std::uint64_t> numbers;
  while (const dirent* entry = ::readdir(entries)) {
    std::string_view name = entry->d_name;
    if (!name.ends_with(kSuffix)) continue;  // such as what a crash left of a write
    name.remove_suffix(kSuffix.size());
    if (const auto number = parse_unsigned(name); number && *number != 0) {
      numbers.push_back(*number);
    }
  }
  ::closedir(entries);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<DocumentHistory::Version> read(const std::string& path, std::uint64_t number) {
  const auto text = read_small_file(path, kLongestDocument * 2);
  if (!text) return tl::unexpected<Error>(text.error());
  const Json json = Json::parse(*text, nullptr, false);
  const auto text_of = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json.is_object() || !json.contains("document")) {
    return fail(ErrorKind::malformed, "read", path, "it is damaged: not a version of a document");
  }
  DocumentHistory::Version version;
  version.number = number;
  version.who = text_of("who");
  version.how = text_of("how");
  version.time = parse_rfc3339(text_of("time")).value_or(Timestamp{});
  version.json = json["document"].dump();
  return version;
}

}  // namespace

Result<DocumentHistory> DocumentHistory::open(const std::string& folder, std::size_t most,
                                              std::uint64_t most_bytes) {
  DocumentHistory history;
  history.folder_ = folder;
  history.most_ = std::max<std::size_t>(most, 1);
  history.most_bytes_ = most_bytes;
  if (auto made = make_folders(folder); !made) return tl::unexpected<Error>(made.error());
  auto numbers = list(folder);
  if (!numbers) return tl::unexpected<Error>(std::move(numbers.error()));
  history.numbers_ = std::move(*numbers);
  for (const std::uint64_t number : history.numbers_) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path_of(folder, number), error);
    history.sizes_.push_back(error ? 0 : size);
  }
  // The newest that can be read holds. Its number counts on from the newest there ever was.
  for (std::size_t at = history.numbers_.size(); at-- > 0;) {
    const std::string path = path_of(folder, history.numbers_[at]);
    auto version = beaconry::read(path, history.numbers_[at]);
    if (version) {
      history.current_ = std::move(*version);
      break;
    }
    log_error(version.error().message() + "; the one before it holds");
  }
  return history;
}

Result<DocumentHistory::Version> DocumentHistory::add(const std::string& json,
                                                      const std::string& who,
                                                      const std::string& how, Timestamp now) {
  if (json.size() > kLongestDocument) {
    return fail(ErrorKind::limit, "keep", "the document",
                "longer than " + bytes_in_words(static_cast<double>(kLongestDocument)));
  }
  Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded()) {
    return fail(ErrorKind::malformed, "keep", "the document", "it is no JSON");
  }
  if (current_ && Json::parse(current_->json, nullptr, false) == document) return *current_;
  Version version;
  version.number = numbers_.empty() ? 1 : numbers_.back() + 1;
  version.time = now;
  version.who = utf8_valid(who);
  version.how = utf8_valid(how);
  version.json = document.dump();
  const Json file = {{"version", version.number},
                     {"time", to_rfc3339(now)},
                     {"who", version.who},
                     {"how", version.how},
                     {"document", std::move(document)}};
  const std::string text = file.dump() + '\n';
  if (auto put = replace_file(path_of(folder_, version.number), text); !put) {
    return tl::unexpected<Error>(std::move(put.error()));
  }
  numbers_.push_back(version.number);
  sizes_.push_back(text.size());
  drop_old();
  current_ = version;
  return version;
}

void DocumentHistory::drop_old() {
  std::size_t kept = 0;
  std::uint64_t bytes = 0;
  while (kept < std::min(most_, sizes_.size())) {
    bytes += sizes_[sizes_.size() - 1 - kept];
    if (kept != 0 && bytes > most_bytes_) break;
    ++kept;
  }
  const auto gone = static_cast<std::ptrdiff_t>(numbers_.size() - kept);
  for (auto number = numbers_.begin(); number != numbers_.begin() + gone; ++number)
    ::unlink(path_of(folder_, *number).c_str());
  numbers_.erase(numbers_.begin(), numbers_.begin() + gone);
  sizes_.erase(sizes_.begin(), sizes_.begin() + gone);
}

std::vector<std::uint64_t> DocumentHistory::numbers() const {
  return numbers_;
}

Result<DocumentHistory::Version> DocumentHistory::version(std::uint64_t number) const {
  if (current_ && current_->number == number) return *current_;
  if (!std::binary_search(numbers_.begin(), numbers_.end(), number)) {
    return fail(ErrorKind::not_found, "find", "version " + std::to_string(number),
                numbers_.empty() ? "there is none yet"
                                 : "kept are " + std::to_string(numbers_.front()) + " to " +
                                       std::to_string(numbers_.back()));
  }
  return beaconry::read(path_of(folder_, number), number);
}

Result<void> DocumentHistory::remove() {
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
  if (error) return fail(ErrorKind::io, "remove", folder_, error.message());
  numbers_.clear();
  sizes_.clear();
  current_.reset();
  return {};
}

}  // namespace beaconry
