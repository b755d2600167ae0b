#include "server/leak_views.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/table.h"
#include "hunt/output/terminal.h"
#include "server/json_rows.h"
#include "server/views.h"

namespace beaconry {
namespace {

constexpr std::size_t kFieldWidth = 18, kTextWidth = 78;
constexpr std::size_t kMostRanges = 12;

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

std::string cell(const Json& row, const char* path) {
  return or_dash(text_at(row, path));
}

// "2026-11-21 18:00:00" of a time as answers have it.
std::string time_cell(const Json& row, const char* path) {
  std::string text = text_at(row, path);
  if (text.size() < 19) return or_dash(std::move(text));
  text.resize(19);
  text[10] = ' ';
  return text;
}

std::string length_words(double seconds) {
  return to_words(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

bool is_true(const Json& row, const char* path) {
  return text_at(row, path) == "true";
}

std::string ports_words(const Json& row) {
  std::string text;
  std::size_t shown = 0;
  const Json& ports = list_at(row, "ports");
  for (const Json& range : ports) {
    if (!range.is_array() || range.size() != 2 || !range[0].is_number() || !range[1].is_number()) {
      continue;
    }
    if (++shown > kMostRanges) break;
    const std::string from = range[0].dump(), to = range[1].dump();
    text += (text.empty() ? "" : ", ") + (from == to ? from : from + '-' + to);
  }
  if (ports.size() > kMostRanges) {
    text += " and " + std::to_string(ports.size() - kMostRanges) + " more";
  }
  return or_dash(text);
}

std::string state_cell(const Json& row) {
  const std::string decision = text_at(row, "triage");
  return cell(row, "state") + (decision.empty() ? "" : ", " + decision);
}

std::string place_of(const Json& row) {
  const std::string via = text_at(row, "via");
  return via.empty() ? cell(row, "outer_source") : via;
}

std::string paint_leak(const Json& row, const std::string& line) {
  if (text_at(row, "state") != "open" || !text_at(row, "triage").empty()) return line;
  return in_colour(line, is_true(row, "two_way") ? Confidence::critical : Confidence::high, true);
}

std::string field(std::string_view name, const std::string& value) {
  return "  " + pad_right(std::string(name) + ':', kFieldWidth) + value + '\n';
}

// Text in lines of at most kTextWidth, each begun with `indent`.
std::string wrapped(const std::string& text, const std::string& indent) {
  std::string out, line;
  for (const std::string_view word : split(text, ' ')) {
    if (!line.empty() && line.size() + 1 + word.size() > kTextWidth) {
      out += indent + line + '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  return line.empty() ? out : out + indent + line + '\n';
}

// Commands stand on lines of their own, two blanks in, and are not to be broken.
std::string advice(const Json& row) {
  std::string out;
  const auto fix = row.find("fix");
  if (fix == row.end() || !fix->is_string()) return out;
  const std::string text = fix->get<std::string>();
  for (const std::string_view line : split(text, '\n')) {
    const std::string safe = terminal_safe(line);
    out += line.starts_with("  ") ? "    " + safe + '\n' : wrapped(safe, "    ");
  }
  return out;
}

// The hops one below the other, from the probe to home.
std::string drawn(const Json& row) {
  std::string text;
  const Json& route = list_at(row, "route");
  for (std::size_t i = 0; i < route.size(); ++i) {
    if (!route[i].is_string()) continue;
    const std::string hop = terminal_safe(route[i].get<std::string>());
    if (i > 0) text += "    │\n";
    text += i == 0                  ? "    ● " + hop + '\n'
            : i + 1 == route.size() ? "    ▼\n    ◎ " + hop + '\n'
                                    : "    ├─ " + hop + '\n';
  }
  return text;
}

std::string open_times(const Json& row) {
  std::string text;
  for (const Json& span : list_at(row, "open_times")) {
    text += "    " + time_cell(span, "from") + "  to  " + time_cell(span, "to") + "  (" +
            length_words(number_at(span, "seconds")) + ")\n";
  }
  return text;
}

std::string observation_rows(const Json& row) {
  const std::vector<Column> columns = {
      {"RECEIVED", 21, [](const Json& r) { return time_cell(r, "received"); }},
      {"CLASS", 11, [](const Json& r) { return cell(r, "class"); }},
      {"SOURCE", 24,
       [](const Json& r) { return cell(r, "source") + ' ' + cell(r, "source_port"); }},
      {"TO", 24,
       [](const Json& r) { return cell(r, "destination") + ' ' + cell(r, "destination_port"); }},
      {"PROTO", 6, [](const Json& r) { return cell(r, "protocol"); }},
      {"TTL", 5, [](const Json& r) { return cell(r, "ttl"); }},
      {"SEQ", 10, [](const Json& r) { return cell(r, "sequence"); }},
      {"LEG", 10, [](const Json& r) { return cell(r, "leg"); }},
  };
  constexpr std::size_t kMostShown = 12;
  Json some = Json::array();
  for (const Json& each : list_at(row, "observations")) {
    if (some.size() == kMostShown) break;
    some.push_back(each);
  }
  if (some.empty()) return "  None is kept any more.\n";
  return table_of(some, columns);
}

std::string heard_cell(const Json& row) {
  const std::string at = time_cell(row, "last_heard");
  return at == "-" ? "never" : at;
}

std::string more_line(const Json& json, std::size_t shown) {
  const std::uint64_t total = count_at(json, "total");
  if (total <= shown) return {};
  return "\n  " + with_thousands(shown) + " of " + with_thousands(total) +
         " are shown; --limit shows more\n";
}

}  // namespace

Result<std::string> leaks_text(std::string_view text, bool colour) {
  return from(text, [&](const Json& json) {
    const std::vector<Column> columns = {
        {"ID", 18, [](const Json& r) { return cell(r, "id"); }},
        {"STATE", 20, state_cell},
        {"PROBE", 16, [](const Json& r) { return cell(r, "probe_name"); }},
        {"METHOD", 19, [](const Json& r) { return cell(r, "method"); }},
        {"PATH", 20, [](const Json& r) { return cell(r, "path"); }},
        {"THROUGH", 18, place_of},
        {"WAYS", 6,
         [](const Json& r) { return std::string(is_true(r, "two_way") ? "two" : "one"); }},
        {"FIRST SEEN", 21, [](const Json& r) { return time_cell(r, "first"); }},
        {"LAST SEEN", 21, [](const Json& r) { return time_cell(r, "last"); }},
        {"PINGS", 8, [](const Json& r) { return with_thousands(count_at(r, "count")); }},
    };
    const Json& rows = list_at(json, "leaks");
    std::string out = heading_text("LEAKS") + '\n';
    if (rows.empty()) {
      return out +
             "  No leak is known. `beaconry probes list` says whether the probes were heard.\n";
    }
    return out + table_of(rows, columns, colour ? paint_leak : nullptr) +
           more_line(json, rows.size());
  });
}

Result<std::string> leaks_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "leaks"), {{"id", "id"},
                                           {"state", "state"},
                                           {"triage", "triage"},
                                           {"probe", "probe"},
                                           {"probe_name", "probe_name"},
                                           {"method", "method"},
                                           {"family", "family"},
                                           {"path", "path"},
                                           {"two_way", "two_way"},
                                           {"outer_source", "outer_source"},
                                           {"via", "via"},
                                           {"inside", "inside"},
                                           {"first", "first"},
                                           {"last", "last"},
                                           {"opened", "opened"},
                                           {"closed", "closed"},
                                           {"open_seconds", "open_seconds"},
                                           {"times_opened", "times_opened"},
                                           {"count", "count"},
                                           {"duplicates", "duplicates"},
                                           {"late", "late"},
                                           {"replayed", "replayed"},
                                           {"title", "title"},
                                           {"fix", "fix"}});
  });
}

Result<std::string> leak_text(std::string_view text) {
  return from(text, [](const Json& json) {
    std::string out = heading_text("LEAK " + cell(json, "id")) + '\n';
    out += wrapped(text_at(json, "title"), "  ") + '\n';
    out += drawn(json) + '\n';
    out += field("State", state_cell(json));
    out += field("Probe", cell(json, "probe_name") + " (" + cell(json, "probe") + ')');
    out += field("Method", cell(json, "method") + ", " + cell(json, "family"));
    out += field("Path", cell(json, "path"));
    out += field("Ways", is_true(json, "two_way") ? "two-way: home's answer came back to the probe"
                                                  : "one-way, as far as is known");
    out += field("Ports", ports_words(json));
    out += field("First seen", time_cell(json, "first"));
    out += field("Last seen", time_cell(json, "last"));
    out += field("Pings", with_thousands(count_at(json, "count")) + " (" +
                              with_thousands(count_at(json, "duplicates")) + " duplicates, " +
                              with_thousands(count_at(json, "late")) + " late, " +
                              with_thousands(count_at(json, "replayed")) + " replayed)");
    out += "\n  WHAT IT MEANS\n" + wrapped(text_at(json, "explanation"), "    ");
    out += "\n  HOW TO CLOSE IT\n" + advice(json);
    out += "\n  OPEN\n" + open_times(json);
    if (const Json& steps = list_at(json, "history"); !steps.empty()) {
      out += "\n  DECIDED\n";
      for (const Json& step : steps) {
        out += "    " + time_cell(step, "time") + "  " + cell(step, "what") + " by " +
               cell(step, "who") + ": " + cell(step, "words") + '\n';
      }
    }
    return out + "\n  NEWEST OBSERVATIONS\n" + observation_rows(json);
  });
}

Result<std::string> probes_text(std::string_view text) {
  return from(text, [](const Json& json) {
    const std::vector<Column> columns = {
        {"NAME", 18, [](const Json& r) { return cell(r, "name"); }},
        {"KEY", 18, [](const Json& r) { return cell(r, "id"); }},
        {"STATE", 16, [](const Json& r) { return cell(r, "state"); }},
        {"PROFILE", 9, [](const Json& r) { return cell(r, "profile"); }},
        {"HOME", 14, [](const Json& r) { return cell(r, "home_name"); }},
        {"LAST HEARD", 21, heard_cell},
        {"CONTROL", 21,
         [](const Json& r) {
           return cell(r, "control") == "none" ? "none" : time_cell(r, "last_control");
         }},
        {"LEAKS", 7, [](const Json& r) { return with_thousands(count_at(r, "leaks_open")); }},
        {"END", 21, [](const Json& r) { return time_cell(r, "end"); }},
    };
    const Json& rows = list_at(json, "probes");
    std::string out = heading_text("PROBES") + '\n';
    if (rows.empty()) return out + "  No probes; `beaconry probes add NAME` makes one.\n";
    return out + table_of(rows, columns) + more_line(json, rows.size());
  });
}

Result<std::string> probes_csv(std::string_view text) {
  return from(text, [](const Json& json) {
    return csv_of(list_at(json, "probes"), {{"name", "name"},
                                            {"id", "id"},
                                            {"state", "state"},
                                            {"profile", "profile"},
                                            {"home", "home_name"},
                                            {"control", "control"},
                                            {"last_heard", "last_heard"},
                                            {"last_control", "last_control"},
                                            {"leaks_open", "leaks_open"},
                                            {"leaks", "leaks"},
                                            {"end", "end"},
                                            {"created", "created"},
                                            {"created_by", "created_by"},
                                            {"revoked", "revoked"},
                                            {"box_public", "box_public"},
                                            {"sign_public", "sign_public"}});
  });
}

Result<std::string> probe_text(std::string_view text) {
  return from(text, [](const Json& json) {
    const auto joined = [&](const char* path) {
      std::string words;
      for (const Json& each : list_at(json, path)) {
        const std::string word = each.is_string()
                                     ? terminal_safe(each.get<std::string>())
                                     : cell(each, "name") + '=' + cell(each, "address");
        words += (words.empty() ? "" : ", ") + word;
      }
      return or_dash(words);
    };
    std::string out = heading_text("PROBE " + cell(json, "name")) + '\n';
    out += field("State", cell(json, "state"));
    out += field("Key", cell(json, "id"));
    out += field("Public key", cell(json, "box_public"));
    out += field("Signs with", cell(json, "sign_public"));
    out += field("Home", cell(json, "home_name") +
                             (is_true(json, "home_key_changed")
                                  ? " (its key changed: `beaconry probes rotate` makes a new line)"
                                  : ""));
    out += field("Profile", cell(json, "profile"));
    out += field("Short cycle", "every " + length_words(number_at(json, "short_period_seconds")));
    out += field("Long cycle", is_true(json, "long_cycle") ? "yes" : "no");
    const std::string control = cell(json, "control");
    out += field("Positive control",
                 control == "none" ? control
                                   : control + ", every " +
                                         length_words(number_at(json, "control_every_seconds")) +
                                         ", last " + time_cell(json, "last_control"));
    out += field("Neighbours", joined("neighbours"));
    out += field("Peers", joined("peers"));
    out += field("Last heard", heard_cell(json));
    out += field("Its addresses", joined("addresses"));
    out += field("Leaks", with_thousands(count_at(json, "leaks_open")) + " open, " +
                              with_thousands(count_at(json, "leaks")) + " in all");
    out += field("Created", time_cell(json, "created") + " by " + cell(json, "created_by"));
    out += field("Ends", time_cell(json, "end"));
    out += field("Revoked", time_cell(json, "revoked"));
    out += field("Old key until", time_cell(json, "retires"));
    return out + field("Notes", cell(json, "notes"));
  });
}

}  // namespace beaconry
