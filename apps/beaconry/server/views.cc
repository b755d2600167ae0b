#include "server/views.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/table.h"
#include "server/json_rows.h"

namespace beaconry {
namespace {

// The bars around a heading, as wide as users know them.
constexpr std::size_t kHeadingWidth = 67;
constexpr std::size_t kFieldWidth = 31;

std::string field(std::string_view name, const std::string& value) {
  return "  " + pad_right(std::string(name) + ':', kFieldWidth) + value + '\n';
}

std::string fixed(double value, int decimals) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

// "2.5h", "45.0s": one unit, as a column of them compares.
std::string length_text(double seconds) {
  if (seconds < 120) return fixed(seconds, 1) + 's';
  if (seconds < 7200) return fixed(seconds / 60, 1) + 'm';
  if (seconds < 172'800) return fixed(seconds / 3600, 1) + 'h';
  return fixed(seconds / 86'400, 1) + 'd';
}

Confidence severity_of(const Json& row) {
  const std::string word =
      ascii_lower(row.contains("severity") ? text_at(row, "severity") : text_at(row, "confidence"));
  for (const Confidence c :
       {Confidence::low, Confidence::medium, Confidence::high, Confidence::critical}) {
    if (word == to_string(c)) return c;
  }
  // A server that gives no word: the ladder of scores.
  const double score = number_at(row, "combined_score");
  return score >= 0.9   ? Confidence::critical
         : score >= 0.8 ? Confidence::high
         : score >= 0.7 ? Confidence::medium
                        : Confidence::low;
}

std::string upper(std::string_view word) {
  std::string text(word);
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string paint_severity(const Json& row, const std::string& line) {
  return in_colour(line, severity_of(row), true);
}

std::string destination(const Json& row) {
  return text_at(row, "dst_ip");
}

std::string name_of(const Json& row) {
  const std::string name = text_at(row, "dst_name");
  return name.empty() ? text_at(row, "server_name") : name;
}

// And a last column with the names that servers go by, where one is known.
std::vector<Column> with_names(std::vector<Column> columns, const Json& rows) {
  const auto named = [](const Json& row) { return !name_of(row).empty(); };
  if (std::any_of(rows.begin(), rows.end(), named)) columns.push_back({"NAME", 20, name_of});
  return columns;
}

// And who of ours it is, where it is a probe's own traffic: no alert comes of that.
std::vector<Column> with_ours(std::vector<Column> columns, const Json& rows) {
  const auto ours = [](const Json& row) { return text_at(row, "ours"); };
  if (std::any_of(rows.begin(), rows.end(), [&](const Json& row) { return !ours(row).empty(); })) {
    columns.push_back({"OURS", 20, ours});
  }
  return columns;
}

std::string interval(const Json& row) {
  double seconds = number_at(row, "explanation.detected_interval_seconds");
  if (seconds <= 0) seconds = number_at(row, "interval_stats.median");
  return seconds > 0 ? fixed(seconds, 1) + 's' : std::string("-");
}

const std::vector<Column>& beacon_columns() {
  static const std::vector<Column> columns = {
      {"SCORE", 8,
       [](const Json& r) { return fixed(number_at(r, "combined_score") * 100, 1) + '%'; }},
      {"SEVERITY", 12, [](const Json& r) { return upper(to_string(severity_of(r))); }},
      {"SOURCE IP", 20, [](const Json& r) { return text_at(r, "src_ip"); }},
      {"DEST IP", 20, destination},
      {"PORT", 7, [](const Json& r) { return text_at(r, "dst_port"); }},
      {"PROTO", 7, [](const Json& r) { return text_at(r, "protocol"); }},
      {"CONNS", 10, [](const Json& r) { return text_at(r, "connection_count"); }},
      {"INTERVAL", 11, interval},
  };
  return columns;
}

bool flag_at(const Json& row, const char* name) {
  return text_at(row, name) == "true";
}

// The worst that is to be said of an edge.
std::string edge_state(const Json& row) {
  if (flag_at(row, "revoked")) return "revoked";
  if (flag_at(row, "name_conflict")) return "name conflict";
  if (!text_at(row, "via").empty()) return "relayed";
  if (!flag_at(row, "enrolled")) return "not enrolled";
  return count_at(row, "enrolments") > 1 ? "re-enrolled" : "enrolled";
}

std::string clock_skew(const Json& row) {
  if (text_at(row, "clock_skew_seconds").empty()) return {};
  const double skew = number_at(row, "clock_skew_seconds");
  return (skew < 0 ? "" : "+") + fixed(skew, 1) + 's';
}

std::string pair_cell(const Json& r, const char* path) {
  return text_at(r, path);
}

std::string listing(std::string_view title, const std::string& table, std::size_t rows,
                    std::string_view none) {
  std::string text = heading_text(title) + '\n';
  if (rows == 0) return text + "  " + std::string(none) + '\n';
  return text + table;
}

std::string more_line(const Json& json, std::size_t shown) {
  const std::uint64_t total = count_at(json, "total");
  if (total <= shown) return {};
  return "\n  " + with_thousands(shown) + " of " + with_thousands(total) +
         " are shown; --limit shows more\n";
}

// Only where there are homes, probes or leaks.
std::string leak_fields(const Json& json) {
  const std::uint64_t homes = count_at(json, "leaks.homes"),
                      probes = count_at(json, "leaks.probes"), all = count_at(json, "leaks.total");
  if (homes + probes + all == 0) return {};
  std::string open = with_thousands(count_at(json, "leaks.open")) + " open";
  if (const auto two_way = count_at(json, "leaks.two_way"); two_way > 0) {
    open += ", of these " + with_thousands(two_way) + " two-way";
  }
  return field("Leaks", open) +
         field("Probes", with_thousands(probes) + ", heard of " +
                             with_thousands(count_at(json, "leaks.probes_heard")));
}

std::string status_fields(const Json& json, const std::string& host) {
  std::string text = field("Server", host);
  const std::string status = text_at(json, "status");
  text += field("Status", status.empty() ? "-" : upper(status.substr(0, 1)) + status.substr(1));
  text += field("Uptime", length_text(number_at(json, "uptime_seconds")));
  text += field("Events Received", with_thousands(count_at(json, "events_received")));
  text += field("Connection Pairs", with_thousands(count_at(json, "storage.pair_count")));
  // What is there now; older servers only tell how often they found one.
  const bool current = !text_at(json, "analyzer.beacons_detected").empty();
  text += field("Beacons Detected",
                with_thousands(count_at(json, current ? "analyzer.beacons_detected"
                                                      : "analyzer.total_beacons_detected")));
  text +=
      field("Alerts Generated", with_thousands(count_at(json, "analyzer.total_alerts_generated")));
  return text + leak_fields(json);
}

// What was lost on the way: only shown when there is something.
std::string drop_fields(const Json& json) {
  struct Drop {
    const char *name, *path;
  };
  std::string text;
  for (const Drop& drop :
       {Drop{"Kernel Drops", "ebpf_drops_total"}, Drop{"Buffer Overflows", "buffer_overflow_total"},
        Drop{"Alert Queue Drops", "alert_queue_drops"}}) {
    if (const std::uint64_t count = count_at(json, drop.path); count > 0) {
      text += field(drop.name, with_thousands(count));
    }
  }
  return text;
}

}  // namespace

std::string banner_text() {
  return R"(    ____                               ____       __            __ 
   / __ )___  ____ __________  ____   / __ \___  / /____  _____/ /_
  / __  / _ \/ __ `/ ___/ __ \/ __ \ / / / / _ \/ __/ _ \/ ___/ __/
 / /_/ /  __/ /_/ / /__/ /_/ / / / // /_/ /  __/ /_/  __/ /__/ /_  
/_____/\___/\__,_/\___/\____/_/ /_//_____/\___/\__/\___/\___/\__/  
)";
}

std::string heading_text(std::string_view title) {
  std::string bar;
  for (std::size_t i = 0; i < kHeadingWidth; ++i)
    bar += "═";
  return bar + "\n  " + std::string(title) + '\n' + bar + '\n';
}

Result<std::string> status_text(std::string_view text, const std::string& host, bool colour) {
  return from(text, [&](const Json& json) {
    const std::string live = colour ? "\x1b[32m✓ LIVE\x1b[0m" : "✓ LIVE";
    return banner_text() + "\n\n" + heading_text("SYSTEM STATUS") + "\n\n  " + live + "\n\n\n" +
           status_fields(json, host) + drop_fields(json);
  });
}

Result<std::string> beacons_text(std::string_view text, bool colour) {
  return from(text, [&](const Json& json) {
    const Json& rows = list_at(json, "beacons");
    return listing("DETECTED BEACONS",
                   table_of(rows, with_ours(with_names(beacon_columns(), rows), rows),
                            colour ? paint_severity : nullptr),
                   rows.size(), "No beacons.") +
           more_line(json, rows.size());
  });
}

Result<std::string> long_connections_text(std::string_view text) {
  return from(text, [&](const Json& json) {
    const std::vector<Column> columns = {
        {"DURATION", 11,
         [](const Json& r) { return length_text(number_at(r, "duration_seconds")); }},
        {"SOURCE IP", 20, [](const Json& r) { return pair_cell(r, "src_ip"); }},
        {"DEST IP", 20, destination},
        {"PORT", 7, [](const Json& r) { return pair_cell(r, "dst_port"); }},
        {"PROTO", 7, [](const Json& r) { return pair_cell(r, "protocol"); }},
        {"BYTES OUT", 12, [](const Json& r) { return pair_cell(r, "bytes_out"); }},
        {"BYTES IN", 12, [](const Json& r) { return pair_cell(r, "bytes_in"); }},
        {"SINCE", 25, [](const Json& r) { return pair_cell(r, "first_seen"); }},
    };
    const Json& rows = list_at(json, "connections");
    return listing("LONG CONNECTIONS", table_of(rows, with_names(columns, rows)), rows.size(),
                   "No connection is open that long.") +
           more_line(json, rows.size());
  });
}

Result<std::string> connections_text(std::string_view text) {
  return from(text, [&](const Json& json) {
    const std::vector<Column> columns = {
        {"SOURCE IP", 20, [](const Json& r) { return pair_cell(r, "src_ip"); }},
        {"DEST IP", 20, destination},
        {"PORT", 7, [](const Json& r) { return pair_cell(r, "dst_port"); }},
        {"PROTO", 7, [](const Json& r) { return pair_cell(r, "protocol"); }},
        {"CONNS", 10, [](const Json& r) { return pair_cell(r, "connection_count"); }},
        {"DURATION", 11,
         [](const Json& r) { return length_text(number_at(r, "duration_seconds")); }},
        {"LAST SEEN", 25, [](const Json& r) { return pair_cell(r, "last_seen"); }},
    };
    const Json& rows = list_at(json, "pairs");
    return listing("CONNECTION PAIRS", table_of(rows, with_names(columns, rows)), rows.size(),
                   "No connections have been seen.") +
           more_line(json, rows.size());
  });
}

Result<std::string> alerts_text(std::string_view text, bool colour) {
  return from(text, [&](const Json& json) {
    const std::vector<Column> columns = {
        {"TIME", 26, [](const Json& r) { return pair_cell(r, "timestamp"); }},
        {"SEVERITY", 12, [](const Json& r) { return upper(text_at(r, "severity")); }},
        {"ALERT", 40, [](const Json& r) { return pair_cell(r, "title"); }},
    };
    const Json& rows = list_at(json, "alerts");
    return listing("ALERTS", table_of(rows, columns, colour ? paint_severity : nullptr),
                   rows.size(), "No alerts.") +
           more_line(json, rows.size());
  });
}

Result<std::string> instrument_events_text(std::string_view text) {
  return from(text, [](const Json& json) {
    std::string table;
    const Json& rows = list_at(json, "events");
    for (const Json& row : rows) {
      table += "  " + text_at(row, "time").substr(0, 19) + "  " +
               pad_right(text_at(row, "source"), 22) + ' ' + text_at(row, "type") +
               (text_at(row, "alert").empty() ? "" : " !") + '\n';
      const std::string words = text_at(row, "message");
      if (!words.empty()) table += std::string(23, ' ') + wrap(words, 78, 23) + '\n';
    }
    if (!text_at(json, "next_cursor").empty()) table += "\n  There are more; --limit shows them\n";
    return listing("EVENTS", table, rows.size(), "No events of sensors.");
  });
}

Result<std::string> edges_text(std::string_view text) {
  return from(text, [&](const Json& json) {
    const std::vector<Column> columns = {
        {"NAME", 18, [](const Json& r) { return pair_cell(r, "name"); }},
        {"KIND", 11, [](const Json& r) { return pair_cell(r, "kind"); }},
        {"ID", 14, [](const Json& r) { return pair_cell(r, "id").substr(0, 12); }},
        {"STATE", 15, edge_state},
        {"LAST SEEN", 26, [](const Json& r) { return pair_cell(r, "last_seen"); }},
        {"CLOCK", 10, clock_skew},
        {"BATCHES", 10, [](const Json& r) { return pair_cell(r, "batches"); }},
        {"MISSING", 9, [](const Json& r) { return pair_cell(r, "batches_missing"); }},
        {"DROPPED", 9, [](const Json& r) { return pair_cell(r, "batches_dropped"); }},
        {"COMPLETE UP TO", 26, [](const Json& r) { return pair_cell(r, "complete_up_to"); }},
    };
    const Json& rows = list_at(json, "edges");
    return listing("EDGES", table_of(rows, columns), rows.size(),
                   "No edge has joined; `beaconry enroll collector NAME` prints how.");
  });
}

Result<std::string> edge_text(std::string_view text) {
  return from(text, [&](const Json& json) {
    const auto or_dash = [](const std::string& words) { return words.empty() ? "-" : words; };
    const std::string complete = text_at(json, "complete_up_to");
    std::string lines =
        field("Id", text_at(json, "id")) + field("Kind", or_dash(text_at(json, "kind"))) +
        field("State", edge_state(json)) + field("Last seen", or_dash(text_at(json, "last_seen"))) +
        field("Its clock less the server's", or_dash(clock_skew(json))) + '\n';
    const std::vector<Column> columns = {
        {"HOP", 13, [](const Json& r) { return pair_cell(r, "hop"); }},
        {"WHAT", 22, [](const Json& r) { return pair_cell(r, "what"); }},
        {"COUNT", 14, [](const Json& r) { return pair_cell(r, "count"); }},
        {"LOST", 12, [](const Json& r) { return pair_cell(r, "lost"); }},
        {"HOW", 36, [](const Json& r) { return pair_cell(r, "how"); }},
    };
    lines += table_of(list_at(json, "ledger"), columns) + '\n';
    lines += complete.empty()
                 ? "  It does not tell times, so up to when all has come cannot be said.\n"
                 : "  Complete up to " + complete +
                       " of its clock: what it had taken by then is\n  at the server or counted "
                       "as lost above.\n";
    const std::uint64_t open = count_at(json, "batches_unexplained");
    if (open > 0) {
      lines += "  " + with_thousands(open) + (open == 1 ? " batch" : " batches") +
               " neither came nor are said to be lost.\n";
    }
    return heading_text(text_at(json, "name")) + lines;
  });
}

Result<std::string> tokens_text(std::string_view text) {
  return from(text, [&](const Json& json) {
    const std::vector<Column> columns = {
        {"NAME", 24, [](const Json& r) { return pair_cell(r, "name"); }},
        {"ROLE", 9, [](const Json& r) { return pair_cell(r, "role"); }},
        {"CREATED", 26, [](const Json& r) { return pair_cell(r, "created"); }},
        {"EXPIRES", 26, [](const Json& r) { return pair_cell(r, "expires"); }},
        {"BY", 20, [](const Json& r) { return pair_cell(r, "created_by"); }},
    };
    const Json& rows = list_at(json, "tokens");
    return listing("TOKENS", table_of(rows, columns), rows.size(),
                   "No tokens: whoever is on this machine may ask and change.");
  });
}

Result<std::string> analysis_text(std::string_view text) {
  return from(text, [&](const Json& json) {
    const std::uint64_t found = count_at(json, "beacons_found");
    std::string line = with_thousands(count_at(json, "run.pairs_analyzed")) +
                       " pairs analysed in " + fixed(number_at(json, "run.duration_seconds"), 2) +
                       " s: " + with_thousands(found) + (found == 1 ? " beacon" : " beacons") +
                       ", " + with_thousands(count_at(json, "run.alerts_generated")) +
                       " new alerts\n";
    if (const std::uint64_t hidden = count_at(json, "run.pairs_suppressed"); hidden > 0) {
      line += with_thousands(hidden) + " pairs are trusted by configuration or triage\n";
    }
    return line;
  });
}

Result<std::string> config_history_text(std::string_view text) {
  return from(text, [&](const Json& json) {
    const std::vector<Column> columns = {
        {"VERSION", 9, [](const Json& r) { return pair_cell(r, "version"); }},
        {"TIME", 26, [](const Json& r) { return pair_cell(r, "time"); }},
        {"WHO", 24, [](const Json& r) { return pair_cell(r, "who"); }},
        {"HOW", 10, [](const Json& r) { return pair_cell(r, "how"); }},
        {"CHANGE", 40, [](const Json& r) { return pair_cell(r, "change"); }},
    };
    const Json& rows = list_at(json, "versions");
    return listing("CONFIGURATION", table_of(rows, columns), rows.size(), "No version is kept.");
  });
}

std::string watch_text(const WatchState& state, const Terminal& terminal, std::size_t rows) {
  std::string text = "  BEACONRY  " + terminal_safe(state.host) + "  ";
  text += state.problem.empty() ? (terminal.colour ? "\x1b[32m✓ LIVE\x1b[0m" : "✓ LIVE")
                                : "✗ " + terminal_safe(state.problem);
  text += "  " + state.updated + "\n\n";
  if (const auto status = parse_answer(state.status)) text += status_fields(*status, state.host);
  // What is left of the screen is shared: two thirds for beacons.
  constexpr std::size_t kFixedRows = 17, kLeastRows = 3;
  const std::size_t left = rows > kFixedRows + 2 * kLeastRows ? rows - kFixedRows : 2 * kLeastRows;
  const auto first = [](const Json& list, std::size_t most) {
    Json some = Json::array();
    for (const Json& row : list) {
      if (some.size() == most) break;
      some.push_back(row);
    }
    return some;
  };
  if (const auto beacons = parse_answer(state.beacons)) {
    const Json& all = list_at(*beacons, "beacons");
    const Json some = first(all, left * 2 / 3);
    text += "\n  BEACONS\n";
    text += all.empty() ? std::string("  No beacons.\n")
                        : table_of(some, with_names(beacon_columns(), some),
                                   terminal.colour ? paint_severity : nullptr);
    if (some.size() < all.size()) {
      text += "  and " + std::to_string(all.size() - some.size()) + " more\n";
    }
  }
  if (const auto alerts = parse_answer(state.alerts)) {
    const Json some = first(list_at(*alerts, "alerts"), left / 3);
    text += "\n  ALERTS\n";
    if (some.empty()) text += "  No alerts.\n";
    for (const Json& alert : some) {
      std::string line = "  " + pair_cell(alert, "timestamp") + "  " +
                         pad_right(upper(text_at(alert, "severity")), 10) +
                         pair_cell(alert, "title");
      if (terminal.width > 0) line = cut_end(line, terminal.width, terminal.utf8);
      text += (terminal.colour ? in_colour(line, severity_of(alert), true) : line) + '\n';
    }
  }
  return text + "\n  q or Ctrl+C ends\n";
}

}  // namespace beaconry
