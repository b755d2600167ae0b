// What a tar archive says of an entry before its header.
#include <algorithm>
#include <iterator>
#include <set>

#include "base/text.h"
#include "image/tar.h"

namespace beaconry {
namespace {

// Keys of a pax header that say nothing of which bytes are whose.
bool is_harmless(std::string_view key) {
  static constexpr std::string_view kKeys[] = {"path",  "linkpath", "size", "mtime", "atime",
                                               "ctime", "uid",      "gid",  "uname", "gname"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys) ||
         key == "comment" || key.starts_with("SCHILY.xattr.") ||
         key.starts_with("LIBARCHIVE.xattr.") || key == "LIBARCHIVE.creationtime" ||
         key == "SCHILY.dev" || key == "SCHILY.ino" || key == "SCHILY.nlink";
}

}  // namespace

// GNU's long path (L) or target (K), or a pax header (x).
Result<void> TarReader::read_extension(char type, const std::string& text) {
  // Which of two would win is another thing with every reader.
  const bool is_pax = type == 'x';
  if (extensions_.find(type) != std::string::npos || (is_pax && !extensions_.empty()) ||
      extensions_.find('x') != std::string::npos)
    return refuse("an entry has several headers that say the same");
  extensions_ += type;
  if (is_pax) return read_pax(text);
  const auto end = std::min(text.find('\0'), text.size());
  if (end == 0 || text.find_first_not_of('\0', end) != std::string::npos)
    return refuse("a long path is damaged");
  (type == 'L' ? long_path_ : long_target_) = text.substr(0, end);
  return {};
}

Result<void> TarReader::read_pax(const std::string& text) {
  std::string_view rest = text;
  std::set<std::string_view> keys;
  while (!rest.empty()) {
    const auto blank = rest.find(' ');
    const auto length =
        blank == std::string_view::npos ? std::nullopt : parse_unsigned(rest.substr(0, blank));
    if (!length || *length <= blank + 1 || *length > rest.size() || rest[*length - 1] != '\n')
      return refuse("a pax header is damaged");
    const std::string_view record = rest.substr(blank + 1, *length - blank - 2);
    rest.remove_prefix(*length);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos) return refuse("a pax header is damaged");
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key.starts_with("GNU.sparse")) return refuse("sparse files are not supported");
    if (!is_harmless(key))
      return refuse("a pax header has the key '" + terminal_safe(key.substr(0, 100)) +
                    "', which is not supported");
    if (!keys.insert(key).second) return refuse("a pax header has a key twice");
    const bool is_text = key == "path" || key == "linkpath";
    if (is_text && (value.empty() ||
                    value.find_first_of(std::string_view("\0\n", 2)) != std::string_view::npos))
      return refuse("a pax header's path is empty or broken");
    if (key == "path") long_path_ = value;
    if (key == "linkpath") long_target_ = value;
    if (key == "size") {
      long_size_ = parse_unsigned(value);
      if (!long_size_) return refuse("a pax header's size is no number");
    }
  }
  return {};
}

}  // namespace beaconry
