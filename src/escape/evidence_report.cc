#include "escape/evidence_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "ping/keys.h"

namespace beaconry {
namespace {

std::string time_text(Timestamp time) {
  return time == Timestamp{} ? "-" : to_rfc3339(time);
}

std::string cycle_text(const char* kind, const EvidenceReport::Cycle& cycle) {
  if (cycle.number == 0) return std::string("no ") + kind + " cycle is complete";
  return std::string("last complete ") + kind + " cycle: " + std::to_string(cycle.number) +
         ", from " + time_text(cycle.begun) + " to " + time_text(cycle.completed);
}

// The reason counts for the present where nothing was tried since.
bool is_left_out(const EvidenceReport::Row& row) {
  return !row.why_not.empty() && row.last_skipped >= row.last_tried;
}

nlohmann::ordered_json cycle_json(const EvidenceReport::Cycle& cycle) {
  if (cycle.number == 0) return nullptr;
  return {{"number", cycle.number},
          {"begun", to_rfc3339(cycle.begun)},
          {"completed", to_rfc3339(cycle.completed)}};
}

std::string name_of(const EvidenceReport& report) {
  return report.probe_name.empty() ? report.probe_id : report.probe_name;
}

// What the record cannot speak for.
std::string shortfalls(const EvidenceReport& report) {
  std::string text;
  if (report.unvouched_lines > 0) {
    text += "  " + with_thousands(report.unvouched_lines) +
            " entries that nobody had signed when the probe began again are left out\n";
  }
  if (report.lost_tries > 0) {
    text += "  " + with_thousands(report.lost_tries) + " tries were made but could not be kept\n";
  }
  return text;
}

}  // namespace

bool is_unfinished(const EvidenceReport& report) {
  return !report.clean_end;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - row[i].size() + 2, ' ');
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

std::string verified_text(const std::string& file, const EvidenceReport& report) {
  std::string text = terminal_safe(file) + ": " +
                     (is_unfinished(report) ? "true as far as it is signed\n" : "true and whole\n");
  text += "  probe " + terminal_safe(report.probe_name) + ", id " + report.probe_id + ", key " +
          to_hex(report.sign_public) + '\n';
  text += "  " + with_thousands(report.lines) + " entries from " + time_text(report.first) +
          " to " + time_text(report.last) + ", " + with_thousands(report.signatures) +
          " signatures, the last of " + time_text(report.last_signed) + '\n';
  if (report.summarised_lines > 0) {
    text += "  the first " + with_thousands(report.summarised_lines) + " are a summary\n";
  }
  text += shortfalls(report);
  text += "  last sequence tried: " + std::to_string(report.last_sequence) + '\n';
  if (is_unfinished(report)) {
    text +=
        "  its end is not the one of a probe that was stopped: it is running, was killed, or "
        "lines were cut off;\n  " +
        with_thousands(report.unsigned_lines) + " entries and " +
        with_thousands(report.torn_bytes) + " bytes after the last signature are not signed\n";
  }
  return text;
}

std::string coverage_text(const EvidenceReport& report) {
  std::string text = "Probe " + terminal_safe(report.probe_name) + " (" + report.probe_id +
                     "), record from " + time_text(report.first) + " to " + time_text(report.last) +
                     '\n';
  text +=
      cycle_text("short", report.last_short) + '\n' + cycle_text("long", report.last_long) + '\n';
  text += shortfalls(report);
  std::vector<std::vector<std::string>> rows{
      {"METHOD", "TRIED", "ANSWERED", "LAST TRIED", "NOT TRIED BECAUSE"}};
  for (const auto& row : report.rows) {
    rows.push_back({terminal_safe(row.method), with_thousands(row.tried),
                    with_thousands(row.answered), time_text(row.last_tried),
                    is_left_out(row) ? terminal_safe(row.why_not) : ""});
  }
  return text + aligned(rows);
}

std::string coverage_json(const std::vector<EvidenceReport>& reports) {
  using Json = nlohmann::ordered_json;
  Json all = Json::array();
  for (const EvidenceReport& report : reports) {
    Json methods = Json::array(), heard = Json::array();
    for (const auto& row : report.rows) {
      Json one{{"method", row.method}, {"tried", row.tried}, {"answered", row.answered}};
      one["last_tried"] = row.last_tried == Timestamp{} ? Json() : Json(to_rfc3339(row.last_tried));
      one["not_tried_because"] = is_left_out(row) ? Json(utf8_valid(row.why_not)) : Json();
      methods.push_back(std::move(one));
    }
    for (const auto& from : report.heard) {
      heard.push_back({{"from", utf8_valid(from.from)},
                       {"pings", from.pings},
                       {"first", to_rfc3339(from.first)},
                       {"last", to_rfc3339(from.last)}});
    }
    all.push_back({{"probe", utf8_valid(report.probe_name)},
                   {"id", report.probe_id},
                   {"key", to_hex(report.sign_public)},
                   {"first", to_rfc3339(report.first)},
                   {"last", to_rfc3339(report.last)},
                   {"last_signed", to_rfc3339(report.last_signed)},
                   {"entries", report.lines},
                   {"summarised_entries", report.summarised_lines},
                   {"unsigned_entries", report.unsigned_lines},
                   {"unvouched_entries", report.unvouched_lines},
                   {"lost_tries", report.lost_tries},
                   {"finished", !is_unfinished(report)},
                   {"last_sequence", report.last_sequence},
                   {"last_short_cycle", cycle_json(report.last_short)},
                   {"last_long_cycle", cycle_json(report.last_long)},
                   {"methods", std::move(methods)},
                   {"heard", std::move(heard)}});
  }
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string matrix_text(const std::vector<EvidenceReport>& reports) {
  std::set<std::string> senders;
  for (const EvidenceReport& report : reports) {
    senders.insert(name_of(report));
    for (const auto& from : report.heard)
      senders.insert(from.from);
  }
  std::vector<std::vector<std::string>> rows{{"HEARD BY \\ FROM"}};
  for (const std::string& sender : senders)
    rows[0].push_back(terminal_safe(sender));
  for (const EvidenceReport& report : reports) {
    std::vector<std::string> row{terminal_safe(name_of(report))};
    for (const std::string& sender : senders) {
      const auto from = std::find_if(report.heard.begin(), report.heard.end(),
                                     [&](const auto& one) { return one.from == sender; });
      row.push_back(from != report.heard.end()  ? with_thousands(from->pings)
                    : sender == name_of(report) ? "."
                                                : "-");
    }
    rows.push_back(std::move(row));
  }
  return aligned(rows);
}

}  // namespace beaconry
