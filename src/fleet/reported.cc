#include "fleet/reported.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"
#include "fleet/document_text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostInstances = 256, kMostParts = 4096, kMostTexts = 256;
constexpr std::size_t kLongestText = 4096, kLongestName = 128;

// Reads known keys; the first wrong one is what is told, and everything after it reads as missing.
class Reader {
 public:
  std::optional<Error> fault;

  std::string text(const Json& object, const std::string& place, const char* key,
                   std::size_t longest = kLongestText) {
    const Json* value = find(object, key);
    if (value == nullptr) return {};
    if (!value->is_string()) return refuse(below(place, key), "is no text"), std::string();
    const auto& text = value->get_ref<const std::string&>();
    if (text.size() > longest)
      return refuse(below(place, key), "is longer than " + std::to_string(longest)), std::string();
    return text;
  }

  std::uint64_t count(const Json& object, const std::string& place, const char* key) {
    const Json* value = find(object, key);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > std::uint64_t{1} << 53) {
      refuse(below(place, key), "is no whole number");
      return 0;
    }
    return value->get<std::uint64_t>();
  }

  bool boolean(const Json& object, const std::string& place, const char* key) {
    const Json* value = find(object, key);
    if (value == nullptr) return false;
    if (!value->is_boolean()) refuse(below(place, key), "is neither true nor false");
    return value->is_boolean() && value->get<bool>();
  }

  const Json* object(const Json& parent, const std::string& place, const char* key) {
    const Json* value = find(parent, key);
    if (value == nullptr || value->is_object()) return value;
    refuse(below(place, key), "is no object");
    return nullptr;
  }

  const Json* list(const Json& parent, const std::string& place, const char* key,
                   std::size_t most) {
    const Json* value = find(parent, key);
    if (value == nullptr) return nullptr;
    if (!value->is_array()) return refuse(below(place, key), "is no list"), nullptr;
    if (value->size() > most)
      return refuse(below(place, key), "has more than " + std::to_string(most)), nullptr;
    return value;
  }

  std::vector<std::string> texts(const Json& parent, const std::string& place, const char* key) {
    std::vector<std::string> all;
    const Json* values = list(parent, place, key, kMostTexts);
    for (std::size_t i = 0; values != nullptr && i < values->size(); ++i) {
      const Json& value = (*values)[i];
      if (!value.is_string() || value.get_ref<const std::string&>().size() > kLongestText) {
        refuse(below(below(place, key), std::to_string(i)), "is no text of at most 4,096 bytes");
      } else {
        all.push_back(value.get<std::string>());
      }
    }
    return all;
  }

  HealthPart health(const Json& parent, const std::string& place) {
    const Json* value = object(parent, place, "health");
    return value == nullptr ? HealthPart{} : part(*value, below(place, "health"));
  }

  void refuse(const std::string& place, std::string cause) {
    if (!fault)
      fault =
          Error{ErrorKind::malformed, "read", "report " + terminal_safe(place), std::move(cause)};
  }

 private:
  const Json* find(const Json& object, const char* key) const {
    if (fault || !object.is_object()) return nullptr;
    const auto value = object.find(key);
    return value == object.end() || value->is_null() ? nullptr : &*value;
  }

  HealthPart part(const Json& json, const std::string& place) {
    HealthPart out;
    if (++parts_ > kMostParts) return refuse(place, "is one part of health too many"), out;
    out.name = text(json, place, "name", kLongestName);
    const std::string state = text(json, place, "state", kLongestName);
    using State = HealthPart::State;
    if (state == "healthy") out.state = State::healthy;
    if (state == "degraded") out.state = State::degraded;
    if (state == "failed") out.state = State::failed;
    out.cause = text(json, place, "cause");
    out.evidence = text(json, place, "evidence");
    out.fix = text(json, place, "fix");
    const Json* parts = list(json, place, "parts", kMostParts);
    for (std::size_t i = 0; parts != nullptr && i < parts->size(); ++i) {
      const std::string at = below(below(place, "parts"), std::to_string(i));
      if ((*parts)[i].is_object()) {
        out.parts.push_back(part((*parts)[i], at));
      } else {
        refuse(at, "is no object");
      }
    }
    return out;
  }

  std::size_t parts_ = 0;
};

ReportedInstance read_instance(Reader& reader, const Json& json, const std::string& place) {
  ReportedInstance out;
  out.name = reader.text(json, place, "name", kLongestName);
  if (out.name.empty()) reader.refuse(below(place, "name"), "is missing");
  out.image = reader.text(json, place, "image");
  out.wished_image = reader.text(json, place, "wished_image");
  out.version = reader.text(json, place, "version");
  out.state = reader.text(json, place, "state", kLongestName);
  out.cause = reader.text(json, place, "cause");
  out.wished_running = reader.boolean(json, place, "wished_running");
  out.wants_approval = reader.texts(json, place, "wants_approval");
  if (const Json* update = reader.object(json, place, "update")) {
    out.update_state = reader.text(*update, below(place, "update"), "state", kLongestName);
    out.update_reason = reader.text(*update, below(place, "update"), "reason");
    out.update_what = reader.text(*update, below(place, "update"), "what");
  }
  if (const Json* config = reader.object(json, place, "config")) {
    out.config_state = reader.text(*config, below(place, "config"), "state", kLongestName);
    out.config_reason = reader.text(*config, below(place, "config"), "reason");
  }
  out.health = reader.health(json, place);
  return out;
}

void gather(const HealthPart& part, std::vector<const HealthPart*>& found) {
  if (!part.is_bad()) return;
  const std::size_t before = found.size();
  for (const HealthPart& each : part.parts)
    gather(each, found);
  if (found.size() == before) found.push_back(&part);
}

}  // namespace

bool ReportedInstance::is_changing() const {
  return update_state == "INSTALLING" || update_state == "DOWNLOADING" ||
         config_state == "APPLYING";
}

Result<Reported> Reported::parse(const std::string& json) {
  const auto root = parse_object(json, "report", kLongestReport);
  if (!root) return tl::unexpected<Error>(root.error());
  Reader reader;
  Reported out;
  out.boot = reader.text(*root, "", "boot", kLongestName);
  out.machine = reader.text(*root, "", "machine", kLongestName);
  out.sequence = reader.count(*root, "", "sequence");
  if (out.boot.empty()) reader.refuse("/boot", "is missing");
  if (out.machine.empty()) reader.refuse("/machine", "is missing");
  const std::string place = "/reported";
  const Json* state = reader.object(*root, "", "reported");
  if (state == nullptr) {
    reader.refuse(place, "is missing");
    return tl::unexpected<Error>(std::move(*reader.fault));
  }
  if (reader.count(*state, place, "format") != 1)
    reader.refuse(below(place, "format"), "is not 1, the only one that this server knows");
  out.name = reader.text(*state, place, "name", kLongestName);
  out.version = reader.text(*state, place, "version", kLongestName);
  out.runtime_fault = reader.text(*state, place, "runtime_fault");
  if (const std::string now = reader.text(*state, place, "now", kLongestName); !now.empty()) {
    out.now = parse_rfc3339(now);
    if (!out.now) reader.refuse(below(place, "now"), "is no time of RFC 3339");
  }
  out.desired_version = reader.count(*state, place, "desired_version");
  out.health = reader.health(*state, place);
  const Json* instances = reader.list(*state, place, "instances", kMostInstances);
  for (std::size_t i = 0; instances != nullptr && i < instances->size(); ++i) {
    const std::string at = below(below(place, "instances"), std::to_string(i));
    if ((*instances)[i].is_object()) {
      out.instances.push_back(read_instance(reader, (*instances)[i], at));
    } else {
      reader.refuse(at, "is no object");
    }
  }
  out.problems = reader.texts(*state, place, "problems");
  if (reader.fault) return tl::unexpected<Error>(std::move(*reader.fault));
  out.state_json = text_of(*state);
  return out;
}

std::vector<const HealthPart*> root_causes(const HealthPart& health) {
  std::vector<const HealthPart*> found;
  gather(health, found);
  return found;
}

}  // namespace beaconry
