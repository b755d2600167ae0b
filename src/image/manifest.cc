#include "image/manifest.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "config/values.h"
#include "image/config_check.h"
#include "image/manifest_keys.h"
#include "image/yaml_json.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestName = 24, kLongestVersion = 32, kLongestInterface = 15;
constexpr std::size_t kLongestWords = 1024, kMostItems = 256, kMostInterfaces = 16;
constexpr std::size_t kMostRelations = 100;  // each is a rule of the bus

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool consists_of(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_lower(c) || is_digit(c) || more.find(c) != std::string_view::npos;
  });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && is_lower(text.front()) &&
         text.back() != '-' && consists_of(text, "-");
}

bool is_version(std::string_view text) {
  const std::string lower = ascii_lower(text);
  return !text.empty() && text.size() <= kLongestVersion && text.front() != '-' &&
         text.front() != '.' && consists_of(lower, ".+~-");
}

bool is_interface(std::string_view text) {
  const std::string lower = ascii_lower(text);
  return !text.empty() && text.size() <= kLongestInterface && lower != "lo" && lower != "all" &&
         lower != "default" && is_lower(lower.front()) && consists_of(lower, "._-");
}

// A path inside the image, or in the source folder: nothing that leads elsewhere.
bool is_path(std::string_view text, bool whole) {
  if (text.empty() || text.size() > kLongestWords || (whole && text.front() != '/')) return false;
  if (text.find('\0') != std::string_view::npos) return false;
  const auto parts = split(text, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](std::string_view part) { return part == "." || part == ".."; }) &&
         text.back() != '/';
}

// Takes the values of one document over into a manifest; the first that is wrong is the error.
class ManifestReader {
 public:
  ManifestReader(const ConfigDocument& document, const ConfigValues& values)
      : document_(document), values_(values) {}

  Result<Manifest> read() {
    read_head();
    read_interfaces();
    read_relations();
    read_words();
    read_limits();
    read_packing();
    if (!error_) read_config();
    if (error_) return tl::unexpected<Error>(std::move(*error_));
    return std::move(manifest_);
  }

 private:
  void refuse(const Origin& origin, std::string cause) {
    if (error_) return;
    const std::string where = origin.place.empty() ? terminal_safe(document_.file) : origin.place;
    error_ = Error{ErrorKind::malformed, "read", where, std::move(cause)};
  }
  std::string text(const ConfigValues& values, std::string_view path) {
    std::string value = values.text(path).value_or("");
    if (value.size() > kLongestWords)
      refuse(values.origin(path), in_quotes(path) + " is longer than 1024 bytes");
    return utf8_valid(value);
  }

  void read_head() {
    manifest_.name = text(values_, "name");
    if (!is_name(manifest_.name)) {
      refuse(values_.origin("name"),
             manifest_.name.empty()
                 ? "'name' is missing; write for instance name: beacon"
                 : "the name " + in_quotes(manifest_.name) +
                       " must be a lower-case letter, then lower-case letters, digits and "
                       "hyphens, 24 at most");
    }
    manifest_.version = text(values_, "version");
    if (!is_version(manifest_.version)) {
      refuse(values_.origin("version"),
             manifest_.version.empty()
                 ? "'version' is missing; write for instance version: \"1.0\""
                 : "the version " + in_quotes(manifest_.version) +
                       " must be letters, digits, '.', '+', '~' and '-', 32 at most");
    }
    manifest_.description = text(values_, "description");
    for (const std::string& word : list("command"))
      manifest_.command.push_back(word);
    if (manifest_.command.empty()) return;
    std::string& program = manifest_.command.front();
    if (program.find('/') == std::string::npos) program.insert(0, "/instrument/");
    if (!is_path(program, true)) {
      refuse(values_.origin("command"),
             "the command's program " + in_quotes(program) +
                 " must be a file's name in the source folder or a whole path in the image");
    }
  }

  // A list's words, bounded.
  std::vector<std::string> list(std::string_view path) {
    std::vector<std::string> words;
    const auto* texts = values_.texts(path);
    if (texts == nullptr) return words;
    if (texts->size() > kMostItems)
      refuse(values_.origin(path), in_quotes(path) + " has more than 256 items");
    for (const ConfigText& each : *texts) {
      if (each.text.empty() || each.text.size() > kLongestWords ||
          each.text.find('\0') != std::string::npos || utf8_valid(each.text) != each.text) {
        refuse(each.origin,
               "an item of " + in_quotes(path) + " must be a text of 1 to 1024 bytes in UTF-8");
      }
      words.push_back(each.text);
    }
    return words;
  }
  // A list in which nothing is twice and everything passes `check`, which says what is wrong.
  template <class Check>
  std::vector<std::string> list_of(std::string_view path, const Check& check) {
    std::vector<std::string> words = list(path);
    std::set<std::string> seen;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const Origin& origin = (*values_.texts(path))[i].origin;
      const std::string wrong = check(words[i]);
      if (!wrong.empty()) refuse(origin, wrong);
      if (!seen.insert(words[i]).second)
        refuse(origin, in_quotes(words[i]) + " is in " + in_quotes(path) + " twice; remove one");
    }
    return words;
  }

  void read_interfaces() {
    const ConfigRecords* records = values_.records("interfaces");
    if (records == nullptr) return;
    if (records->size() > kMostInterfaces)
      refuse(values_.origin("interfaces"), "more than 16 interfaces");
    for (const ConfigValues& record : *records) {
      Manifest::Interface interface;
      interface.name = text(record, "interfaces[].name");
      const Origin& origin = record.origin("interfaces[].name");
      if (!is_interface(interface.name)) {
        refuse(origin, "the interface's name " + in_quotes(interface.name) +
                           " must be a letter, then letters, digits, '_', '.' and '-', 15 at most, "
                           "and not 'lo'");
      }
      for (const Manifest::Interface& other : manifest_.interfaces) {
        if (other.name == interface.name)
          refuse(origin, "two interfaces are called " + in_quotes(interface.name));
      }
      const std::string contract = ascii_lower(text(record, "interfaces[].contract"));
      interface.contract = contract == "rx"   ? Direction::receive
                           : contract == "tx" ? Direction::transmit
                                              : Direction::both;
      interface.optional = record.boolean("interfaces[].optional");
      interface.words = text(record, "interfaces[].words");
      manifest_.interfaces.push_back(std::move(interface));
    }
  }

  void read_relations() {
    const ConfigRecords* records = values_.records("relations");
    if (records == nullptr) return;
    if (records->size() > kMostRelations) {
      refuse(values_.origin("relations"),
             "more than " + std::to_string(kMostRelations) + " relations");
    }
    for (const ConfigValues& record : *records) {
      Manifest::Relation relation;
      relation.instrument = text(record, "relations[].instrument");
      const Origin& origin = record.origin("relations[].instrument");
      if (!is_name(relation.instrument))
        refuse(origin, in_quotes(relation.instrument) + " is no instrument's name");
      for (const Manifest::Relation& other : manifest_.relations) {
        if (other.instrument == relation.instrument)
          refuse(origin, "two relations to " + in_quotes(relation.instrument) + "; make them one");
      }
      relation.find = record.boolean("relations[].find");
      relation.direct_message = record.boolean("relations[].direct_message");
      relation.events = record.boolean("relations[].events");
      manifest_.relations.push_back(std::move(relation));
    }
  }

  void read_words() {
    manifest_.event_types = list_of("events", [](const std::string& word) {
      const bool good = word.size() <= 64 && is_lower(word.front()) && consists_of(word, "_-");
      return good ? std::string()
                  : "the event type " + in_quotes(word) +
                        " must be one word of lower-case letters, digits, '_' and '-', 64 at most";
    });
    manifest_.capabilities = list_of("capabilities", [](const std::string& word) {
      std::vector<std::string_view> known;
      for (const KnownCapability& each : known_capabilities())
        known.push_back(each.name);
      if (std::find(known.begin(), known.end(), word) != known.end()) return std::string();
      if (ascii_lower(word).find("sys_") != std::string::npos) {
        return "the capability " + in_quotes(word) +
               " would give it the machine; no instrument may have it";
      }
      std::string bare = ascii_lower(word);
      if (bare.starts_with("cap_")) bare.erase(0, 4);
      const auto nearest = bare.size() > 64 ? std::string_view() : nearest_word(bare, known);
      std::string wrong = "unknown capability " + in_quotes(word);
      if (!nearest.empty()) return wrong + "; did you mean '" + std::string(nearest) + "'?";
      wrong += "; known are";
      for (const auto name : known)
        wrong += ' ' + std::string(name);
      return wrong;
    });
    std::sort(manifest_.capabilities.begin(), manifest_.capabilities.end());
    manifest_.uplink = values_.boolean("uplink");
    manifest_.downloads = values_.boolean("downloads");
    manifest_.resources = values_.boolean("resources");
    manifest_.canary = values_.boolean("canary");
  }

  void read_limits() {
    Manifest::Limits& limits = manifest_.limits;
    limits.memory = *values_.size("limits.memory");
    limits.cpu_percent = static_cast<unsigned>(*values_.count("limits.cpu_percent"));
    limits.processes = static_cast<unsigned>(*values_.count("limits.processes"));
    limits.temporary = *values_.size("limits.temporary");
    limits.persistent = *values_.size("limits.persistent");
    limits.transient = *values_.size("limits.transient");
    limits.events_per_second = static_cast<unsigned>(*values_.count("limits.events_per_second"));
    constexpr std::uint64_t kLeastVolume = 1 << 20;
    if (limits.persistent != 0 && limits.persistent < kLeastVolume)
      refuse(values_.origin("limits.persistent"),
             "'limits.persistent' must be 0 or 1M at least: it is a volume of its own");
    manifest_.health_every = whole_seconds("health.every");
    manifest_.health_deadline = whole_seconds("health.deadline");
    manifest_.healthy_within = whole_seconds("health.healthy_within");
  }
  std::chrono::seconds whole_seconds(std::string_view path) {
    return std::chrono::seconds(static_cast<std::int64_t>(*values_.seconds(path)));
  }

  void read_packing() {
    manifest_.programs = list_of("programs", [](const std::string& path) {
      return is_path(path, true) ? std::string()
                                 : "the program " + in_quotes(path) + " must be a whole path";
    });
    manifest_.packages = list_of("packages", [](const std::string& name) {
      const bool good = name.size() <= 128 && (is_lower(name.front()) || is_digit(name.front())) &&
                        consists_of(name, "+-.:");
      return good ? std::string() : in_quotes(name) + " is no Debian package's name";
    });
    const auto* files = values_.entries("files");
    if (files == nullptr) return;
    if (files->size() > kMostItems) refuse(values_.origin("files"), "more than 256 files");
    for (const ConfigEntry& each : *files) {
      if (!is_path(each.name, true) || !is_path(each.text, false) ||
          utf8_valid(each.name) != each.name || utf8_valid(each.text) != each.text) {
        refuse(each.origin, in_quotes(each.name) + ": " + in_quotes(each.text) +
                                " must be a whole path in the image and where it is taken from, "
                                "without '..'");
      }
      manifest_.files.emplace_back(each.name, each.text);
    }
  }

  void read_config() {
    const ConfigNode::Member* config = document_.root.find("config");
    if (config == nullptr) return;
    const ConfigNode::Member* schema = config->value.find("schema");
    const ConfigNode::Member* defaults = config->value.find("defaults");
    const auto given = [](const ConfigNode::Member* member) {
      return member != nullptr && member->value.kind != ConfigNode::Kind::null;
    };
    const auto at = [&](const ConfigNode::Member* member) {
      return Origin{Origin::From::file, document_.place(member->line)};
    };
    if (given(defaults) && !given(schema)) {
      return refuse(at(defaults), "'config.defaults' without 'config.schema': say what may be set");
    }
    if (!given(schema)) return;
    if (schema->value.kind != ConfigNode::Kind::map)
      return refuse(at(schema), "'config.schema' must be a map: a JSON Schema");
    manifest_.config_schema_json = yaml_to_json(schema->value).dump();
    if (const auto good = check_schema(manifest_.config_schema_json); !good)
      return refuse(at(schema), "'config.schema': " + good.error().cause);
    if (!given(defaults)) return;
    if (defaults->value.kind != ConfigNode::Kind::map)
      return refuse(at(defaults), "'config.defaults' must be a map: a configuration");
    manifest_.config_defaults_json = yaml_to_json(defaults->value).dump();
    const auto fits = check_config(manifest_.config_schema_json, manifest_.config_defaults_json);
    if (!fits)
      refuse(at(defaults), "'config.defaults' do not fit 'config.schema': " + fits.error().cause);
  }

  const ConfigDocument& document_;
  const ConfigValues& values_;
  Manifest manifest_;
  std::optional<Error> error_;
};

// The author's own trees are no keys of ours.
ConfigDocument without_trees(const ConfigDocument& document) {
  ConfigDocument bare = document;
  for (auto& member : bare.root.members) {
    if (member.key != "config" || member.value.kind != ConfigNode::Kind::map) continue;
    for (auto& tree : member.value.members) {
      if (tree.key == "schema" || tree.key == "defaults") tree.value = ConfigNode{};
    }
  }
  return bare;
}

}  // namespace

Result<Manifest> Manifest::parse(std::string_view yaml, const std::string& file) {
  const auto document = ConfigDocument::parse(std::string(yaml), file);
  if (!document) return tl::unexpected<Error>(document.error());
  const auto values = ConfigValues::read(manifest_schema(), without_trees(*document));
  if (!values) return tl::unexpected<Error>(values.error());
  return ManifestReader(*document, *values).read();
}

}  // namespace beaconry
