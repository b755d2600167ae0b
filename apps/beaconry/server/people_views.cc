#include "server/people_views.h"

#include <vector>

#include "base/text.h"
#include "config/document_history.h"
#include "hunt/output/terminal.h"
#include "server/json_rows.h"
#include "server/words.h"

namespace beaconry {
namespace {

// What a change changed; where only one side is told, all of it.
std::string changes_of(const Json& entry) {
  const auto side = [&](const char* name) {
    const auto found = entry.find(name);
    if (found == entry.end() || found->is_null()) return std::string();
    return found->is_string() ? found->get<std::string>() : found->dump();
  };
  const std::string before = side("before"), after = side("after");
  std::string text;
  const auto add = [&](const std::string& line) {
    text += "      " + wrap(terminal_safe(line), 78, 8) + '\n';
  };
  if (before.empty() && after.empty()) return text;
  if (before.empty() || after.empty()) {
    add((before.empty() ? "now: " : "was: ") + before + after);
    return text;
  }
  for (const std::string& line : json_diff(before, after))
    add(line);
  return text;
}

}  // namespace

Result<std::string> users_text(std::string_view text) {
  return from(text, [](const Json& json) {
    const Json& rows = list_at(json, "users");
    if (rows.empty()) {
      return std::string("No users: who has no token comes in on loopback alone.\n");
    }
    const std::vector<Column> columns = {
        {"NAME", 18, [](const Json& r) { return text_at(r, "name"); }},
        {"ROLE", 10, [](const Json& r) { return text_at(r, "role"); }},
        {"STATE", 10,
         [](const Json& r) {
           return std::string(text_at(r, "disabled") == "true" ? "disabled" : "enabled");
         }},
        {"TOTP", 9, [](const Json& r) { return text_at(r, "totp"); }},
        {"LAST LOGIN", 21, [](const Json& r) { return short_time(text_at(r, "last_login")); }},
        {"CREATED", 21, [](const Json& r) { return short_time(text_at(r, "created")); }},
        {"BY", 5, [](const Json& r) { return text_at(r, "created_by"); }},
    };
    return table_of(rows, columns);
  });
}

Result<std::string> audit_text(std::string_view text) {
  return from(text, [](const Json& json) {
    const Json& rows = list_at(json, "entries");
    if (rows.empty()) return std::string("Nobody changed anything.\n");
    std::string out;
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
      if (!row->is_object()) continue;
      std::string who = text_at(*row, "who");
      if (const std::string address = text_at(*row, "address"); !address.empty()) {
        who += " from " + address;
      }
      const std::string outcome = text_at(*row, "outcome"), object = text_at(*row, "object");
      out += short_time(text_at(*row, "time")) + "  " + pad_right(who, 28) + ' ' +
             (outcome == "done" ? "" : outcome + ": ") + text_at(*row, "action") +
             (object.empty() ? "" : "  " + object) + '\n' + changes_of(*row);
    }
    return out;
  });
}

Result<std::string> audit_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "entries"), {{"time", "time"},
                                             {"who", "who"},
                                             {"role", "role"},
                                             {"address", "address"},
                                             {"action", "action"},
                                             {"object", "object"},
                                             {"before", "before"},
                                             {"after", "after"},
                                             {"outcome", "outcome"}});
  });
}

}  // namespace beaconry
