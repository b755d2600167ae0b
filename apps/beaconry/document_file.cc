#include "document_file.h"

#include <set>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "config/document.h"
#include "image/yaml_json.h"

namespace beaconry {
namespace {

constexpr std::size_t kDeepest = 32;

// JSON, or discarded where it is none. Of a key that is given twice the library keeps the last;
// which of the two was meant is not for it to say.
Json parse_json(const std::string& text, std::string& twice) {
  std::vector<std::set<std::string>> keys;
  const auto look = [&](int /*depth*/, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return true;
  };
  return Json::parse(text, look, false);
}

}  // namespace

Result<Json> read_document(const std::string& file) {
  const std::string shown = file == "-" ? "standard input" : file;
  auto text = read_small_file(file, kLongestConfigFile);
  if (!text) return tl::unexpected<Error>(std::move(text.error()));
  Json document = Json::value_t::discarded;
  std::string twice;
  if (trim(*text).starts_with('{') && json_depth(*text) <= kDeepest) {
    document = parse_json(*text, twice);
  }
  if (document.is_discarded()) {  // {every: 5} is YAML too
    const auto yaml = ConfigDocument::parse(std::move(*text), shown);
    if (!yaml) return tl::unexpected<Error>(yaml.error());
    document = yaml_to_json(yaml->root);
    if (document.is_null()) document = Json::object();
  } else if (!twice.empty()) {
    return fail(ErrorKind::usage, "read", shown,
                "'" + terminal_safe(twice) + "' is given twice; keep one of them");
  }
  if (!document.is_object()) {
    return fail(ErrorKind::usage, "read", shown, "it is no object, in JSON or YAML");
  }
  return document;
}

}  // namespace beaconry
