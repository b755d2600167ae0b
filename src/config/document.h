#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace beaconry {

// One value of a YAML document with the line where it stands.
struct ConfigNode {
  enum class Kind { null, scalar, list, map };
  struct Member;  // of a map

  Kind kind = Kind::null;
  std::size_t line = 0;           // from 1
  std::string text;               // of a scalar, as written between its quotes
  bool quoted = false;            // a scalar that is text whatever it looks like: "5", '5', | 5
  std::vector<ConfigNode> items;  // of a list
  std::vector<Member> members;    // of a map, in the file's order; no key twice

  const Member* find(std::string_view key) const;
};

struct ConfigNode::Member {
  std::string key;
  std::size_t line = 0;
  ConfigNode value;
};

constexpr std::size_t kLongestConfigFile = std::size_t{1} << 20;
constexpr std::size_t kDeepestConfig = 32;

// A parsed YAML file, before anything is known of its keys. Whatever the bytes, reading takes
// bounded time and memory: size and depth have limits, and aliases, which could multiply a small
// file, are refused. So are keys given twice, keys that are not plain words, and a second document.
struct ConfigDocument {
  std::string file;  // as errors and origins name it
  ConfigNode root;   // a map, or null for a document without content

  static Result<ConfigDocument> parse(std::string text, std::string file);
  static Result<ConfigDocument> read(const std::string& path);

  // "hunt.yaml line 12"
  std::string place(std::size_t line) const;
};

}  // namespace beaconry
