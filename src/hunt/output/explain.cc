#include "hunt/output/explain.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/pictures.h"
#include "hunt/output/table.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

constexpr std::size_t kLabel = 14;  // columns of the left labels, their gap included
constexpr std::size_t kMostAddresses = 20;

class Page {
 public:
  explicit Page(const Terminal& terminal) : terminal_(terminal) {
    width_ = terminal.width == 0 ? 100 : std::clamp<std::size_t>(terminal.width, 80, 120);
  }

  std::size_t width() const { return width_; }
  const Terminal& terminal() const { return terminal_; }
  void line(const std::string& text) {
    out_ += text;
    out_.erase(out_.find_last_not_of(' ') + 1);
    out_ += '\n';
  }
  void blank() { out_ += '\n'; }
  void heading(const std::string& text) {
    blank();
    line(terminal_.colour ? "\x1b[1m" + text + "\x1b[0m" : text);
  }
  // "  Label       text that is wrapped beside it"
  void entry(const std::string& label, const std::string& text) {
    if (text.empty()) return;
    line(pad_right("  " + label, kLabel) + wrap(text, width_, kLabel));
  }
  std::string take() { return std::move(out_); }

 private:
  Terminal terminal_;
  std::size_t width_;
  std::string out_;
};

std::string short_number(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3g", std::isfinite(value) ? value : 0);
  return text;
}

void draw_head(Page& page, const ScoredPair& pair) {
  const Verdict& v = pair.verdict;
  page.line(terminal_safe(source_words(pair).to_string()) + " -> " +
            terminal_safe(destination_words(pair).to_string()) + ", port " + port_words(pair.key) +
            '/' + to_string(pair.key.protocol) +
            (pair.inbound ? ", inbound: outside opens to inside" : ""));
  page.blank();
  page.entry("Key", terminal_safe(pair.identity()));
  page.entry("Score",
             score_words(v.combined_score) + " of 100, " +
                 in_colour(severity_words(v.confidence), v.confidence, page.terminal().colour) +
                 (v.is_beacon ? ", a beacon" : ", not called a beacon") +
                 ". The score is a rank among pairs, not a probability.");
  page.entry("Why", terminal_safe(v.summary));
  page.entry("Change", std::string(change_word(pair.change)) +
                           (pair.change_reason.empty() ? "" : ": ") +
                           terminal_safe(pair.change_reason));
  page.entry("Note", terminal_safe(pair.note));
  page.entry("Hidden", terminal_safe(hidden_words(pair)));
}

void draw_points(Page& page, const ScoredPair& pair) {
  const Verdict& v = pair.verdict;
  const std::vector<long> tenths = shown_tenths(v);
  page.heading("Where the score comes from");
  const auto row = [&](const std::array<std::string, 6>& cells) {
    page.line("  " + pad_right(cells[0], 20) + pad_left(cells[1], 7) + pad_left(cells[2], 8) +
              pad_left(cells[3], 9) + pad_left(cells[4], 11) + pad_left(cells[5], 11));
  };
  row({"SIGNAL", "VALUE", "WEIGHT", "POINTS", "MEASURED", "SCALE"});
  for (std::size_t i = 0; i < v.signals.size(); ++i) {
    const SignalValue& signal = v.signals[i];
    row({std::string(signal_title(signal.name)), short_number(signal.score),
         short_number(signal.weight), tenths_words(tenths[i], false),
         short_number(signal.raw_value), short_number(signal.threshold)});
  }
  for (std::size_t i = 0; i < v.adjustments.size(); ++i) {
    const std::string reason = terminal_safe(v.adjustments[i].reason);
    page.line("  " + pad_right(adjustment_title(v.adjustments[i].name), 35) +
              pad_left(tenths_words(tenths[v.signals.size() + i], true), 9) + "  " +
              wrap(reason, page.width(), 48));
  }
  row({"Score", "", "", score_words(v.combined_score), "", ""});
}

void draw_facts(Page& page, const ScoredPair& pair) {
  const Verdict& v = pair.verdict;
  page.heading("Rhythm");
  const std::string model = sleep_model_words(v.rhythm);
  page.entry("Model", model.empty() ? "No sleep loop or schedule fits." : terminal_safe(model));
  for (const std::string& fact : rhythm_facts(v.rhythm))
    page.entry("", terminal_safe(fact));
  page.entry("Interval",
             interval_words(v.interval_seconds) + ", spread " + jitter_words(v.jitter_percent) +
                 "; mean " + interval_words(v.interval_mean) + ", deviation " +
                 interval_words(v.interval_deviation) + ", median " +
                 interval_words(v.interval_median) + ", " + interval_words(v.interval_least) +
                 " to " + interval_words(v.interval_most));
  page.entry("Check-ins",
             with_thousands(pair.check_ins) + " in " + with_thousands(pair.connection_count) +
                 " connections" +
                 (pair.burst_check_ins == 0 ? ""
                                            : ", " + with_thousands(pair.burst_check_ins) +
                                                  " of them inside running connections"));
  page.entry("Seen", to_rfc3339(pair.first_seen) + " to " + to_rfc3339(pair.last_seen) + " (" +
                         to_words(std::max(Duration{0}, pair.last_seen - pair.first_seen)) + ")");
  const auto bytes = [](const std::optional<std::uint64_t>& total, const SizeMode& mode) {
    if (!total) return std::string("unknown");
    std::string text = bytes_in_words(static_cast<double>(*total));
    if (mode.known > 0) {
      text += " (" + with_thousands(mode.bytes) + " B in " + jitter_words(mode.share * 100) +
              " of check-ins)";
    }
    return text;
  };
  page.entry("Bytes", "out " + bytes(pair.bytes_out, v.size_out) + ", in " +
                          bytes(pair.bytes_in, v.size_in));
  std::string addresses;
  for (std::size_t i = 0; pair.kind == PairKind::named && i < pair.destinations.size(); ++i) {
    if (i == kMostAddresses) {
      addresses += ", and " + with_thousands(pair.destinations.size() - i) + " more";
      break;
    }
    addresses += (i == 0 ? "" : ", ") + pair.destinations[i].to_string();
  }
  page.entry("Addresses", addresses);
  std::string uids;
  for (const std::string& uid : pair.uids)
    uids += (uids.empty() ? "" : ", ") + terminal_safe(uid);
  page.entry("Pivot on", uids);
}

// A count as a block an eighth to eight eighths high; a dot for none.
std::string block(std::uint32_t count, std::uint32_t most, bool utf8) {
  static constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr const char* kAscii[] = {".", ":", "-", "=", "+", "*", "#", "@"};
  if (count == 0) return utf8 ? "·" : " ";
  const auto level = static_cast<std::size_t>((std::uint64_t{count} * 8 - 1) / most);
  return utf8 ? kBlocks[std::min<std::size_t>(level, 7)] : kAscii[std::min<std::size_t>(level, 7)];
}

std::string horizontal_bar(std::uint64_t count, std::uint64_t most, std::size_t width, bool utf8) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  if (count == 0 || most == 0) return {};
  const double share = static_cast<double>(count) / static_cast<double>(most);
  const auto eighths =
      std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(width) * 8));
  std::string bar;
  if (!utf8) return std::string(std::max<std::size_t>(1, eighths / 8), '#');
  for (std::size_t i = 0; i < eighths / 8; ++i)
    bar += "█";
  return bar + kEighths[eighths % 8];
}

void draw_timeline(Page& page, const CheckIns& check_ins) {
  const bool utf8 = page.terminal().utf8;
  const std::size_t columns = page.width() - 4;
  const Timeline line = timeline_of(check_ins, columns);
  page.heading("Timeline: check-ins in each " + to_words(line.step) + ", " +
               with_thousands(line.most) + " at most");
  std::string row = "  ";
  for (const std::uint32_t count : line.counts)
    row += block(count, line.most, utf8);
  page.line(row);
  const std::string first = to_rfc3339(line.first), last = to_rfc3339(line.last);
  page.line("  " + first + pad_left(last, columns - first.size()));
}

template <class Label>
void draw_bars(Page& page, const std::string& title, const Histogram& histogram, Label label) {
  page.heading(title);
  if (histogram.unknown > 0) {
    page.line("  unknown for " + with_thousands(histogram.unknown) + " check-ins");
  }
  std::size_t labels = 0;
  for (const Bar& bar : histogram.bars)
    labels = std::max(labels, display_width(label(bar)));
  const std::size_t counts = with_thousands(histogram.most).size();
  const std::size_t room = page.width() - labels - counts - 6;
  for (const Bar& bar : histogram.bars) {
    page.line("  " + pad_left(label(bar), labels) + "  " +
              pad_left(with_thousands(bar.count), counts) + "  " +
              horizontal_bar(bar.count, histogram.most, room, page.terminal().utf8));
  }
}

}  // namespace

std::string explain_text(const ScoredPair& pair, const HuntReport& report,
                         const Terminal& terminal) {
  Page page(terminal);
  draw_head(page, pair);
  draw_points(page, pair);
  draw_facts(page, pair);
  const CheckIns check_ins = report.check_ins ? report.check_ins(pair) : CheckIns{};
  if (check_ins.empty()) return page.take();
  draw_timeline(page, check_ins);
  if (check_ins.size() > 1) {
    draw_bars(page, "Intervals between check-ins", interval_histogram(check_ins, 16),
              interval_label);
  }
  for (const bool out : {true, false}) {
    const Histogram sizes = size_histogram(check_ins, out, 10);
    if (sizes.bars.empty()) continue;
    draw_bars(page, out ? "Bytes sent in a check-in" : "Bytes received in a check-in", sizes,
              [&](const Bar& bar) { return size_label(bar, sizes.single_values); });
  }
  return page.take();
}

}  // namespace beaconry
