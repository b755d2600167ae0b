#include "config/import_predecessor.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/ip_address.h"
#include "base/text.h"
#include "config/document.h"
#include "config/keys.h"
#include "config/values.h"

namespace beaconry {
namespace {

constexpr std::size_t kWidth = 96;

class Importer {
 public:
  explicit Importer(std::string file) : file_(std::move(file)), values_(config_schema()) {}

  Result<ImportedConfig> run(std::string text) {
    auto document = ConfigDocument::parse(std::move(text), file_);
    if (!document) return tl::unexpected<Error>(std::move(document.error()));
    prune(document->root, "", *document);
    auto values = ConfigValues::read(config_schema(), *document);
    if (!values) return tl::unexpected<Error>(std::move(values.error()));
    values_ = std::move(*values);
    review_listener();
    review_limits();
    review_gates();
    review_whitelist();
    review_rest();
    return ImportedConfig{render(), std::move(changes_)};
  }

 private:
  bool given(std::string_view path) const {
    return values_.origin(path).from == Origin::From::file;
  }

  // A change that is told, and written above the key.
  void tell(std::string_view path, const std::string& words) {
    changes_.push_back(std::string(path) + ": " + words);
    comments_[std::string(path)] = words;
  }
  void replace(std::string_view path, const std::string& json, const std::string& words) {
    tell(path, "was " + values_.to_json(path) + "; " + words);
    written_[std::string(path)] = json;
  }
  // Stays in the file as a comment.
  void take_out(std::string_view path, const std::string& words) {
    tell(path, words);
    taken_out_.emplace_back(path);
  }

  void prune(ConfigNode& map, const std::string& section, const ConfigDocument& document) {
    const ConfigSchema schema = config_schema();
    std::erase_if(map.members, [&](ConfigNode::Member& member) {
      const std::string path = section.empty() ? member.key : section + '.' + member.key;
      if (schema.find(path) != nullptr) return false;
      if (member.key.find_first_of(".[]") == std::string::npos && schema.is_section(path)) {
        if (member.value.kind == ConfigNode::Kind::map) prune(member.value, path, document);
        return false;
      }
      changes_.push_back(terminal_safe(path.substr(0, 100)) + ": left out (" +
                         document.place(member.line) + "): no such key" +
                         schema.suggestion(section, member.key));
      return true;
    });
  }

  void review_listener() {
    constexpr const char* kAddress = "control_plane.listen_address";
    const auto address = IpAddress::parse(*values_.text(kAddress));
    if (!given(kAddress) || !address || address->is_loopback()) return;
    replace(
        kAddress, "\"127.0.0.1\"",
        "the server is reached from this machine only. Beyond it, it needs TLS and a token: run "
        "'beaconry-control init', then put the old value back");
  }

  void review_limits() {
    if (given("control_plane.max_connections") &&
        *values_.count("control_plane.max_connections") <= 10) {
      replace("control_plane.max_connections", "20000",
              "an open connection is cheap here, and every collector, command line and watcher "
              "keeps one");
    }
    if (given("control_plane.data_retention") &&
        *values_.seconds("control_plane.data_retention") <= 7200) {
      replace("control_plane.data_retention", "\"24h\"",
              "in two hours a beacon of one hour calls twice. A check-in costs at most 16 bytes; "
              "control_plane.memory_limit bounds all of it");
    }
  }

  void review_gates() {
    struct Gate {
      const char *path, *words;
    };
    for (const Gate& gate :
         {Gate{"detection.min_connections", "pairs with fewer check-ins"},
          Gate{"detection.min_duration", "beacons that were seen for a shorter time"},
          Gate{"detection.time_window", "what is older: slow beacons have too few check-ins in it"},
          Gate{"detection.min_beacon_interval", "faster beacons"},
          Gate{"detection.max_beacon_interval", "slower beacons"}}) {
      if (!given(gate.path)) continue;
      take_out(gate.path, "was " + values_.to_json(gate.path) + "; taken out, as it hides " +
                              gate.words + ". The score weighs few check-ins by itself");
    }
  }

  void review_whitelist() {
    for (const char* path : {"whitelist.ports", "whitelist.destination_ports"}) {
      const auto* ports = values_.texts(path);
      if (ports == nullptr) continue;
      const bool dns = std::any_of(ports->begin(), ports->end(), [](const ConfigText& port) {
        return port.text == "53" || ascii_lower(port.text) == "53/udp" ||
               ascii_lower(port.text) == "53/tcp";
      });
      if (dns) {
        tell(path,
             "kept, but port 53 hides DNS, a common channel of C2: take 53 out unless you watch "
             "DNS elsewhere");
      }
    }
  }

  void review_rest() {
    if (given("control_plane.api_key")) {
      tell("control_plane.api_key",
           "kept: it works as before for POST and DELETE. 'beaconry token create' makes tokens of "
           "lesser rights; keep this file readable for the server alone");
    }
    if (!given("persistence.db_path")) {
      changes_.emplace_back(
          "persistence.db_path: beacons, alerts and versions are kept in control_plane.state_dir "
          "once 'beaconry-control init' made it; before, in memory");
    }
  }

  void comment(std::string& out, const std::string& words, std::size_t indent) const {
    const std::string begin = std::string(indent, ' ') + '#';
    std::string line = begin;
    for (const auto word : split(words, ' ')) {
      if (line.size() + 1 + word.size() > kWidth && line != begin) {
        out += line + '\n';
        line = begin;
      }
      line += ' ' + std::string(word);
    }
    out += line + '\n';
  }

  std::string render() const {
    std::string out;
    comment(out,
            "Made of " + terminal_safe(file_) +
                ", a configuration of the predecessor. What was changed says so.",
            0);
    std::vector<std::string_view> open;  // sections
    for (const ConfigKey& key : values_.schema().keys()) {
      if (!key.same_as.empty() || key.path.find("[]") != key.path.npos || !given(key.path))
        continue;
      auto words = split(key.path, '.');
      const std::string_view name = words.back();
      words.pop_back();
      std::size_t same = 0;
      while (same < open.size() && same < words.size() && open[same] == words[same])
        ++same;
      if (same == 0) out += '\n';
      for (std::size_t i = same; i < words.size(); ++i) {
        out += std::string(2 * i, ' ') + std::string(words[i]) + ":\n";
      }
      open.assign(words.begin(), words.end());
      const std::string path(key.path);
      const std::size_t indent = 2 * words.size();
      if (const auto told = comments_.find(path); told != comments_.end()) {
        comment(out, told->second, indent);
      }
      const bool is_out = std::find(taken_out_.begin(), taken_out_.end(), path) != taken_out_.end();
      const auto written = written_.find(path);
      out += std::string(indent, ' ') + (is_out ? "# " : "") + std::string(name) + ": " +
             (written != written_.end() ? written->second : values_.to_json(path, true)) + '\n';
    }
    return out;
  }

  std::string file_;
  ConfigValues values_;
  std::vector<std::string> changes_;
  std::map<std::string, std::string> comments_, written_;  // by key
  std::vector<std::string> taken_out_;
};

}  // namespace

Result<ImportedConfig> import_predecessor(std::string text, std::string file) {
  return Importer(std::move(file)).run(std::move(text));
}

}  // namespace beaconry
