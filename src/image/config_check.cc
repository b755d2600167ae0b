// Else the library ends the program where a schema is wrong.
#define VALIJSON_USE_EXCEPTIONS 1

#include "image/config_check.h"

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/text.h"
#include "config/document.h"
#include "image/manifest.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestConfig = 256 << 10;
// Expressions are matched by recursion, a step a character.
constexpr std::size_t kLongestMatched = 1024;
constexpr std::size_t kMostSteps = 10'000;

// Parses without more nesting than a stack holds.
std::optional<Json> parse_shallow(const std::string& text) {
  bool too_deep = false;
  Json json = Json::parse(
      text,
      [&](int depth, Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > static_cast<int>(kDeepestConfig);
        return !too_deep;
      },
      false);
  if (json.is_discarded() || too_deep) return std::nullopt;
  return json;
}

// An unbounded repetition of an unbounded repetition, which backtracking takes for ever over.
bool repeats_repetition(const std::string& pattern) {
  std::vector<bool> repeats{false};
  bool in_set = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const auto unbounded_at = [&](std::size_t at) {
      if (at >= pattern.size()) return false;
      if (pattern[at] == '*' || pattern[at] == '+') return true;
      const auto close = pattern.find('}', at);
      return pattern[at] == '{' && close != std::string::npos && pattern[close - 1] == ',';
    };
    if (c == '\\') {
      ++i;
    } else if (in_set) {
      in_set = c != ']';
    } else if (c == '[') {
      in_set = true;
    } else if (c == '(') {
      repeats.push_back(false);
    } else if (c == ')') {
      const bool inner = repeats.back();
      if (repeats.size() > 1) repeats.pop_back();
      if (inner && unbounded_at(i + 1)) return true;
      repeats.back() = repeats.back() || inner;
    } else if (unbounded_at(i)) {
      repeats.back() = true;
    }
  }
  return false;
}

// Walks a schema and finds what would make a check endless.
class SchemaWalk {
 public:
  explicit SchemaWalk(const Json& root) : root_(root) {}

  // What is wrong, or nothing.
  std::string check() {
    find_references(root_, "");
    if (wrong_.empty()) walk(root_);
    for (const Json* start : starts_) {
      if (wrong_.empty()) walk(*start);
    }
    return wrong_;
  }
  bool has_patterns() const { return has_patterns_; }

 private:
  void find_references(const Json& node, const std::string& key) {
    if (node.is_object()) {
      starts_.push_back(&node);
      for (const auto& [name, value] : node.items()) {
        if (name == "$ref" && value.is_string()) resolve(value.get_ref<const std::string&>());
        if (name == "$id" && value.is_string() && key != "properties")
          wrong_ = "'$id' is not supported; leave it out";
        if (name == "pattern" && value.is_string()) pattern(value.get_ref<const std::string&>());
        if (name == "format") has_patterns_ = true;
        if (name == "patternProperties" && value.is_object()) {
          for (const auto& [expression, ignored] : value.items())
            pattern(expression);
        }
        find_references(value, name);
      }
    } else if (node.is_array()) {
      for (const Json& item : node)
        find_references(item, key);
    }
  }
  void pattern(const std::string& text) {
    has_patterns_ = true;
    if (text.size() > kLongestMatched) {
      wrong_ = "a pattern is longer than 1024 characters";
      return;
    }
    try {
      const std::regex expression(text);
    } catch (const std::regex_error& error) {
      wrong_ = "the pattern '" + terminal_safe(text.substr(0, 60)) + "': " + error.what();
    }
    if (repeats_repetition(text))
      wrong_ = "the pattern '" + terminal_safe(text.substr(0, 60)) +
               "' repeats a repetition, which can take for ever; write it without";
  }
  const Json* resolve(const std::string& reference) {
    const auto unknown = [&] {
      wrong_ = "'$ref': '" + terminal_safe(reference.substr(0, 60)) +
               "' names nothing in this schema; write '#/definitions/NAME'";
      return nullptr;
    };
    if (reference == "#") return &root_;
    if (!reference.starts_with("#/")) return unknown();
    try {
      const Json::json_pointer pointer(reference.substr(1));
      if (!root_.contains(pointer)) return unknown();
      return &root_.at(pointer);
    } catch (const std::exception&) {  // no pointer
      return unknown();
    }
  }
  // Follows what is held against the same value as `node` is.
  void walk(const Json& node) {
    if (!wrong_.empty() || !node.is_object()) return;
    if (!under_way_.insert(&node).second) {
      wrong_ = "a '$ref' leads back to itself without end";
      return;
    }
    if (++steps_ > kMostSteps) wrong_ = "too many alternatives of alternatives";
    if (const auto at = node.find("$ref"); at != node.end() && at->is_string()) {
      if (const Json* target = resolve(at->get_ref<const std::string&>())) walk(*target);
    }
    for (const char* list : {"allOf", "anyOf", "oneOf"}) {
      if (const auto at = node.find(list); at != node.end() && at->is_array()) {
        for (const Json& item : *at)
          walk(item);
      }
    }
    for (const char* one : {"not", "if", "then", "else"}) {
      if (const auto at = node.find(one); at != node.end()) walk(*at);
    }
    under_way_.erase(&node);
  }

  const Json& root_;
  std::vector<const Json*> starts_;
  std::set<const Json*> under_way_;
  std::size_t steps_ = 0;
  std::string wrong_;
  bool has_patterns_ = false;
};

struct PreparedSchema {
  std::unique_ptr<valijson::Schema> schema;
  bool has_patterns = false;
};

Result<PreparedSchema> prepare(const std::string& schema_json) {
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::malformed, "read", "configuration schema", std::move(cause));
  };
  const auto json = parse_shallow(schema_json);
  if (!json || !json->is_object()) return refuse("no JSON object, or nested too deep");
  SchemaWalk walk(*json);
  if (std::string wrong = walk.check(); !wrong.empty()) return refuse(std::move(wrong));
  PreparedSchema prepared{std::make_unique<valijson::Schema>(), walk.has_patterns()};
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(*json), *prepared.schema);
  } catch (const std::exception& error) {
    return refuse(std::string("no JSON Schema: ") + terminal_safe(error.what()));
  }
  return prepared;
}

bool has_long_text(const Json& node) {
  if (node.is_string()) return node.get_ref<const std::string&>().size() > kLongestMatched;
  if (!node.is_structured()) return false;
  for (const auto& [key, value] : node.items()) {
    if (key.size() > kLongestMatched || has_long_text(value)) return true;
  }
  return false;
}

// valijson says ["<root>", "[ports]", "[2]"].
std::string pointer_of(const std::vector<std::string>& context) {
  std::string pointer;
  for (std::size_t i = 1; i < context.size(); ++i) {
    std::string_view part = context[i];
    if (part.size() > 1 && part.front() == '[' && part.back() == ']')
      part = part.substr(1, part.size() - 2);
    pointer += '/';
    for (const char c : part)
      pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return pointer.empty() ? "/" : pointer;
}

// The deepest place, and there the first words: whoever is told "/ports/2" needs no "/ports".
std::string first_error(valijson::ValidationResults& results) {
  valijson::ValidationResults::Error error, best;
  bool found = false;
  while (results.popError(error)) {
    if (!found || error.context.size() > best.context.size()) best = error;
    found = true;
  }
  if (!found) return "/: does not fit the schema";
  return terminal_safe(pointer_of(best.context)) + ": " + terminal_safe(best.description);
}

}  // namespace

Result<void> check_schema(const std::string& schema_json) {
  const auto prepared = prepare(schema_json);
  if (!prepared) return tl::unexpected<Error>(prepared.error());
  return {};
}

Result<void> check_config(const std::string& schema_json, const std::string& config_json) {
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::malformed, "check", "configuration", std::move(cause));
  };
  if (config_json.size() > kLongestConfig) return refuse("longer than 256 KiB");
  const auto config = parse_shallow(config_json);
  if (!config) return refuse("no JSON, or nested deeper than 32 levels");
  if (!config->is_object()) return refuse("/: must be an object");
  if (schema_json.empty()) {
    if (config->empty()) return {};
    return refuse("/: this instrument takes no configuration: its manifest has no config.schema");
  }
  const auto prepared = prepare(schema_json);
  if (!prepared) return tl::unexpected<Error>(prepared.error());
  if (prepared->has_patterns && has_long_text(*config))
    return refuse("a text is longer than 1024 bytes, which patterns are not matched against");
  try {
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(*prepared->schema, valijson::adapters::NlohmannJsonAdapter(*config),
                           &results))
      return {};
    return refuse(first_error(results));
  } catch (const std::exception& error) {  // such as an expression that is none
    return refuse(std::string("the schema cannot be used: ") + terminal_safe(error.what()));
  }
}

}  // namespace beaconry
