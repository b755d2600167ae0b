#include "image/root_tree.h"

#include <deque>
#include <utility>
#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr int kMostLinks = 40;

tl::unexpected<Error> refuse(std::string_view path, std::string cause) {
  return fail(ErrorKind::malformed, "pack", '/' + terminal_safe(path), std::move(cause));
}

}  // namespace

Result<std::string> RootTree::resolved(std::string_view path, bool last) const {
  std::deque<std::string> rest;
  for (const std::string_view part : split(path, '/'))
    rest.emplace_back(part);
  std::vector<std::string> parts;
  const auto joined = [&] {
    std::string text;
    for (const std::string& part : parts)
      text += (text.empty() ? "" : "/") + part;
    return text;
  };
  int links = 0;
  while (!rest.empty()) {
    const std::string part = std::move(rest.front());
    rest.pop_front();
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
      continue;
    }
    parts.push_back(part);
    if (rest.empty() && !last) break;
    const auto found = entries_.find(joined());
    if (found == entries_.end() || found->second.kind != Entry::Kind::link) continue;
    if (++links > kMostLinks) return refuse(path, "links lead in a circle");
    const std::string& target = found->second.target;
    parts.pop_back();
    if (target.starts_with('/')) parts.clear();
    const auto inner = split(target, '/');
    rest.insert(rest.begin(), inner.begin(), inner.end());
  }
  return joined();
}

// Makes the folders on the way and says where it goes.
Result<std::string> RootTree::place(std::string_view path, bool is_folder) {
  auto where = resolved(path, is_folder);
  if (!where) return where;
  for (auto slash = where->find('/'); slash != std::string::npos;
       slash = where->find('/', slash + 1)) {
    const auto [at, added] = entries_.try_emplace(where->substr(0, slash));
    if (at->second.kind != Entry::Kind::folder)
      return refuse(path, '/' + at->first + " is no folder");
  }
  return where;
}

Result<void> RootTree::add_folder(std::string_view path, unsigned mode) {
  const auto where = place(path, true);
  if (!where) return tl::unexpected<Error>(where.error());
  if (where->empty()) return {};
  Entry& entry = entries_[*where];
  if (entry.kind != Entry::Kind::folder) return refuse(path, "there is a file of that name");
  entry.mode = mode;
  return {};
}

Result<void> RootTree::add_file(std::string_view path, std::string content, unsigned mode,
                                std::string origin) {
  const auto where = place(path, false);
  if (!where) return tl::unexpected<Error>(where.error());
  if (where->empty()) return refuse(path, "it is the root");
  const auto [at, added] = entries_.try_emplace(*where);
  Entry& entry = at->second;
  if (!added && entry.kind == Entry::Kind::folder)
    return refuse(path, "there is a folder of that name");
  if (entry.content != nullptr) bytes_ -= entry.content->size();
  bytes_ += content.size();
  if (bytes_ > most_bytes_) {
    return fail(ErrorKind::limit, "pack", '/' + terminal_safe(path),
                "the image would be longer than " +
                    bytes_in_words(static_cast<double>(most_bytes_)) + " unpacked");
  }
  entry = Entry{Entry::Kind::file, mode, "",
                std::make_shared<const std::string>(std::move(content)), std::move(origin)};
  return {};
}

Result<void> RootTree::add_link(std::string_view path, std::string target) {
  const auto where = place(path, false);
  if (!where) return tl::unexpected<Error>(where.error());
  if (where->empty()) return refuse(path, "it is the root");
  const auto [at, added] = entries_.try_emplace(*where);
  Entry& entry = at->second;
  if (!added && entry.kind == Entry::Kind::folder)
    return refuse(path, "there is a folder of that name");
  if (entry.content != nullptr) bytes_ -= entry.content->size();
  entry = Entry{Entry::Kind::link, 0777, std::move(target), nullptr, ""};
  return {};
}

const RootTree::Entry* RootTree::find(std::string_view path) const {
  const auto where = resolved(path, true);
  if (!where) return nullptr;
  const auto found = entries_.find(*where);
  return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace beaconry
