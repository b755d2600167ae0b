#include "hunt/output/table.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "hunt/output/summary.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

enum Column {
  change,
  score,
  severity,
  source,
  destination,
  port,
  protocol,
  check_ins,
  interval,
  jitter,
  hidden,
  why,
  columns
};
constexpr std::array<const char*, columns> kTitles = {
    "CHANGE", "SCORE",     "SEVERITY", "SOURCE", "DESTINATION", "PORT",
    "PROTO",  "CHECK-INS", "INTERVAL", "JITTER", "HIDDEN",      "WHY"};
constexpr std::size_t kGap = 2;  // before every column

struct Row {
  std::array<std::string, columns> cells;
  EndWords source, destination;
  bool named = false;  // destination.main is a name, not an address
  Confidence confidence = Confidence::none;
};

EndWords harmless(const EndWords& words) {
  return {terminal_safe(words.main), terminal_safe(words.aside)};
}

Row row_of(const ScoredPair& pair) {
  Row row;
  const Verdict& verdict = pair.verdict;
  row.source = harmless(source_words(pair));
  row.destination = harmless(destination_words(pair));
  row.named = pair.kind == PairKind::named && pair.destinations.size() > 1;
  row.confidence = verdict.confidence;
  row.cells = {std::string(change_word(pair.change)),
               score_words(verdict.combined_score),
               verdict.confidence == Confidence::none ? "-" : severity_words(verdict.confidence),
               row.source.to_string(),
               row.destination.to_string(),
               port_words(pair.key),
               to_string(pair.key.protocol),
               with_thousands(pair.check_ins),
               rhythm_interval_words(verdict),
               rhythm_jitter_words(verdict),
               terminal_safe(hidden_words(pair)),
               terminal_safe(why_words(pair))};
  return row;
}

// An end in `width` columns: the address stays whole as long as it can.
std::string shortened(const EndWords& end, bool main_is_name, std::size_t width, bool utf8) {
  const std::string whole = end.to_string();
  if (display_width(whole) <= width) return whole;
  const std::size_t brackets = end.aside.empty() ? 0 : 3;
  if (main_is_name) {
    const std::size_t aside = display_width(end.aside) + brackets;
    if (width > aside + 8) {
      return EndWords{cut_middle(end.main, width - aside, utf8), end.aside}.to_string();
    }
    return cut_middle(end.main, width, utf8);
  }
  const std::size_t main = display_width(end.main);
  if (width > main + brackets + 3 && brackets > 0) {
    return EndWords{end.main, cut_middle(end.aside, width - main - brackets, utf8)}.to_string();
  }
  return end.main;
}

// Takes columns from `width` down to `least` until `excess` is gone.
void give(std::size_t& width, std::size_t least, std::size_t& excess) {
  const std::size_t given = width > least ? std::min(excess, width - least) : 0;
  width -= given;
  excess -= given;
}

std::size_t least_end(const std::vector<Row>& rows, bool source_end) {
  std::size_t least = 11;
  for (const Row& row : rows) {
    if (!source_end && row.named) continue;
    least = std::max(least, display_width(source_end ? row.source.main : row.destination.main));
  }
  return least;
}

bool right_aligned(std::size_t column) {
  return column == score || column == check_ins;
}

}  // namespace

std::string in_colour(const std::string& text, Confidence severity_of, bool colour) {
  // Bold white on red, red, yellow, cyan; told apart by their words too.
  static constexpr const char* kCodes[] = {"", "36", "33", "31", "1;37;41"};
  const std::string code = kCodes[static_cast<std::size_t>(severity_of)];
  if (!colour || code.empty()) return text;
  return "\x1b[" + code + "m" + text + "\x1b[0m";
}

std::string table_text(const HuntReport& report, const Terminal& terminal) {
  const Listed shown = listed(report);
  std::vector<Row> rows;
  rows.reserve(shown.pairs.size());
  std::array<std::size_t, columns> width{};
  for (const ScoredPair* pair : shown.pairs) {
    rows.push_back(row_of(*pair));
    for (std::size_t c = 0; c < columns; ++c)
      width[c] = std::max(width[c], display_width(rows.back().cells[c]));
  }
  std::array<bool, columns> present{};
  present.fill(true);
  present[change] = report.compared.has_value();
  present[hidden] = report.all;
  std::size_t total = 0;
  for (std::size_t c = 0; c < columns; ++c) {
    width[c] = std::max(width[c], std::string_view(kTitles[c]).size());
    if (present[c]) total += width[c] + kGap;
  }
  if (terminal.width != 0 && total > terminal.width) {
    std::size_t excess = total - terminal.width;
    give(width[why], 16, excess);
    if (present[hidden]) give(width[hidden], 12, excess);
    give(width[destination], std::max(least_end(rows, false), std::size_t{24}), excess);
    give(width[source], least_end(rows, true), excess);
    give(width[destination], least_end(rows, false), excess);
    if (excess > 0) present[why] = false;  // --explain tells it
  }

  std::string out;
  const auto line = [&](const std::array<std::string, columns>& cells, const Row* row) {
    std::string text;
    for (std::size_t c = 0; c < columns; ++c) {
      if (!present[c]) continue;
      std::string cell = cells[c];
      if (row != nullptr && c == source) {
        cell = shortened(row->source, false, width[c], terminal.utf8);
      } else if (row != nullptr && c == destination) {
        cell = shortened(row->destination, row->named, width[c], terminal.utf8);
      } else {
        cell = cut_end(cell, width[c], terminal.utf8);
      }
      cell = right_aligned(c) ? pad_left(std::move(cell), width[c])
                              : pad_right(std::move(cell), width[c]);
      if (row != nullptr && c == severity) {
        cell = in_colour(cell, row->confidence, terminal.colour);
      }
      text += std::string(kGap, ' ') + cell;
    }
    text.erase(text.find_last_not_of(' ') + 1);
    out += text + '\n';
  };
  if (!rows.empty()) {
    std::array<std::string, columns> titles;
    std::copy(kTitles.begin(), kTitles.end(), titles.begin());
    line(titles, nullptr);
    for (const Row& row : rows)
      line(row.cells, &row);
    out += '\n';
  }
  const std::string nothing = nothing_found_words(report);
  if (!nothing.empty()) out += wrap(nothing, terminal.width, 0) + "\n\n";
  for (const std::string& text : summary_lines(report))
    out += wrap(text, terminal.width, 2) + '\n';
  return out;
}

}  // namespace beaconry
