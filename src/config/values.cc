#include "config/values.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostRecords = 1000;  // a short file could hold very many empty ones
constexpr double kLongestDuration = 3.2e9;  // a century: whatever is longer fits no Duration

std::string kind_in_words(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::null:
      return "empty";
    case ConfigNode::Kind::scalar:
      return in_quotes(node.text);
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
    case From::api:
      return "API " + place;
    case From::command_line:
      return "command line " + place;
  }
  return {};
}

// Walks a document and fills the slots; gathers everything that is wrong on its way.
class ConfigReader {
 public:
  ConfigReader(ConfigValues& values, const ConfigDocument& document, std::vector<Error>& errors)
      : values_(values), document_(document), errors_(errors) {}

  // For a document that is read over another: every value gets this origin, and keys without one go
  // back to their defaults.
  void overlay_as(const Origin& origin) { overlay_ = &origin; }

  const std::vector<std::string_view>& named() const { return named_; }

  void read_map(const ConfigNode& map, const std::string& section) {
    for (const auto& member : map.members) {
      const std::string path = joined(section, member.key);
      // A key with a dot or a list's mark is none that a path was made of.
      const bool is_word = member.key.find_first_of(".[]") == std::string::npos;
      const ConfigKey* key = is_word ? values_.schema_.find(path) : nullptr;
      if (key != nullptr) {
        read_key(*key, member.value);
      } else if (is_word && values_.schema_.is_section(path)) {
        read_section(member, path);
      } else {
        refuse(member.line, "unknown key " + in_quotes(member.key) +
                                (section.empty() ? "" : " in '" + section + '\'') +
                                values_.schema_.suggestion(section, member.key));
      }
    }
  }

 private:
  using Slot = ConfigValues::Slot;
  static constexpr std::size_t kMostErrors = 50;

  void refuse(std::size_t line, std::string cause) {
    if (errors_.size() == kMostErrors) return;
    errors_.push_back(Error{ErrorKind::malformed, "read", document_.place(line), std::move(cause)});
  }
  Origin origin(std::size_t line) const {
    return overlay_ != nullptr ? *overlay_ : Origin{Origin::From::file, document_.place(line)};
  }
  void mismatch(const ConfigKey& key, const ConfigNode& node) {
    refuse(node.line, '\'' + std::string(key.path) + "' must be " + expectation(key) + ", is " +
                          kind_in_words(node));
  }

  void read_section(const ConfigNode::Member& member, const std::string& path) {
    if (member.value.kind == ConfigNode::Kind::null) return;
    if (member.value.kind != ConfigNode::Kind::map) {
      refuse(member.value.line, '\'' + path + "' must be a section with keys below it, is " +
                                    kind_in_words(member.value));
      return;
    }
    read_map(member.value, path);
  }

  // `given` is as the document spells it; the value goes to the key that holds it.
  void read_key(const ConfigKey& given, const ConfigNode& node) {
    const ConfigKey& key = *values_.schema_.holder(given.path);
    Slot& slot = values_.slots_[static_cast<std::size_t>(&key - values_.schema_.keys().data())];
    const bool empty_text =
        key.type == ConfigType::text && node.kind == ConfigNode::Kind::scalar && node.text.empty();
    if (node.kind == ConfigNode::Kind::null || empty_text) {
      if (overlay_ == nullptr) return;
      slot = {ConfigValues::fallback(key), *overlay_};
      named_.push_back(key.path);
      return;
    }
    if (key.secret && node.kind == ConfigNode::Kind::scalar && node.text == kHiddenSecret) return;
    const bool twice = std::find(named_.begin(), named_.end(), key.path) != named_.end();
    Slot read{slot.value, origin(node.line)};
    if (!read_value(key, node, read)) return;
    // Only plain keys have two spellings.
    if (twice && values_.json(key, read.value, true) != values_.json(key, slot.value, true)) {
      const std::string other(given.same_as.empty() ? "another spelling of it" : key.path);
      refuse(node.line, '\'' + std::string(given.path) + "' says otherwise than " + other + " (" +
                            slot.origin.to_string() + "); keep one of them");
      return;
    }
    slot = std::move(read);
    if (!twice) named_.push_back(key.path);
  }

  bool read_value(const ConfigKey& key, const ConfigNode& node, Slot& slot) {
    switch (key.type) {
      case ConfigType::texts:
        return read_texts(key, node, slot);
      case ConfigType::entries:
        return read_entries(key, node, slot);
      case ConfigType::records:
        return read_records(key, node, slot);
      default:
        break;
    }
    if (node.kind != ConfigNode::Kind::scalar) {
      mismatch(key, node);
      return false;
    }
    auto value = ConfigValues::parse_plain(key, node.text);
    if (!value) {
      refuse(node.line, std::move(value.error().cause));
      return false;
    }
    slot.value = std::move(*value);
    return true;
  }

  bool read_texts(const ConfigKey& key, const ConfigNode& node, Slot& slot) {
    if (node.kind != ConfigNode::Kind::list) {
      mismatch(key, node);
      return false;
    }
    std::vector<ConfigText> texts;
    for (const ConfigNode& item : node.items) {
      if (item.kind != ConfigNode::Kind::scalar) {
        refuse(item.line, "an item of '" + std::string(key.path) + "' must be one word, is " +
                              kind_in_words(item));
        return false;
      }
      texts.push_back({item.text, origin(item.line)});
    }
    slot.value = std::move(texts);
    return true;
  }

  bool read_entries(const ConfigKey& key, const ConfigNode& node, Slot& slot) {
    if (node.kind != ConfigNode::Kind::map) {
      mismatch(key, node);
      return false;
    }
    const auto* before = std::get_if<std::vector<ConfigEntry>>(&slot.value);
    std::vector<ConfigEntry> entries;
    for (const auto& member : node.members) {
      if (member.value.kind != ConfigNode::Kind::scalar) {
        refuse(member.line, in_quotes(member.key) + " in '" + std::string(key.path) +
                                "' must be one word or text, is " + kind_in_words(member.value));
        return false;
      }
      ConfigEntry entry{member.key, member.value.text, origin(member.line)};
      if (key.secret && entry.text == kHiddenSecret && before != nullptr) {
        const auto same = std::find_if(before->begin(), before->end(),
                                       [&](const auto& old) { return old.name == entry.name; });
        if (same != before->end()) entry.text = same->text;
      }
      entries.push_back(std::move(entry));
    }
    slot.value = std::move(entries);
    return true;
  }

  bool read_records(const ConfigKey& key, const ConfigNode& node, Slot& slot) {
    if (node.kind != ConfigNode::Kind::list) {
      mismatch(key, node);
      return false;
    }
    if (node.items.size() > kMostRecords) {
      refuse(node.line, '\'' + std::string(key.path) + "' may have " +
                            std::to_string(kMostRecords) + " items, has " +
                            std::to_string(node.items.size()));
      return false;
    }
    const std::size_t before = errors_.size();
    const std::string section = std::string(key.path) + "[]";
    ConfigRecords records;
    for (const ConfigNode& item : node.items) {
      if (item.kind != ConfigNode::Kind::map) {
        refuse(item.line, "an item of '" + std::string(key.path) + "' must be a map of keys, is " +
                              kind_in_words(item));
        continue;
      }
      ConfigValues record(values_.schema_);
      ConfigReader reader(record, document_, errors_);
      if (overlay_ != nullptr) reader.overlay_as(*overlay_);
      const std::size_t good = errors_.size();
      reader.read_map(item, section);
      if (errors_.size() == good) require_all(key, record, section, item.line);
      records.push_back(std::move(record));
    }
    slot.value = std::move(records);
    return errors_.size() == before;
  }

  void require_all(const ConfigKey& key, const ConfigValues& record, const std::string& section,
                   std::size_t line) {
    for (std::size_t i = 0; i < record.slots_.size(); ++i) {
      const ConfigKey& member = values_.schema_.keys()[i];
      if (member.required && member.path.starts_with(section + '.') &&
          std::holds_alternative<std::monostate>(record.slots_[i].value)) {
        refuse(line, "an item of '" + std::string(key.path) + "' lacks '" +
                         std::string(member.path.substr(section.size() + 1)) + '\'');
        return;
      }
    }
  }

  ConfigValues& values_;
  const ConfigDocument& document_;
  std::vector<Error>& errors_;
  const Origin* overlay_ = nullptr;
  std::vector<std::string_view> named_;
};

ConfigValues::Value ConfigValues::fallback(const ConfigKey& key) {
  if (key.fallback.empty() || !is_plain(key.type) || !key.same_as.empty()) return {};
  auto value = parse_plain(key, std::string(key.fallback));
  if (!value) throw std::logic_error("a schema's default: " + value.error().message());
  return std::move(*value);
}

ConfigValues::ConfigValues(ConfigSchema schema) : schema_(schema), slots_(schema.keys().size()) {
  for (std::size_t i = 0; i < slots_.size(); ++i)
    slots_[i].value = fallback(schema_.keys()[i]);
}

Result<ConfigValues> ConfigValues::read(ConfigSchema schema, const ConfigDocument& document,
                                        std::vector<Error>* all) {
  ConfigValues values(schema);
  std::vector<Error> errors;
  ConfigReader(values, document, errors).read_map(document.root, "");
  if (errors.empty()) return values;
  if (all != nullptr) *all = errors;
  return tl::unexpected<Error>(std::move(errors.front()));
}

Result<std::vector<std::string_view>> ConfigValues::overlay(const ConfigDocument& document,
                                                            const Origin& origin,
                                                            std::vector<Error>* all) {
  ConfigValues values = *this;
  std::vector<Error> errors;
  ConfigReader reader(values, document, errors);
  reader.overlay_as(origin);
  reader.read_map(document.root, "");
  if (!errors.empty()) {
    if (all != nullptr) *all = errors;
    return tl::unexpected<Error>(std::move(errors.front()));
  }
  *this = std::move(values);
  return reader.named();
}

Result<void> ConfigValues::set(std::string_view path, const std::string& text,
                               std::string_view option) {
  const ConfigKey* key = schema_.holder(path);
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
        '\'' + std::string(key.path) + "' must be " + expectation(key) + ", is " + in_quotes(text));
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
    case ConfigType::size: {
      const auto value = parse_size(text);
      if (!value || !in_range(static_cast<double>(*value))) return refuse();
      return Value(*value);
    }
    case ConfigType::text:
      if (!key.choices.empty()) {
        for (const auto choice : split(key.choices, '|')) {
          if (choice == ascii_lower(text)) return Value(std::string(choice));
        }
        return refuse();
      }
      return Value(text);
    default:
      throw std::logic_error("not a plain key: " + std::string(key.path));
  }
}

std::size_t ConfigValues::index(std::string_view path, ConfigType type) const {
  const ConfigKey* key = schema_.holder(path);
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

std::optional<std::uint64_t> ConfigValues::size(std::string_view path) const {
  const auto* value = get<std::uint64_t>(path, ConfigType::size);
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

const std::vector<ConfigEntry>* ConfigValues::entries(std::string_view path) const {
  return get<std::vector<ConfigEntry>>(path, ConfigType::entries);
}

const ConfigRecords* ConfigValues::records(std::string_view path) const {
  return get<ConfigRecords>(path, ConfigType::records);
}

const Origin& ConfigValues::origin(std::string_view path) const {
  const ConfigKey* key = schema_.holder(path);
  if (key == nullptr) throw std::logic_error("no key " + std::string(path));
  return slots_[static_cast<std::size_t>(key - schema_.keys().data())].origin;
}

}  // namespace beaconry
