#include "control/config_edit.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr const char* kName = "the request";
constexpr std::string_view kSections[] = {"detection", "weights", "alerting", "whitelist"};

struct Weight {
  std::string_view word, path;
};
constexpr Weight kWeights[] = {{"cv", "detection.cv_weight"},
                               {"periodicity", "detection.periodicity_weight"},
                               {"jitter", "detection.jitter_weight"},
                               {"size", "detection.size_weight"}};

class EditReader {
 public:
  explicit EditReader(std::vector<Error>& errors) : errors_(errors) {
    edit_.document.file = kName;
    edit_.document.root.kind = ConfigNode::Kind::map;
  }

  ConfigEdit read(ConfigDocument document) {
    for (auto& member : document.root.members) {
      if (member.key == "version") {
        read_version(member);
      } else if (member.key == "weights") {
        read_weights(member);
      } else if (std::find(std::begin(kSections), std::end(kSections), member.key) !=
                 std::end(kSections)) {
        add(std::move(member));
      } else {
        refuse(member.line, in_quotes(member.key) +
                                " cannot be changed at run time; detection, weights, alerting and "
                                "whitelist can. Change the file and restart the server");
      }
    }
    return std::move(edit_);
  }

 private:
  void refuse(std::size_t line, std::string cause) {
    errors_.push_back(
        Error{ErrorKind::malformed, "read", edit_.document.place(line), std::move(cause)});
  }

  // `detection` may be there already, made of weights.
  void add(ConfigNode::Member member) {
    for (auto& known : edit_.document.root.members) {
      if (known.key != member.key || member.value.kind != ConfigNode::Kind::map) continue;
      for (auto& inner : member.value.members)
        known.value.members.push_back(std::move(inner));
      return;
    }
    edit_.document.root.members.push_back(std::move(member));
  }

  void read_version(const ConfigNode::Member& member) {
    edit_.version = parse_unsigned(member.value.text);
    if (!edit_.version) refuse(member.line, "'version' must be a whole number");
  }

  void read_weights(ConfigNode::Member& member) {
    if (member.value.kind == ConfigNode::Kind::null) return;
    if (member.value.kind != ConfigNode::Kind::map) {
      refuse(member.line, "'weights' must be a section with keys below it");
      return;
    }
    ConfigNode::Member detection{"detection", member.line, {}};
    detection.value.kind = ConfigNode::Kind::map;
    detection.value.line = member.line;
    for (auto& weight : member.value.members) {
      const auto* found =
          std::find_if(std::begin(kWeights), std::end(kWeights), [&](const Weight& known) {
            return weight.key == known.word || "detection." + weight.key == known.path;
          });
      if (found == std::end(kWeights)) {
        refuse(weight.line, "unknown key " + in_quotes(weight.key) +
                                " in 'weights'; known here: cv, periodicity, jitter, size");
        continue;
      }
      weight.key = found->path.substr(found->path.rfind('.') + 1);
      detection.value.members.push_back(std::move(weight));
    }
    add(std::move(detection));
  }

  std::vector<Error>& errors_;
  ConfigEdit edit_;
};

}  // namespace

Result<ConfigEdit> parse_config_edit(std::string_view text, std::vector<Error>* all) {
  auto document = ConfigDocument::parse(std::string(text), kName);
  if (!document) {
    if (all != nullptr) *all = {document.error()};
    return tl::unexpected<Error>(std::move(document.error()));
  }
  std::vector<Error> errors;
  ConfigEdit edit = EditReader(errors).read(std::move(*document));
  if (errors.empty()) return edit;
  if (all != nullptr) *all = errors;
  return tl::unexpected<Error>(std::move(errors.front()));
}

bool is_editable(std::string_view path) {
  return std::any_of(std::begin(kSections), std::end(kSections), [&](std::string_view section) {
    return path.starts_with(section) && path.size() > section.size() && path[section.size()] == '.';
  });
}

std::string_view weight_word(std::string_view path) {
  for (const Weight& weight : kWeights) {
    if (weight.path == path) return weight.word;
  }
  return {};
}

}  // namespace beaconry
