#include <vector>

#include "base/text.h"
#include "server/fleet_views.h"
#include "server/words.h"

namespace beaconry {
namespace {

std::string digits(const Json& row) {
  constexpr std::size_t kShown = 12;
  return text_at(row, "sha256").substr(0, kShown);
}

std::string signer_of(const Json& image) {
  const std::string signer = text_at(image, "signer");
  return signer.empty() ? "unsigned" : signer;
}

}  // namespace

Result<std::string> fleet_groups_text(std::string_view text) {
  return from(text, [](const Json& json) {
    const Json& rows = list_at(json, "groups");
    if (rows.empty()) {
      return std::string("No groups; `beaconry fleet groups set NAME SELECTOR` makes one.\n");
    }
    const std::vector<Column> columns = {
        {"NAME", 16, [](const Json& r) { return text_at(r, "name"); }},
        {"SELECTOR", 26, [](const Json& r) { return text_at(r, "selector"); }},
        {"PRIORITY", 10, [](const Json& r) { return text_at(r, "priority"); }},
        {"SENSORS", 9, [](const Json& r) { return text_at(r, "sensors"); }},
        {"VERSION", 9, [](const Json& r) { return text_at(r, "version"); }},
        {"INSTRUMENTS", 12, [](const Json& r) { return names_text(list_at(r, "instances"), 6); }},
    };
    return table_of(rows, columns);
  });
}

Result<std::string> fleet_versions_text(std::string_view text) {
  return from(text, [](const Json& json) {
    const Json& rows = list_at(json, "versions");
    if (rows.empty()) return std::string("No versions: nothing was ever wished here.\n");
    const std::vector<Column> columns = {
        {"VERSION", 9, [](const Json& r) { return text_at(r, "number"); }},
        {"TIME", 21, [](const Json& r) { return short_time(text_at(r, "time")); }},
        {"WHO", 18, [](const Json& r) { return text_at(r, "who"); }},
        {"HOW", 18, [](const Json& r) { return text_at(r, "how"); }},
    };
    return table_of(rows, columns);
  });
}

std::string fleet_change_text(const Json& answer) {
  const std::uint64_t sensors = count_at(answer, "sensors");
  std::string text;
  std::size_t shown = 0;
  const auto changed = answer.find("changed");
  if (changed != answer.end() && changed->is_object()) {
    for (const auto& [name, lines] : changed->items()) {
      if (!lines.is_array() || lines.empty()) continue;
      ++shown;
      text += terminal_safe(name) + '\n';
      for (const Json& line : lines)
        text +=
            "  " + terminal_safe(line.is_string() ? line.get<std::string>() : line.dump()) + '\n';
    }
  }
  if (text.empty()) {
    return sensors == 0 ? "It reaches no sensor.\n"
                        : "Nothing changes for " + counted(sensors, "sensor", "sensors") + ".\n";
  }
  return text + "It reaches " + counted(sensors, "sensor", "sensors") +
         (sensors > shown ? ", of which " + std::to_string(shown) + " are shown" : "") + ".\n";
}

Result<std::string> fleet_images_text(std::string_view text) {
  return from(text, [](const Json& json) {
    const Json& rows = list_at(json, "images");
    if (rows.empty()) {
      return std::string("No images; `beaconry fleet images add FILE.instrument` adds one.\n");
    }
    const std::vector<Column> columns = {
        {"NAME", 16, [](const Json& r) { return text_at(r, "name"); }},
        {"VERSION", 10, [](const Json& r) { return text_at(r, "version"); }},
        {"SHA-256", 14, digits},
        {"SIZE", 11, [](const Json& r) { return bytes_in_words(number_at(r, "bytes")); }},
        {"SIGNER", 18, signer_of},
        {"USED BY", 9, [](const Json& r) { return text_at(r, "used_by"); }},
        {"ADDED", 21,
         [](const Json& r) {
           return text_at(r, "complete") == "false" ? std::string("not all of it is here")
                                                    : short_time(text_at(r, "added"));
         }},
        {"BY", 5, [](const Json& r) { return text_at(r, "who"); }},
    };
    return table_of(rows, columns);
  });
}

std::string fleet_image_text(const Json& image) {
  std::string text = text_at(image, "name") + ' ' + text_at(image, "version") + '\n';
  text += field_line("sha256", text_at(image, "sha256")) +
          field_line("size", bytes_in_words(number_at(image, "bytes"))) +
          field_line("signer", signer_of(image));
  if (text_at(image, "complete") == "false") {
    text += field_line("incomplete", "not all of it is here; add the file again");
  }
  const std::string added = short_time(text_at(image, "added")), who = text_at(image, "who");
  if (!added.empty()) text += field_line("added", added + (who.empty() ? "" : " by " + who));
  if (!text_at(image, "used_by").empty()) {
    text += field_line("used by", counted(count_at(image, "used_by"), "sensor", "sensors"));
  }
  if (const Json& interfaces = list_at(image, "interfaces"); !interfaces.empty()) {
    Json names = Json::array();
    for (const Json& each : interfaces)
      names.push_back(each.is_object() ? text_at(each, "name") : each.dump());
    text += field_line("interfaces", names_text(names, 16));
  }
  for (const Json& each : list_at(image, "permissions"))
    text += field_line("may", each.is_string() ? terminal_safe(each.get<std::string>())
                                               : terminal_safe(each.dump()));
  return text;
}

}  // namespace beaconry
