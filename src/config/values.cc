#include "config/values.h"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kShownOfAValue = 60;
constexpr std::size_t kMostRecords = 1000;  // a short file could hold very many empty ones
constexpr double kLongestDuration = 3.2e9;  // a century: whatever is longer fits no Duration

std::string shown(const std::string& text) {
  const bool cut = text.size() > kShownOfAValue;
  return '\'' + terminal_safe(std::string_view(text).substr(0, kShownOfAValue)) +
         (cut ? "...'" : "'");
}

std::string kind_in_words(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::null:
      return "empty";
    case ConfigNode::Kind::scalar:
      return shown(node.text);
    case ConfigNode::Kind::list:
      return "a list";
    case ConfigNode::Kind::map:
      return "a map";
  }
  return {};
}

// YAML 1.1's words, which the predecessor's parser took.
std::optional<bool> parse_boolean(const std::string& text) {
  const std::string lower = ascii_lower(text);
  if (lower == "true" || lower == "yes" || lower == "on") return true;
  if (lower == "false" || lower == "no" || lower == "off") return false;
  return std::nullopt;
}

bool is_plain(ConfigType type) {
  return type != ConfigType::texts && type != ConfigType::records && type != ConfigType::foreign;
}

std::string joined(const std::string& section, const std::string& key) {
  return section.empty() ? key : section + '.' + key;
}

}  // namespace

std::string Origin::to_string() const {
  switch (from) {
    case From::fallback:
      return "default";
    case From::file:
      return place;
    case From::command_line:
      return "command line " + place;
  }
  return {};
}

// Walks a document and fills the slots.
class ConfigReader {
 public:
  ConfigReader(ConfigValues& values, const ConfigDocument& document)
      : values_(values), document_(document) {}

  Result<void> read_map(const ConfigNode& map, const std::string& section) {
    for (const auto& member : map.members) {
      const std::string path = joined(section, member.key);
      // A key with a dot or a list's mark is none that a path was made of.
      const bool is_word = member.key.find_first_of(".[]") == std::string::npos;
      const ConfigKey* key = is_word ? values_.schema_.find(path) : nullptr;
      Result<void> done;
      if (key != nullptr) {
        done = read_value(*key, member.value);
      } else if (is_word && values_.schema_.is_section(path)) {
        done = read_section(member, path);
      } else {
        done = unknown(member, section);
      }
      if (!done) return done;
    }
    return {};
  }

 private:
  tl::unexpected<Error> refuse(std::size_t line, std::string cause) const {
    return fail(ErrorKind::malformed, "read", document_.place(line), std::move(cause));
  }
  Origin origin(std::size_t line) const { return {Origin::From::file, document_.place(line)}; }

  Result<void> unknown(const ConfigNode::Member& member, const std::string& section) const {
    return refuse(member.line, "unknown key " + shown(member.key) +
                                   (section.empty() ? "" : " in '" + section + '\'') +
                                   values_.schema_.suggestion(section, member.key));
  }

  Result<void> read_section(const ConfigNode::Member& member, const std::string& path) {
    if (member.value.kind == ConfigNode::Kind::null) return {};
    if (member.value.kind != ConfigNode::Kind::map) {
      return refuse(member.value.line, '\'' + path + "' must be a section with keys below it, is " +
                                           kind_in_words(member.value));
    }
    return read_map(member.value, path);
  }

  Result<void> mismatch(const ConfigKey& key, const ConfigNode& node) const {
    return refuse(node.line, '\'' + std::string(key.path) + "' must be " + expectation(key) +
                                 ", is " + kind_in_words(node));
  }

  Result<void> read_value(const ConfigKey& key, const ConfigNode& node) {
    if (node.kind == ConfigNode::Kind::null && key.type != ConfigType::foreign) return {};
    ConfigValues::Slot& slot =
        values_.slots_[static_cast<std::size_t>(&key - values_.schema_.keys().data())];
    slot.origin = origin(node.line);
    if (key.type == ConfigType::foreign) return {};
    if (key.type == ConfigType::texts) return read_texts(key, node, slot);
    if (key.type == ConfigType::records) return read_records(key, node, slot);
    if (node.kind != ConfigNode::Kind::scalar) return mismatch(key, node);
    auto value = ConfigValues::parse_plain(key, node.text);
    if (!value) return refuse(node.line, std::move(value.error().cause));
    slot.value = std::move(*value);
    return {};
  }

  Result<void> read_texts(const ConfigKey& key, const ConfigNode& node, ConfigValues::Slot& slot) {
    if (node.kind != ConfigNode::Kind::list) return mismatch(key, node);
    std::vector<ConfigText> texts;
    for (const ConfigNode& item : node.items) {
      if (item.kind != ConfigNode::Kind::scalar) {
        return refuse(item.line, "an item of '" + std::string(key.path) +
                                     "' must be one word, is " + kind_in_words(item));
      }
      texts.push_back({item.text, origin(item.line)});
    }
    slot.value = std::move(texts);
    return {};
  }

  Result<void> read_records(const ConfigKey& key, const ConfigNode& node,
                            ConfigValues::Slot& slot) {
    if (node.kind != ConfigNode::Kind::list) return mismatch(key, node);
    if (node.items.size() > kMostRecords) {
      return refuse(node.line, '\'' + std::string(key.path) + "' may have " +
                                   std::to_string(kMostRecords) + " items, has " +
                                   std::to_string(node.items.size()));
    }
    const std::string section = std::string(key.path) + "[]";
    ConfigRecords records;
    for (const ConfigNode& item : node.items) {
      if (item.kind != ConfigNode::Kind::map) {
        return refuse(item.line, "an item of '" + std::string(key.path) +
                                     "' must be a map of keys, is " + kind_in_words(item));
      }
      ConfigValues record(values_.schema_);
      if (auto done = ConfigReader(record, document_).read_map(item, section); !done) return done;
      for (std::size_t i = 0; i < record.slots_.size(); ++i) {
        const ConfigKey& member = values_.schema_.keys()[i];
        if (member.required && member.path.starts_with(section + '.') &&
            std::holds_alternative<std::monostate>(record.slots_[i].value)) {
          return refuse(item.line, "an item of '" + std::string(key.path) + "' lacks '" +
                                       std::string(member.path.substr(section.size() + 1)) + '\'');
        }
      }
      records.push_back(std::move(record));
    }
    slot.value = std::move(records);
    return {};
  }

  ConfigValues& values_;
  const ConfigDocument& document_;
};

ConfigValues::ConfigValues(ConfigSchema schema) : schema_(schema), slots_(schema.keys().size()) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const ConfigKey& key = schema_.keys()[i];
    if (key.fallback.empty() || !is_plain(key.type)) continue;
    auto value = parse_plain(key, std::string(key.fallback));
    if (!value) throw std::logic_error("a schema's default: " + value.error().message());
    slots_[i].value = std::move(*value);
  }
}

Result<ConfigValues> ConfigValues::read(ConfigSchema schema, const ConfigDocument& document) {
  ConfigValues values(schema);
  if (auto done = ConfigReader(values, document).read_map(document.root, ""); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  return values;
}

Result<void> ConfigValues::set(std::string_view path, const std::string& text,
                               std::string_view option) {
  const ConfigKey* key = schema_.find(path);
  if (key == nullptr || !is_plain(key->type)) {
    throw std::logic_error("no plain key " + std::string(path));
  }
  auto value = parse_plain(*key, text);
  if (!value) {
    return fail(ErrorKind::usage, "use", std::string(option), std::move(value.error().cause));
  }
  Slot& slot = slots_[static_cast<std::size_t>(key - schema_.keys().data())];
  slot.value = std::move(*value);
  slot.origin = {Origin::From::command_line, std::string(option)};
  return {};
}

Result<ConfigValues::Value> ConfigValues::parse_plain(const ConfigKey& key,
                                                      const std::string& text) {
  const auto refuse = [&] {
    return fail(
        ErrorKind::malformed, "read", std::string(key.path),
        '\'' + std::string(key.path) + "' must be " + expectation(key) + ", is " + shown(text));
  };
  const auto in_range = [&](double value) { return value >= key.least && value <= key.most; };
  switch (key.type) {
    case ConfigType::boolean: {
      const auto value = parse_boolean(text);
      if (!value) return refuse();
      return Value(*value);
    }
    case ConfigType::count: {
      const auto value = parse_unsigned(text);
      if (!value || !in_range(static_cast<double>(*value))) return refuse();
      return Value(*value);
    }
    case ConfigType::number: {
      const auto value = parse_number(text);
      if (!value || !in_range(*value)) return refuse();
      return Value(*value);
    }
    case ConfigType::duration: {
      const auto value = parse_duration_seconds(text);
      if (!value || !in_range(*value) || !(*value <= kLongestDuration)) return refuse();
      return Value(*value);
    }
    default:
      return Value(text);
  }
}

std::size_t ConfigValues::index(std::string_view path, ConfigType type) const {
  const ConfigKey* key = schema_.find(path);
  if (key == nullptr || key->type != type) {
    throw std::logic_error("no key of that type: " + std::string(path));
  }
  return static_cast<std::size_t>(key - schema_.keys().data());
}

template <class T>
const T* ConfigValues::get(std::string_view path, ConfigType type) const {
  return std::get_if<T>(&slots_[index(path, type)].value);
}

bool ConfigValues::boolean(std::string_view path) const {
  const bool* value = get<bool>(path, ConfigType::boolean);
  if (value == nullptr) throw std::logic_error("no default: " + std::string(path));
  return *value;
}

std::optional<std::uint64_t> ConfigValues::count(std::string_view path) const {
  const auto* value = get<std::uint64_t>(path, ConfigType::count);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<double> ConfigValues::number(std::string_view path) const {
  const auto* value = get<double>(path, ConfigType::number);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<double> ConfigValues::seconds(std::string_view path) const {
  const auto* value = get<double>(path, ConfigType::duration);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<Duration> ConfigValues::duration(std::string_view path) const {
  const auto value = seconds(path);
  if (!value) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*value));
}

std::optional<std::string> ConfigValues::text(std::string_view path) const {
  const auto* value = get<std::string>(path, ConfigType::text);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

const std::vector<ConfigText>* ConfigValues::texts(std::string_view path) const {
  return get<std::vector<ConfigText>>(path, ConfigType::texts);
}

const ConfigRecords* ConfigValues::records(std::string_view path) const {
  return get<ConfigRecords>(path, ConfigType::records);
}

const Origin& ConfigValues::origin(std::string_view path) const {
  const ConfigKey* key = schema_.find(path);
  if (key == nullptr) throw std::logic_error("no key " + std::string(path));
  return slots_[static_cast<std::size_t>(key - schema_.keys().data())].origin;
}

std::vector<std::string_view> ConfigValues::foreign_sections() const {
  std::vector<std::string_view> sections;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (schema_.keys()[i].type == ConfigType::foreign &&
        slots_[i].origin.from == Origin::From::file) {
      sections.push_back(schema_.keys()[i].path);
    }
  }
  return sections;
}

}  // namespace beaconry
