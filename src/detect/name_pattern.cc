#include "detect/name_pattern.h"

#include "base/text.h"

namespace beaconry {
namespace {

bool is_wildcard(char c) {
  return c == '*' || c == '?';
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

// Greedy with one point of return: after a mismatch only the last star needs to take more, so the
// time is bounded by the product of both lengths.
bool glob_matches(std::string_view glob, std::string_view name) {
  std::size_t at = 0, in = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  while (in < name.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      resume = in;
    } else if (at < glob.size() && (glob[at] == '?' || glob[at] == name[in])) {
      ++at, ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in = ++resume;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*')
    ++at;
  return at == glob.size();
}

tl::unexpected<Error> refuse(std::string_view text, std::string cause) {
  return fail(ErrorKind::malformed, "read", '\'' + terminal_safe(text) + '\'', std::move(cause));
}

}  // namespace

Result<NamePattern> NamePattern::parse(std::string_view text) {
  NamePattern pattern;
  pattern.glob_ = ascii_lower(text);
  std::string& glob = pattern.glob_;
  if (glob.size() > 1 && glob.back() == '.') glob.pop_back();
  if (!glob.empty() && glob.front() == '.') {
    pattern.and_below_ = true;
    glob.erase(0, 1);
  }
  if (glob.empty()) return refuse(text, "no name; write one like *.example.com");
  if (glob.find("..") != std::string::npos || glob.front() == '.' || glob.back() == '.') {
    return refuse(text, "a name has no empty part between dots");
  }
  bool has_letter = false;
  for (const char c : glob) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return refuse(text, "names on the wire are ASCII; write the xn-- form");
    }
    if (is_wildcard(c)) {
      pattern.has_wildcard_ = true;
    } else if (is_name_character(c)) {
      has_letter = true;
    } else if (c != '.') {
      return refuse(text, std::string("a name cannot hold '") + terminal_safe({&c, 1}) +
                              "'; give one entry a line");
    }
  }
  if (!has_letter) return refuse(text, "it matches every name; give at least one letter");
  return pattern;
}

bool NamePattern::matches(std::string_view name) const {
  if (name.empty()) return false;
  if (!has_wildcard_) {
    if (name == glob_) return true;
    return and_below_ && name.size() > glob_.size() + 1 && name.ends_with(glob_) &&
           name[name.size() - glob_.size() - 1] == '.';
  }
  if (glob_matches(glob_, name)) return true;
  if (!and_below_) return false;
  for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
    if (dot > 0 && glob_matches(glob_, name.substr(dot + 1))) return true;
  }
  return false;
}

std::string_view NamePattern::fixed_ending() const {
  const std::string_view glob = glob_;
  if (!has_wildcard_) return glob;
  const std::string_view tail = glob.substr(glob.find_last_of("*?") + 1);
  const auto dot = tail.find('.');
  return dot == std::string_view::npos ? std::string_view() : tail.substr(dot + 1);
}

}  // namespace beaconry
