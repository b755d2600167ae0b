#include "hunt/output/html_beacon.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/pictures.h"
#include "hunt/output/svg.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostAddresses = 40;
constexpr std::size_t kTimelineColumns = 240;
constexpr std::size_t kHistogramBars = 32;

std::string short_number(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3g", std::isfinite(value) ? value : 0);
  return text;
}

std::string end_html(const EndWords& words) {
  std::string html = html_safe(words.main);
  if (!words.aside.empty())
    html += " <span class=\"aside\">(" + html_safe(words.aside) + ")</span>";
  return html;
}

std::string tag(const std::string& name, const std::string& html) {
  return '<' + name + '>' + html + "</" + name + '>';
}

std::string fact(const std::string& name, const std::string& html) {
  return "<div>" + tag("dt", name) + tag("dd", html) + "</div>";
}

std::string short_time(Timestamp time) {
  std::string text = to_rfc3339(time).substr(0, 19);
  text[10] = ' ';
  return text;
}

std::string bytes_html(const std::optional<std::uint64_t>& bytes) {
  return bytes ? bytes_in_words(static_cast<double>(*bytes)) : "unknown";
}

std::string axis(const std::string& left, const std::string& middle, const std::string& right) {
  return "<div class=\"axis\" aria-hidden=\"true\">" + tag("span", left) + tag("span", middle) +
         tag("span", right) + "</div>";
}

std::string timeline_html(const CheckIns& check_ins) {
  const Timeline line = timeline_of(check_ins, kTimelineColumns);
  const Timestamp middle = line.first + (line.last - line.first) / 2;
  return "<figure><figcaption>Check-ins over time, in steps of " + to_words(line.step) +
         " (UTC)</figcaption>" + timeline_svg(line) +
         axis(short_time(line.first), short_time(middle), short_time(line.last)) + "</figure>";
}

std::string intervals_html(const CheckIns& check_ins, const Verdict& verdict) {
  const Histogram histogram = interval_histogram(check_ins, kHistogramBars);
  double least = 0, most = 0;
  std::uint64_t below = 0, above = 0;
  bool first = true;
  for (const Bar& bar : histogram.bars) {
    if (bar.side == Bar::Side::below) below = bar.count;
    if (bar.side == Bar::Side::above) above = bar.count;
    if (bar.side != Bar::Side::inside) continue;
    if (first) least = bar.from;
    first = false;
    most = bar.to;
  }
  std::string outside;
  if (below + above > 0) {
    outside = ", " + with_thousands(below) + " below and " + with_thousands(above) + " above";
  }
  const std::string from = least > 0 ? interval_words(least) : "0";
  std::string html = "<div class=\"two\">";
  html += "<figure><figcaption>Each interval at its time" +
          std::string(outside.empty() ? "" : "; outliers at the edge") + "</figcaption>" +
          interval_dots_svg(check_ins, least, most, verdict.interval_median) +
          axis("from " + from, "", "to " + interval_words(most)) + "</figure>";
  html += "<figure><figcaption>How often each interval occurs" + outside + "</figcaption>" +
          histogram_svg(histogram, "Histogram of " + with_thousands(histogram.total) +
                                       " intervals from " + from + " to " + interval_words(most)) +
          axis(from, interval_words((least + most) / 2), interval_words(most)) + "</figure>";
  return html + "</div>";
}

std::string signals_html(const Verdict& v) {
  const std::vector<long> tenths = shown_tenths(v);
  std::string html =
      "<h4>Where the score comes from</h4><div class=\"scroll\"><table class=\"signals\"><thead>"
      "<tr><th scope=\"col\">Signal</th><th scope=\"col\">Value, 0 to 1</th>"
      "<th scope=\"col\" class=\"number\"></th><th scope=\"col\" class=\"number\">Weight</th>"
      "<th scope=\"col\" class=\"number\">Measured</th><th scope=\"col\" class=\"number\">Against"
      "</th><th scope=\"col\" class=\"number\">Points</th></tr></thead><tbody>";
  const auto number = [](const std::string& text) {
    return "<td class=\"number\">" + text + "</td>";
  };
  for (std::size_t i = 0; i < v.signals.size(); ++i) {
    const SignalValue& signal = v.signals[i];
    html += "<tr>" + tag("td", html_safe(signal_title(signal.name))) + "<td class=\"meter\">" +
            meter_svg(signal.score) + "</td>" + number(short_number(signal.score)) +
            number(short_number(signal.weight)) + number(short_number(signal.raw_value)) +
            number(short_number(signal.threshold)) + number(tenths_words(tenths[i], false)) +
            "</tr>";
  }
  for (std::size_t i = 0; i < v.adjustments.size(); ++i) {
    html += "<tr>" + tag("td", html_safe(adjustment_title(v.adjustments[i].name))) +
            "<td colspan=\"5\" class=\"aside\">" + html_safe(v.adjustments[i].reason) + "</td>" +
            number(tenths_words(tenths[v.signals.size() + i], true)) + "</tr>";
  }
  return html + "</tbody><tfoot><tr><td colspan=\"6\">Score</td>" +
         number(score_words(v.combined_score)) + "</tr></tfoot></table></div>";
}

std::string sentences_html(const ScoredPair& pair) {
  std::string items;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) items += tag("li", html_safe(text));
  };
  add(sleep_model_words(pair.verdict.rhythm));
  for (const std::string& sentence : rhythm_facts(pair.verdict.rhythm))
    add(sentence);
  const auto size = [&](const SizeMode& mode, const char* verb) {
    if (mode.known > 0) {
      add(jitter_words(mode.share * 100) + " of the check-ins " + verb + " " +
          with_thousands(mode.bytes) + " bytes.");
    }
  };
  size(pair.verdict.size_out, "send");
  size(pair.verdict.size_in, "receive");
  if (pair.burst_check_ins > 0) {
    add(with_thousands(pair.burst_check_ins) + " check-ins happen inside running connections.");
  }
  if (pair.inbound) add("Inbound: the outside opens these connections to the inside.");
  add(pair.change_reason.empty() ? "" : "Since the earlier report: " + pair.change_reason + ".");
  add(pair.note.empty() ? "" : "Note: " + pair.note);
  return items.empty() ? "" : "<h4>What it does</h4><ul class=\"plain\">" + items + "</ul>";
}

std::string list_html(const std::string& title, const std::vector<std::string>& texts) {
  if (texts.empty()) return {};
  std::string html = "<h4>" + title + "</h4><ul class=\"ids\">";
  for (const std::string& text : texts)
    html += "<li><code>" + html_safe(text) + "</code></li>";
  return html + "</ul>";
}

}  // namespace

std::string source_html(const ScoredPair& pair) {
  return end_html(source_words(pair));
}

std::string destination_html(const ScoredPair& pair) {
  return end_html(destination_words(pair));
}

std::string severity_class(const ScoredPair& pair) {
  return std::string(to_string(pair.verdict.confidence));
}

std::string beacon_html(const ScoredPair& pair, std::size_t rank, const CheckIns& check_ins) {
  const Verdict& v = pair.verdict;
  const std::string id = std::to_string(rank);
  std::string html = "<article class=\"card beacon " + severity_class(pair) + "\" id=\"beacon-" +
                     id + "\" aria-labelledby=\"name-" + id +
                     "\"><div class=\"title\"><div><h3 id=\"name-" + id + "\">" +
                     source_html(pair) + " &rarr; " + destination_html(pair) +
                     "</h3><p><span class=\"badge\">" + severity_words(v.confidence) + "</span> ";
  if (pair.change != Change::none) {
    html += "<span class=\"mark\">" + std::string(change_word(pair.change)) + "</span> ";
  }
  html += "<code>" + html_safe(pair.identity()) + "</code></p></div><div class=\"big\"><strong>" +
          score_words(v.combined_score) + "</strong><span>of 100, rank " + id +
          "</span></div></div>";
  if (!v.summary.empty()) html += "<p class=\"why\">" + html_safe(v.summary) + "</p>";
  html +=
      "<dl class=\"facts\">" + fact("Interval", rhythm_interval_words(v)) +
      fact("Jitter", rhythm_jitter_words(v)) + fact("Check-ins", with_thousands(pair.check_ins)) +
      fact("Active for", to_words(std::max(Duration{0}, pair.last_seen - pair.first_seen))) +
      fact("Bytes out", bytes_html(pair.bytes_out)) + fact("Bytes in", bytes_html(pair.bytes_in)) +
      fact("First seen (UTC)", short_time(pair.first_seen)) +
      fact("Last seen (UTC)", short_time(pair.last_seen)) + "</dl>";
  if (!check_ins.empty()) html += timeline_html(check_ins);
  if (check_ins.size() > 1) html += intervals_html(check_ins, v);
  html += sentences_html(pair) + signals_html(v);
  std::vector<std::string> addresses;
  if (pair.kind == PairKind::named && pair.destinations.size() > 1) {
    for (const IpAddress& address : pair.destinations) {
      if (addresses.size() == kMostAddresses) break;
      addresses.push_back(address.to_string());
    }
  }
  const std::string of = addresses.size() < pair.destinations.size() && !addresses.empty()
                             ? " (the first " + std::to_string(addresses.size()) + " of " +
                                   with_thousands(pair.destinations.size()) + ")"
                             : "";
  return html + list_html("Pivot on these ids", pair.uids) +
         list_html("Addresses, most used first" + of, addresses) + "</article>\n";
}

}  // namespace beaconry
