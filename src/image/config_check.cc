// Else the library ends the program where a schema is wrong.
#define VALIJSON_USE_EXCEPTIONS 1

#include "image/config_check.h"

#include <algorithm>
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
constexpr std::size_t kLongestMatched = 1024, kLongestPattern = 1024;
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

 private:
  void find_references(const Json& node, const std::string& key) {
    if (node.is_object()) {
      starts_.push_back(&node);
      for (const auto& [name, value] : node.items()) {
        if (name == "$ref" && value.is_string()) resolve(value.get_ref<const std::string&>());
        if (name == "$id" && value.is_string() && key != "properties")
          wrong_ = "'$id' is not supported; leave it out";
        if (name == "pattern" && value.is_string()) pattern(value.get_ref<const std::string&>());
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
    if (text.size() > kLongestPattern) {
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
};

// Gives every text that an expression is matched against the bound that matching has; the library
// looks at lengths first. Without `matching` the expressions are left out.
void bound_matching(Json& node, bool matching) {
  if (node.is_array()) {
    for (Json& item : node)
      bound_matching(item, matching);
  }
  if (!node.is_object()) return;
  const auto is_text = [&](const char* key) {
    const auto at = node.find(key);
    return at != node.end() && at->is_string();
  };
  if (is_text("pattern") || is_text("format")) {
    Json& most = node["maxLength"];
    if (!most.is_number_unsigned() || most.get<std::uint64_t>() > kLongestMatched)
      most = kLongestMatched;
    if (!matching) {
      if (is_text("pattern")) node.erase("pattern");
      if (is_text("format")) node.erase("format");
    }
  }
  for (auto& [key, value] : node.items()) {
    if (key != "const" && key != "enum" && key != "default" && key != "examples")
      bound_matching(value, matching);
  }
}

using SchemaPointer = std::unique_ptr<valijson::Schema>;

Result<SchemaPointer> prepare(const std::string& schema_json, bool matching) {
  const auto refuse = [](std::string cause) {
    return fail(ErrorKind::malformed, "read", "configuration schema", std::move(cause));
  };
  auto json = parse_shallow(schema_json);
  if (!json || !json->is_object()) return refuse("no JSON object, or nested too deep");
  if (std::string wrong = SchemaWalk(*json).check(); !wrong.empty())
    return refuse(std::move(wrong));
  bound_matching(*json, matching);
  auto prepared = std::make_unique<valijson::Schema>();
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(*json), *prepared);
  } catch (const std::exception& error) {
    return refuse(std::string("no JSON Schema: ") + terminal_safe(error.what()));
  }
  return prepared;
}

// Whether a text is longer than what is matched; names never may be.
bool has_long_text(const Json& node) {
  if (node.is_string()) return node.get_ref<const std::string&>().size() > kLongestMatched;
  if (!node.is_structured()) return false;
  return std::any_of(node.begin(), node.end(), has_long_text);
}
bool has_long_name(const Json& node) {
  if (!node.is_structured()) return false;
  for (const auto& [key, value] : node.items()) {
    if ((node.is_object() && key.size() > kLongestPattern) || has_long_name(value)) return true;
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

// Empty where it fits, else place and reason.
std::string misfit(const Json& config, const valijson::Schema& schema, bool explain) {
  const valijson::adapters::NlohmannJsonAdapter adapter(config);
  try {
    valijson::Validator validator;
    if (validator.validate(schema, adapter, nullptr)) return {};
    if (!explain) return "/: does not fit the schema";
    valijson::ValidationResults results;
    validator.validate(schema, adapter, &results);
    return first_error(results);
  } catch (const std::exception& error) {
    return std::string("/: the schema cannot be used: ") + terminal_safe(error.what());
  }
}

}  // namespace

Result<void> check_schema(const std::string& schema_json) {
  const auto prepared = prepare(schema_json, true);
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
  if (has_long_name(*config)) return refuse("a name is longer than 1024 bytes");
  if (schema_json.empty()) {
    if (config->empty()) return {};
    return refuse("/: this instrument takes no configuration: its manifest has no config.schema");
  }
  // All reasons are only gathered where no long text meets an expression.
  const bool is_long = has_long_text(*config);
  for (const bool matching : {false, true}) {
    if (!matching && !is_long) continue;
    const auto prepared = prepare(schema_json, matching);
    if (!prepared) return tl::unexpected<Error>(prepared.error());
    std::string wrong = misfit(*config, **prepared, !matching || !is_long);
    if (!wrong.empty()) return refuse(std::move(wrong));
  }
  return {};
}

}  // namespace beaconry
