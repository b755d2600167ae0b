#include "sensor/api_body.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using Kind = InterfaceWish::Kind;

constexpr std::size_t kShown = 60, kLongestText = 4096, kMostInterfaces = 16, kMostResolvers = 8,
                      kMostWords = 256, kDeepest = 64, kLongestWord = 64 << 10;
constexpr std::uint64_t kMostHours = 24 * 366 * 20, kMostSeconds = 3600;

// An object of known fields. What is wrong first is kept.
class Fields {
 public:
  Fields(const Json& object, std::string where, std::initializer_list<std::string_view> known)
      : object_(object), where_(std::move(where)) {
    if (!object.is_object()) {
      refuse("", "is no JSON object");
      return;
    }
    for (const auto& [name, value] : object.items()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      std::string words;
      for (const auto word : known)
        words += (words.empty() ? "" : ", ") + std::string(word);
      refuse(terminal_safe(name.substr(0, kShown)),
             known.size() == 0 ? "is unknown: nothing is taken here" : "is not one of " + words);
    }
  }

  const Json* find(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto at = object_.find(name);
    return at == object_.end() ? nullptr : &*at;
  }
  void refuse(const std::string& name, std::string cause) {
    if (error_.empty()) error_ = where_ + (name.empty() ? "it" : "'" + name + "'") + ' ' + cause;
  }
  const Json* require(const char* name) {
    const Json* value = find(name);
    if (value == nullptr) refuse(name, "is required");
    return value;
  }
  std::string text(const char* name, std::string fallback) {
    const Json* value = find(name);
    if (value == nullptr || value->is_null()) return fallback;
    if (!value->is_string()) {
      refuse(name, "is no text");
      return fallback;
    }
    auto text = value->get<std::string>();
    if (text.size() > kLongestText) refuse(name, "is too long");
    return text;
  }
  std::string required_text(const char* name) {
    std::string value = text(name, {});
    if (value.empty()) refuse(name, "is required");
    return value;
  }
  std::optional<bool> flag(const char* name) {
    const Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) {
      refuse(name, "is neither true nor false");
      return std::nullopt;
    }
    return value->get<bool>();
  }
  std::optional<std::uint64_t> number(const char* name, std::uint64_t least, std::uint64_t most) {
    const Json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() < least ||
        value->get<std::uint64_t>() > most) {
      refuse(name,
             "is no whole number from " + std::to_string(least) + " to " + std::to_string(most));
      return std::nullopt;
    }
    return value->get<std::uint64_t>();
  }
  std::vector<std::string> texts(const char* name, std::size_t most, std::size_t longest) {
    std::vector<std::string> all;
    const Json* value = find(name);
    if (value == nullptr) return all;
    if (!value->is_array() || value->size() > most) {
      refuse(name, "is no list of at most " + std::to_string(most) + " texts");
      return all;
    }
    for (const Json& one : *value) {
      if (!one.is_string() || one.get_ref<const std::string&>().size() > longest) {
        refuse(name, "holds what is no text, or one that is too long");
        return all;
      }
      all.push_back(one.get<std::string>());
    }
    return all;
  }
  const std::string& error() const { return error_; }

 private:
  const Json& object_;
  std::string where_, error_;
};

tl::unexpected<Error> malformed(std::string cause) {
  return fail(ErrorKind::malformed, "read", "the body", std::move(cause));
}

Result<Json> parse(std::string_view text) {
  if (json_depth(text) > kDeepest) return malformed("it is nested too deep");
  Json document = Json::parse(text, nullptr, false);
  if (document.is_discarded()) return malformed("it is no JSON");
  return document;
}

std::optional<Kind> kind_of(std::string_view word) {
  if (word == "physical") return Kind::physical;
  if (word == "bridge") return Kind::bridge;
  if (word == "macvlan") return Kind::macvlan;
  if (word == "mirror") return Kind::mirror;
  return std::nullopt;
}

Result<std::vector<InterfaceWish>> read_interfaces(const Json& list) {
  if (!list.is_array() || list.size() > kMostInterfaces) {
    return malformed("'interfaces' is no list of at most " + std::to_string(kMostInterfaces));
  }
  std::vector<InterfaceWish> wishes;
  for (const Json& one : list) {
    Fields fields(one, "interface " + std::to_string(wishes.size() + 1) + ": ",
                  {"name", "kind", "parent", "address", "gateway", "resolvers"});
    InterfaceWish wish;
    wish.name = fields.required_text("name");
    const auto kind = kind_of(fields.required_text("kind"));
    if (!kind) fields.refuse("kind", "is not one of physical, bridge, macvlan, mirror");
    wish.kind = kind.value_or(Kind::bridge);
    wish.parent = fields.required_text("parent");
    wish.address = fields.text("address", "none");
    wish.gateway = fields.text("gateway", {});
    wish.resolvers = fields.texts("resolvers", kMostResolvers, kShown);
    if (!fields.error().empty()) return malformed(fields.error());
    wishes.push_back(std::move(wish));
  }
  return wishes;
}

}  // namespace

Result<Sensor::Change> parse_change(std::string_view json, bool create) {
  const auto document = parse(json);
  if (!document) return tl::unexpected<Error>(document.error());
  Fields fields(*document, {},
                {"image", "running", "interfaces", "config", "retention_hours", "allow_unsigned",
                 "expected_config_version"});
  Sensor::Change change;
  if (create || fields.find("image") != nullptr) change.image = fields.required_text("image");
  change.running = fields.flag("running");
  change.allow_unsigned = fields.flag("allow_unsigned");
  if (const auto hours = fields.number("retention_hours", 1, kMostHours)) {
    change.retention = std::chrono::hours(*hours);
  }
  change.expected_config_version = fields.number("expected_config_version", 0, UINT64_MAX);
  if (const Json* config = fields.find("config")) {
    if (!config->is_object() && !config->is_null()) {
      fields.refuse("config", "is neither an object nor null, which means the defaults");
    }
    change.config_json = config->is_null() ? std::string() : config->dump();
  }
  if (!fields.error().empty()) return malformed(fields.error());
  if (const Json* list = fields.find("interfaces")) {
    auto wishes = read_interfaces(*list);
    if (!wishes) return tl::unexpected<Error>(wishes.error());
    change.interfaces = std::move(*wishes);
  }
  return change;
}

Result<ExecRequest> parse_exec(std::string_view json) {
  const auto document = parse(json);
  if (!document) return tl::unexpected<Error>(document.error());
  Fields fields(*document, {}, {"command", "seconds"});
  ExecRequest request;
  request.command = fields.texts("command", kMostWords, kLongestWord);
  if (request.command.empty()) fields.refuse("command", "is required: a list of texts");
  if (const auto seconds = fields.number("seconds", 1, kMostSeconds)) {
    request.seconds = static_cast<unsigned>(*seconds);
  }
  if (!fields.error().empty()) return malformed(fields.error());
  return request;
}

Result<std::uint64_t> parse_rollback(std::string_view json) {
  const auto document = parse(json);
  if (!document) return tl::unexpected<Error>(document.error());
  Fields fields(*document, {}, {"to"});
  fields.require("to");
  const auto to = fields.number("to", 1, UINT64_MAX);
  if (!fields.error().empty()) return malformed(fields.error());
  return *to;
}

Result<std::string> parse_image_file(std::string_view json) {
  const auto document = parse(json);
  if (!document) return tl::unexpected<Error>(document.error());
  Fields fields(*document, {}, {"file"});
  std::string file = fields.required_text("file");
  if (!file.empty() && file.front() != '/') {
    fields.refuse("file", "is no path that begins with /");
  }
  if (!fields.error().empty()) return malformed(fields.error());
  return file;
}

Result<std::string> parse_desired(std::string_view json) {
  const auto document = parse(json);
  if (!document) return tl::unexpected<Error>(document.error());
  Fields fields(*document, {}, {"desired"});
  const Json* desired = fields.require("desired");
  if (desired != nullptr && !desired->is_object()) fields.refuse("desired", "is no JSON object");
  if (!fields.error().empty()) return malformed(fields.error());
  return desired->dump();
}

Result<void> parse_nothing(std::string_view json) {
  if (trim(json).empty()) return {};
  const auto document = parse(json);
  if (!document) return tl::unexpected<Error>(document.error());
  const Fields fields(*document, {}, {});
  if (!fields.error().empty()) return malformed(fields.error());
  return {};
}

}  // namespace beaconry
