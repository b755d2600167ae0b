#include "sensor/desired_state.h"

#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"
#include "bus/topics.h"
#include "config/document.h"
#include "image/yaml_json.h"
#include "sensor/json_reader.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostInterfaces = 16, kMostResolvers = 8, kLongestSource = 4096;
constexpr std::uint64_t kMostHours = std::uint64_t{24} * 366 * 100;

constexpr std::pair<InterfaceWish::Kind, std::string_view> kKinds[] = {
    {InterfaceWish::Kind::physical, "physical"},
    {InterfaceWish::Kind::bridge, "bridge"},
    {InterfaceWish::Kind::macvlan, "macvlan"},
    {InterfaceWish::Kind::mirror, "mirror"}};

Json to_json(const InterfaceWish& wish) {
  Json resolvers = Json::array();
  for (const std::string& one : wish.resolvers)
    resolvers.push_back(one);
  return {{"name", wish.name},       {"kind", to_string(wish.kind)}, {"parent", wish.parent},
          {"address", wish.address}, {"gateway", wish.gateway},      {"resolvers", resolvers}};
}

Json to_json(const InstanceWish& wish) {
  Json interfaces = Json::array();
  for (const InterfaceWish& one : wish.interfaces)
    interfaces.push_back(to_json(one));
  Json config = nullptr;
  if (!wish.config_json.empty()) config = Json::parse(wish.config_json, nullptr, false);
  return {{"image", wish.image},
          {"running", wish.running},
          {"interfaces", std::move(interfaces)},
          {"config", std::move(config)},
          {"retention_hours", wish.retention.count()},
          {"allow_unsigned", wish.allow_unsigned},
          {"approved", wish.approved},
          {"restarts", wish.restarts},
          {"source", wish.source}};
}

InterfaceWish read_interface(JsonReader& at) {
  InterfaceWish wish;
  wish.name = at.text("name", 15);
  const std::string kind = at.text("kind", 16);
  bool known = kind.empty();
  for (const auto& [value, word] : kKinds) {
    if (kind != word) continue;
    wish.kind = value;
    known = true;
  }
  if (!known) at.refuse("kind", "is none of physical, bridge, macvlan and mirror");
  wish.parent = at.text("parent", 15);
  wish.address = at.text("address", 64);
  if (wish.address.empty()) wish.address = "none";
  wish.gateway = at.text("gateway", 64);
  wish.resolvers = at.texts("resolvers", kMostResolvers, 64);
  at.done();
  if (wish.name.empty()) at.refuse("name", "is missing: the interface's name in the manifest");
  return wish;
}

InstanceWish read_instance(JsonReader& at, const std::string& name, bool from_file) {
  InstanceWish wish;
  wish.name = name;
  wish.image = at.text("image", 4096);
  wish.running = at.boolean("running", true);
  at.list("interfaces", kMostInterfaces,
          [&](JsonReader& one) { wish.interfaces.push_back(read_interface(one)); });
  for (std::size_t i = 0; i < wish.interfaces.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (wish.interfaces[i].name == wish.interfaces[j].name) {
        at.refuse("interfaces", "has '" + terminal_safe(wish.interfaces[i].name) + "' twice");
      }
    }
  }
  if (const Json* config = at.take("config"); config != nullptr && !config->is_null()) {
    if (!config->is_object()) at.refuse("config", "is no map");
    wish.config_json = config->dump();
  }
  if (from_file) {
    if (const std::string text = at.text("retention", 32); !text.empty()) {
      const auto seconds = parse_duration_seconds(text);
      if (!seconds || *seconds < 3600 || *seconds > 3600.0 * static_cast<double>(kMostHours)) {
        at.refuse("retention", "is no time of an hour or more, such as 12h or 30d");
      } else {
        wish.retention = std::chrono::hours{static_cast<std::int64_t>(*seconds / 3600)};
      }
    }
  } else {
    wish.retention = std::chrono::hours{static_cast<std::int64_t>(at.count(
        "retention_hours", static_cast<std::uint64_t>(wish.retention.count()), 1, kMostHours))};
    wish.restarts = at.count("restarts", 0, 0, std::uint64_t{1} << 53);
    wish.source = at.text("source", kLongestSource);
  }
  wish.approved = at.text("approved", 128);
  wish.allow_unsigned = at.boolean("allow_unsigned", false);
  at.done();  // first: a misspelt key is the better word for one that is missing
  if (wish.image.empty()) at.refuse("image", "is missing");
  return wish;
}

Result<DesiredState> read_state(const Json& json, const JsonReader::Place& place, bool from_file) {
  DesiredState state;
  auto& instances = state.instances;
  std::optional<Error> fault;
  JsonReader root(json, "", place, fault);
  std::size_t count = 0;
  root.members("instances", [&](const std::string& name, JsonReader& at) {
    if (++count > kMostInstances) {
      at.refuse("", "is one too many: at most " + std::to_string(kMostInstances));
    } else if (!InstanceName::parse(name) || InstanceName::parse(name)->to_string() != name) {
      at.refuse("", "is no instance's name; write the instrument's and a number: beacon_0");
    } else {
      instances.emplace(name, read_instance(at, name, from_file));
    }
  });
  if (const Json* value = root.take("management"); value != nullptr && !value->is_null()) {
    if (from_file) {
      root.refuse("management", "is of the whole desired state alone, and of no file");
    } else {
      JsonReader at(*value, "/management", place, fault);
      state.management = read_management(at);
    }
  }
  if (!from_file) {
    std::string source = root.text("management_source", kLongestSource);
    if (state.management) state.management_source = std::move(source);
  }
  root.done();
  if (fault) return tl::unexpected<Error>(std::move(*fault));
  return state;
}

// The line where a JSON pointer leads, or of what comes nearest.
std::size_t line_of(const ConfigNode& root, std::string_view pointer) {
  const ConfigNode* node = &root;
  std::size_t line = root.line;
  for (const std::string_view part : split(pointer, '/')) {
    if (part.empty()) continue;
    const ConfigNode* next = nullptr;
    if (const ConfigNode::Member* member = node->find(part)) {
      line = member->line;
      next = &member->value;
    } else if (const auto index = parse_unsigned(part);
               node->kind == ConfigNode::Kind::list && index && *index < node->items.size()) {
      next = &node->items[*index];
      line = next->line;
    }
    if (next == nullptr) break;
    node = next;
  }
  return line;
}

}  // namespace

std::string_view to_string(InterfaceWish::Kind kind) {
  for (const auto& [value, word] : kKinds) {
    if (value == kind) return word;
  }
  return "bridge";
}

Result<DesiredState> DesiredState::parse(const std::string& json) {
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded()) {
    return fail(ErrorKind::malformed, "read", "the desired state", "it is no JSON");
  }
  return read_state(
      document,
      [](std::string_view pointer) { return std::string(pointer.empty() ? "/" : pointer); }, false);
}

std::string DesiredState::to_json() const {
  Json all = Json::object();
  for (const auto& [name, wish] : instances)
    all[name] = beaconry::to_json(wish);
  Json document = {{"instances", std::move(all)}};
  if (management) {
    document["management"] = management_json(*management);
    if (!management_source.empty()) document["management_source"] = management_source;
  }
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<InterfaceWish>> parse_interfaces(const std::string& json) {
  const Json document = Json::parse(json, nullptr, false);
  if (document.is_discarded()) {
    return fail(ErrorKind::malformed, "read", "interfaces", "they are no JSON");
  }
  std::vector<InterfaceWish> wishes;
  std::optional<Error> fault;
  const Json wrapped = {{"interfaces", document}};
  const JsonReader::Place place = [](std::string_view pointer) { return std::string(pointer); };
  JsonReader root(wrapped, "", place, fault);
  root.list("interfaces", kMostInterfaces,
            [&](JsonReader& one) { wishes.push_back(read_interface(one)); });
  if (fault) return tl::unexpected<Error>(std::move(*fault));
  return wishes;
}

std::string interfaces_json(const std::vector<InterfaceWish>& wishes) {
  Json all = Json::array();
  for (const InterfaceWish& one : wishes)
    all.push_back(to_json(one));
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<DesiredFile> read_desired_file(const std::string& path) {
  const auto document = ConfigDocument::read(path);
  if (!document) return tl::unexpected<Error>(document.error());
  DesiredFile file;
  const ConfigNode::Member* all = document->root.find("instances");
  file.blank = document->root.kind == ConfigNode::Kind::null ||
               (document->root.kind == ConfigNode::Kind::map &&
                (all == nullptr || all->value.kind == ConfigNode::Kind::null));
  if (document->root.kind == ConfigNode::Kind::null) return file;
  const auto place = [&](std::string_view pointer) {
    return document->place(line_of(document->root, pointer)) + " " + std::string(pointer);
  };
  auto state = read_state(yaml_to_json(document->root), place, true);
  if (!state) return tl::unexpected<Error>(std::move(state.error()));
  for (auto& [name, wish] : state->instances) {
    wish.source = path;
    file.instances.push_back(std::move(wish));
  }
  return file;
}

}  // namespace beaconry
