#include "config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "base/file.h"
#include "base/text.h"

namespace beaconry {
namespace {

// Builds the tree from the parser's events. Throws YAML::ParserException as the parser does, for
// parse() to catch: nothing else sees it.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view source) : source_(source) {}
  ConfigNode take_root() { return std::move(root_); }
  int first_line() const { return first_line_; }  // from 0

  void OnDocumentStart(const YAML::Mark& mark) override { first_line_ = mark.line; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (awaits_key()) refuse(mark, "a key is missing before ':'");
    add(leaf(ConfigNode::Kind::null, mark));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not supported; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    if (!closes_its_quote(mark)) refuse(mark, "a quote is opened and never closed");
    if (awaits_key()) {
      take_key(mark, value);
      return;
    }
    ConfigNode node = leaf(ConfigNode::Kind::scalar, mark);
    node.text = value;
    node.quoted = tag == "!";  // what the parser gives a quoted or block scalar without a tag
    add(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(ConfigNode::Kind::list, mark);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(ConfigNode::Kind::map, mark);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    ConfigNode node;
    std::unordered_set<std::string> keys;  // of a map
    bool has_key = false;                  // the last member waits for its value
  };

  [[noreturn]] static void refuse(const YAML::Mark& mark, const std::string& why) {
    throw YAML::ParserException(mark, why);
  }
  static ConfigNode leaf(ConfigNode::Kind kind, const YAML::Mark& mark) {
    ConfigNode node;
    node.kind = kind;
    node.line = static_cast<std::size_t>(std::max(mark.line, 0)) + 1;
    return node;
  }
  // The parser lets a quoted text run to the end of the file, which would swallow keys in silence.
  bool closes_its_quote(const YAML::Mark& mark) const {
    if (mark.pos < 0 || static_cast<std::size_t>(mark.pos) >= source_.size()) return true;
    const std::string_view text = source_.substr(static_cast<std::size_t>(mark.pos));
    const char quote = text.front();
    if (quote != '\'' && quote != '"') return true;
    for (std::size_t at = 1; at < text.size(); ++at) {
      if (text[at] == '\\' && quote == '"') {
        ++at;
      } else if (text[at] == quote) {
        if (quote == '"' || at + 1 == text.size() || text[at + 1] != quote) return true;
        ++at;  // '' stands for one
      }
    }
    return false;
  }
  bool awaits_key() const {
    return !open_.empty() && open_.back().node.kind == ConfigNode::Kind::map &&
           !open_.back().has_key;
  }
  void take_key(const YAML::Mark& mark, const std::string& key) {
    Open& map = open_.back();
    if (!map.keys.insert(key).second) {
      refuse(mark, "key '" + terminal_safe(key) + "' is given twice; remove one");
    }
    ConfigNode::Member member;
    member.key = key;
    member.line = leaf(ConfigNode::Kind::scalar, mark).line;
    map.node.members.push_back(std::move(member));
    map.has_key = true;
  }
  void open(ConfigNode::Kind kind, const YAML::Mark& mark) {
    if (awaits_key()) refuse(mark, "a key must be a word, not a list or a map");
    if (open_.size() >= kDeepestConfig) {
      refuse(mark, "nested deeper than " + std::to_string(kDeepestConfig) + " levels");
    }
    Open opened;
    opened.node = leaf(kind, mark);
    open_.push_back(std::move(opened));
  }
  void close() {
    ConfigNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }
  void add(ConfigNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == ConfigNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else {
      parent.node.members.back().value = std::move(node);
      parent.has_key = false;
    }
  }

  std::string_view source_;
  int first_line_ = 0;
  ConfigNode root_;
  std::vector<Open> open_;
};

}  // namespace

const ConfigNode::Member* ConfigNode::find(std::string_view key) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const Member& member) { return member.key == key; });
  return found == members.end() ? nullptr : &*found;
}

std::string ConfigDocument::place(std::size_t line) const {
  return terminal_safe(file) + " line " + std::to_string(line);
}

Result<ConfigDocument> ConfigDocument::parse(std::string text, std::string file) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  ConfigDocument document;
  document.file = std::move(file);
  const auto refuse = [&](int line, std::string cause) {
    return fail(ErrorKind::malformed, "read",
                document.place(static_cast<std::size_t>(std::max(line, 0)) + 1), std::move(cause));
  };
  if (text.size() > kLongestConfigFile) {
    return fail(ErrorKind::limit, "read", terminal_safe(document.file),
                "longer than " + bytes_in_words(static_cast<double>(kLongestConfigFile)));
  }
  // Else the parser would take it for UTF-16 or UTF-32, whose places are not those of the bytes.
  if (text.find('\0') != std::string::npos || text.starts_with("\xff\xfe") ||
      text.starts_with("\xfe\xff")) {
    return fail(ErrorKind::malformed, "read", terminal_safe(document.file),
                "not UTF-8 text; save it as UTF-8");
  }
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder builder(text);
    parser.HandleNextDocument(builder);
    document.root = builder.take_root();
    TreeBuilder second(text);
    if (parser.HandleNextDocument(second)) {
      return refuse(second.first_line(), "a second document begins; give each a file of its own");
    }
  } catch (const YAML::Exception& error) {
    return refuse(error.mark.line, terminal_safe(error.msg));
  } catch (const std::exception& error) {
    return fail(ErrorKind::malformed, "read", terminal_safe(document.file),
                std::string("not YAML: ") + terminal_safe(error.what()));
  }
  if (document.root.kind != ConfigNode::Kind::map && document.root.kind != ConfigNode::Kind::null) {
    return refuse(static_cast<int>(document.root.line) - 1,
                  "not a map of sections; write lines such as 'detection:'");
  }
  return document;
}

Result<ConfigDocument> ConfigDocument::read(const std::string& path) {
  auto text = read_small_file(path, kLongestConfigFile);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  return parse(std::move(*text), path == "-" ? "standard input" : path);
}

}  // namespace beaconry
