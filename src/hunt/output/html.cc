#include "hunt/output/html.h"

#include <algorithm>
#include <ostream>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/html_beacon.h"
#include "hunt/output/report_style.h"
#include "hunt/output/summary.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

std::string headline(const Totals& sum) {
  if (sum.beacons == 0) return "No beacons found";
  return with_thousands(sum.beacons) + (sum.beacons == 1 ? " beacon found" : " beacons found");
}

std::string span_words(const HuntReport& report) {
  if (!report.first_time || !report.last_time) return {};
  return to_words(std::max(Duration{0}, *report.last_time - *report.first_time));
}

std::string lede(const HuntReport& report, const Totals& sum) {
  std::string text = severities_words(sum);
  if (!text.empty()) text += ", among ";
  text += with_thousands(sum.scored) + (sum.scored == 1 ? " scored pair" : " scored pairs");
  if (report.first_time && report.last_time) {
    text += ", in " + span_words(report) + " of traffic from " +
            to_rfc3339(*report.first_time).substr(0, 10) + ' ' +
            to_rfc3339(*report.first_time).substr(11, 5) + " to " +
            to_rfc3339(*report.last_time).substr(0, 10) + ' ' +
            to_rfc3339(*report.last_time).substr(11, 5) + " UTC";
  }
  return text + '.';
}

void write_head(const HuntReport& report, const Totals& sum, std::ostream& out) {
  out << "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '"
      << kStyleHash << "'; base-uri 'none'; form-action 'none'\">\n"
      << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      << "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" "
      << "content=\"light dark\">\n<title>Beaconry: " << headline(sum) << "</title>\n<style>"
      << kStyle << "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#ranking\">To the ranking"
      << "</a>\n<header class=\"masthead\"><div><p class=\"brand\">Beaconry hunt report</p>\n<h1>"
      << headline(sum) << "</h1>\n<p class=\"lede\">" << html_safe(lede(report, sum))
      << "</p></div></header>\n<main>\n";
}

void write_tiles(const HuntReport& report, const Totals& sum, std::ostream& out) {
  const auto tile = [&](const char* name, const std::string& value) {
    if (!value.empty()) out << "<div><dt>" << name << "</dt><dd>" << value << "</dd></div>";
  };
  out << "<dl class=\"tiles\">";
  tile("Beacons", with_thousands(sum.beacons));
  tile("Pairs scored", with_thousands(sum.scored));
  tile("Pairs seen", with_thousands(report.pairs_seen));
  tile("Connections", with_thousands(report.records));
  tile("Time covered", span_words(report));
  out << "</dl>\n";
}

std::string row_html(const ScoredPair& pair, std::size_t rank, bool drawn,
                     const HuntReport& report) {
  const Verdict& v = pair.verdict;
  const std::string place = std::to_string(rank);
  std::string html = "<tr class=\"" + severity_class(pair) + "\"><td class=\"number\">" +
                     (drawn ? "<a href=\"#beacon-" + place + "\">" + place + "</a>" : place) +
                     "</td>";
  if (report.compared) {
    const std::string change(change_word(pair.change));
    html += change.empty() ? "<td></td>" : "<td><span class=\"mark\">" + change + "</span></td>";
  }
  html += "<td class=\"number score\">" + score_words(v.combined_score) +
          "</td><td><span class=\"badge\">" + severity_words(v.confidence) +
          "</span></td><td class=\"end\">" + source_html(pair) + "</td><td class=\"end\">" +
          destination_html(pair) + "</td><td class=\"nowrap\">" + port_words(pair.key) + '/' +
          to_string(pair.key.protocol) + "</td><td class=\"number\">" +
          with_thousands(pair.check_ins) + "</td><td class=\"number\">" + rhythm_interval_words(v) +
          "</td><td class=\"number\">" + rhythm_jitter_words(v) + "</td><td class=\"reason\">" +
          html_safe(why_words(pair));
  if (pair.hidden != Hidden::no) {
    html += " <span class=\"aside\">(hidden: " + html_safe(hidden_words(pair)) + ")</span>";
  }
  return html + "</td></tr>\n";
}

void write_ranking(const HuntReport& report, const Listed& shown, const std::vector<bool>& drawn,
                   std::ostream& out) {
  out << "<section aria-labelledby=\"ranking\"><h2 id=\"ranking\">Ranking</h2>\n";
  const std::string nothing = nothing_found_words(report);
  if (!nothing.empty()) out << "<p class=\"card calm\">" << html_safe(nothing) << "</p>\n";
  if (!shown.pairs.empty()) {
    out << "<div class=\"card scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Ranking, "
           "scrolls sideways\"><table class=\"ranking\"><thead><tr>";
    const auto title = [&](const char* text, bool number) {
      out << "<th scope=\"col\"" << (number ? " class=\"number\"" : "") << '>' << text << "</th>";
    };
    title("#", true);
    if (report.compared) title("Change", false);
    title("Score", true);
    title("Severity", false);
    title("Source", false);
    title("Destination", false);
    title("Port", false);
    title("Check-ins", true);
    title("Interval", true);
    title("Jitter", true);
    title("Why", false);
    out << "</tr></thead><tbody>\n";
    for (std::size_t i = 0; i < shown.pairs.size() && i < kMostRanked; ++i)
      out << row_html(*shown.pairs[i], i + 1, drawn[i], report);
    out << "</tbody></table></div>\n";
  }
  if (shown.pairs.size() > kMostRanked) {
    out << "<p>The first " << with_thousands(kMostRanked) << " of "
        << with_thousands(shown.pairs.size()) << " pairs are shown; the table, CSV and JSON "
        << "formats have all.</p>\n";
  }
  out << "</section>\n";
}

void write_beacons(const HuntReport& report, const Listed& shown, const std::vector<bool>& drawn,
                   std::size_t beacons, std::ostream& out) {
  if (beacons == 0) return;
  out << "<section aria-labelledby=\"beacons\"><h2 id=\"beacons\">Each beacon</h2>\n";
  if (beacons > kMostDrawn) {
    out << "<p class=\"notice\">The first " << kMostDrawn << " of " << with_thousands(beacons)
        << " beacons are drawn; the ranking has the others.</p>\n";
  }
  for (std::size_t i = 0; i < shown.pairs.size(); ++i) {
    if (!drawn[i]) continue;
    const ScoredPair& pair = *shown.pairs[i];
    out << beacon_html(pair, i + 1, report.check_ins ? report.check_ins(pair) : CheckIns{});
  }
  out << "</section>\n";
}

void write_foot(const HuntReport& report, std::ostream& out) {
  out << "<section aria-labelledby=\"read\"><h2 id=\"read\">What was read, and what was not</h2>"
      << "<div class=\"card notes\"><ul>";
  for (const std::string& line : summary_lines(report))
    out << "<li>" << html_safe(line) << "</li>";
  for (const std::string& input : report.inputs)
    out << "<li>Input: <code>" << html_safe(input) << "</code></li>";
  out << "</ul></div></section>\n</main>\n<footer><p>The score ranks pairs by how much their "
      << "traffic looks like a machine's that calls home. It is no probability, and a low one is "
      << "no acquittal. All times are UTC.</p><p>Made " << to_rfc3339(report.made)
      << " by beaconry " << html_safe(report.version)
      << ". This page needs no network and runs no script.</p></footer>\n</body>\n</html>\n";
}

}  // namespace

void write_html(const HuntReport& report, std::ostream& out) {
  const Totals sum = totals(report);
  const Listed shown = listed(report);
  std::vector<bool> drawn(shown.pairs.size(), false);
  std::size_t beacons = 0;
  for (std::size_t i = 0; i < shown.pairs.size(); ++i) {
    const ScoredPair& pair = *shown.pairs[i];
    if (!pair.verdict.is_beacon || pair.hidden != Hidden::no || pair.absent) continue;
    drawn[i] = ++beacons <= kMostDrawn;
  }
  write_head(report, sum, out);
  write_tiles(report, sum, out);
  write_ranking(report, shown, drawn, out);
  write_beacons(report, shown, drawn, beacons, out);
  write_foot(report, out);
}

}  // namespace beaconry
