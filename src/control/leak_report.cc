#include "control/leak_report.h"

#include <algorithm>

#include "alert/alert.h"
#include "base/text.h"
#include "beaconry_version.h"
#include "control/leak_alert.h"
#include "control/leak_json.h"
#include "hunt/output/report_style.h"

namespace beaconry {
namespace {

constexpr std::size_t kMostDrawn = 200;  // leaks in full; the table has all
constexpr std::size_t kMostRanked = 5000;
constexpr std::size_t kMostRanges = 24;  // of ports

std::string minute(Timestamp time) {
  const std::string text = to_rfc3339(time);
  return text.substr(0, 10) + ' ' + text.substr(11, 8);
}

std::string class_of(const Leak& leak) {
  return leak.closed ? "low" : ascii_lower(to_string(severity_of(leak)));
}

std::string badge(const Leak& leak) {
  return "<span class=\"badge\">" +
         std::string(leak.closed ? "CLOSED" : to_string(severity_of(leak))) + "</span>";
}

std::string ports_words(const Leak& leak) {
  std::string text;
  for (std::size_t i = 0; i < leak.ports.size() && i < kMostRanges; ++i) {
    const auto& [from, to] = leak.ports[i];
    text += (text.empty() ? "" : ", ") + std::to_string(from);
    if (from != to) text += '-' + std::to_string(to);
  }
  if (leak.ports.size() > kMostRanges) {
    text += " and " + std::to_string(leak.ports.size() - kMostRanges) + " more ranges";
  }
  return text.empty() ? "-" : text;
}

std::string counted(std::uint64_t count, const char* one, const char* many) {
  return with_thousands(count) + ' ' + (count == 1 ? one : many);
}

std::string open_words(const Leak& leak) {
  return leak.closed ? minute(leak.opened) + " to " + minute(*leak.closed)
                     : "since " + minute(leak.opened);
}

struct Sums {
  std::uint64_t open = 0, two_way = 0, silent = 0;
};

Sums sums_of(const LeakReport& report) {
  Sums sums;
  for (const auto& row : report.leaks) {
    if (row.leak.closed) continue;
    ++sums.open;
    if (row.leak.two_way) ++sums.two_way;
  }
  for (const auto& each : report.probes) {
    if (!each.last_heard && !each.probe.is_retired(report.made)) ++sums.silent;
  }
  return sums;
}

std::string headline(const Sums& sums) {
  return sums.open == 0 ? "No open leaks" : counted(sums.open, "open leak", "open leaks");
}

std::string head(const LeakReport& report, const Sums& sums) {
  std::string lede = counted(report.leaks.size(), "leak is", "leaks are") + " listed, of " +
                     counted(report.probes.size(), "probe", "probes");
  if (!report.filter.empty()) lede += "; only: " + report.filter;
  lede += ". All times are UTC.";
  const std::string title = headline(sums);
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '" +
         std::string(kStyleHash) +
         "'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
         "content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>"
         "Beaconry: " +
         title + "</title>\n<style>" + kStyle +
         "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#leaks\">To the leaks</a>\n<header "
         "class=\"masthead\"><div><p class=\"brand\">Beaconry leak report</p>\n<h1>" +
         title + "</h1>\n<p class=\"lede\">" + html_safe(lede) +
         "</p></div></header>\n<main>\n<dl class=\"tiles\">";
}

std::string tile(const char* name, std::uint64_t value) {
  return std::string("<div><dt>") + name + "</dt><dd>" + with_thousands(value) + "</dd></div>";
}

std::string row_html(const LeakReport::Row& row, std::size_t place, bool drawn) {
  const Leak& leak = row.leak;
  const std::string number = std::to_string(place);
  const LeakWords words = describe(leak, row.probe);
  std::string html = "<tr class=\"" + class_of(leak) + "\"><td class=\"number\">" +
                     (drawn ? "<a href=\"#leak-" + number + "\">" + number + "</a>" : number) +
                     "</td><td>" + badge(leak) + "</td><td class=\"end\">" + html_safe(row.probe) +
                     "</td><td class=\"nowrap\">" + std::string(to_string(leak.method)) +
                     "</td><td>" + html_safe(to_string(leak.path)) + "</td><td>" +
                     (leak.two_way ? "two-way" : "one-way") + "</td><td class=\"nowrap\">" +
                     minute(leak.first) + "</td><td class=\"nowrap\">" + minute(leak.last) +
                     "</td><td class=\"number\">" + with_thousands(leak.count) +
                     "</td><td class=\"reason\">" + html_safe(words.title);
  if (!row.decision.empty())
    html += " <span class=\"aside\">(" + html_safe(row.decision) + ")</span>";
  return html + "</td></tr>\n";
}

std::string table_html(const LeakReport& report, std::size_t drawn) {
  std::string html = "<section aria-labelledby=\"leaks\"><h2 id=\"leaks\">Leaks</h2>\n";
  if (report.leaks.empty()) {
    return html +
           "<p class=\"card calm\">Nothing that a probe tried has reached a home. That is worth as "
           "much as the probes' own record of what they tried: see below who was heard, and "
           "<code>beaconry escape report</code> of each probe's evidence.</p>\n</section>\n";
  }
  html +=
      "<div class=\"card scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Leaks, scrolls "
      "sideways\"><table class=\"ranking\"><thead><tr>";
  const auto title = [&](const char* text, bool number) {
    html += std::string("<th scope=\"col\"") + (number ? " class=\"number\"" : "") + '>' + text +
            "</th>";
  };
  title("#", true);
  for (const char* text :
       {"Severity", "Probe", "Method", "Path", "Ways", "First seen", "Last seen"})
    title(text, false);
  title("Pings", true);
  title("What", false);
  html += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < report.leaks.size() && i < kMostRanked; ++i)
    html += row_html(report.leaks[i], i + 1, i < drawn);
  html += "</tbody></table></div>\n";
  if (report.leaks.size() > kMostRanked) {
    html += "<p>The first " + with_thousands(kMostRanked) + " of " +
            with_thousands(report.leaks.size()) +
            " leaks are shown; the API and CSV have all.</p>\n";
  }
  return html + "</section>\n";
}

// Commands stand on lines of their own, two blanks in.
std::string advice(const std::string& fix) {
  std::string html;
  for (const std::string_view line : split(fix, '\n')) {
    const bool is_command = line.starts_with("  ");
    html +=
        is_command ? "<pre>" + html_safe(trim(line)) + "</pre>" : "<p>" + html_safe(line) + "</p>";
  }
  return html;
}

std::string leak_html(const LeakReport::Row& row, std::size_t place) {
  const Leak& leak = row.leak;
  const LeakWords words = describe(leak, row.probe);
  std::string route;
  for (const std::string& hop : words.path)
    route += (route.empty() ? "<code>" : " → <code>") + html_safe(hop) + "</code>";
  std::string html =
      "<article class=\"card beacon " + class_of(leak) + "\" id=\"leak-" + std::to_string(place) +
      "\"><div class=\"title\"><div><h3>" + html_safe(words.title) + "</h3><p>" + badge(leak) +
      " <span class=\"aside\">" + html_safe(leak.id) + (row.decision.empty() ? "" : ", ") +
      html_safe(row.decision) + "</span></p></div><div class=\"big\"><strong>" +
      with_thousands(leak.count) + "</strong><span>pings arrived</span></div></div>" +
      "<p class=\"why\">" + html_safe(words.explanation) + "</p><p>" + route +
      "</p><h4>How to close it</h4>" + advice(words.fix) + "<dl class=\"facts\">";
  const auto fact = [&](const char* name, const std::string& value) {
    html += std::string("<div><dt>") + name + "</dt><dd>" + html_safe(value) + "</dd></div>";
  };
  fact("Open", open_words(leak));
  fact("For", to_words(open_for(leak)));
  fact("Times opened", std::to_string(leak.times_opened));
  fact("Ports", ports_words(leak));
  fact("First seen", minute(leak.first));
  fact("Last seen", minute(leak.last));
  fact("Duplicates, late, replayed", with_thousands(leak.duplicates) + ", " +
                                         with_thousands(leak.late) + ", " +
                                         with_thousands(leak.replayed));
  fact("Outer source", leak.outer_source.to_string());
  html += "</dl>";
  if (!leak.open_times.empty()) {
    html += "<h4>Open before</h4><ul class=\"plain\">";
    for (const auto& [from, to] : leak.open_times) {
      html += "<li>" + minute(from) + " to " + minute(to) + " (" +
              to_words(std::max(Duration{0}, to - from)) + ")</li>";
    }
    html += "</ul>";
  }
  return html + "</article>\n";
}

std::string probes_html(const LeakReport& report) {
  std::string html =
      "<section aria-labelledby=\"probes\"><h2 id=\"probes\">Probes, and whether they were "
      "heard</h2>\n<div class=\"card scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Probes, "
      "scrolls sideways\"><table><thead><tr>";
  for (const char* text : {"Probe", "Key", "Profile", "State", "Last heard", "Positive control"})
    html += std::string("<th scope=\"col\">") + text + "</th>";
  html += "</tr></thead><tbody>\n";
  for (const auto& each : report.probes) {
    const auto time = [](const std::optional<Timestamp>& at) {
      return at ? minute(*at) : std::string("never");
    };
    html += "<tr><td>" + html_safe(each.probe.name) + "</td><td><code>" +
            each.probe.id.to_string() + "</code></td><td>" + html_safe(each.probe.profile) +
            "</td><td>" + (each.probe.is_retired(report.made) ? "retired" : "active") +
            "</td><td class=\"nowrap\">" + time(each.last_heard) + "</td><td class=\"nowrap\">" +
            (each.probe.control == ControlKind::none ? "none" : time(each.last_control)) +
            "</td></tr>\n";
  }
  return html + "</tbody></table></div></section>\n";
}

}  // namespace

std::string leak_report_html(const LeakReport& report) {
  const Sums sums = sums_of(report);
  const std::size_t drawn = std::min(report.leaks.size(), kMostDrawn);
  std::string html = head(report, sums);
  html += tile("Open leaks", sums.open) + tile("Of these two-way", sums.two_way) +
          tile("Leaks in all", report.leaks.size()) + tile("Probes", report.probes.size()) +
          tile("Never heard", sums.silent) + "</dl>\n";
  html += table_html(report, drawn);
  if (drawn > 0) {
    html += "<section aria-labelledby=\"each\"><h2 id=\"each\">Each leak</h2>\n";
    for (std::size_t i = 0; i < drawn; ++i)
      html += leak_html(report.leaks[i], i + 1);
    html += "</section>\n";
  }
  html += probes_html(report);
  return html +
         "</main>\n<footer><p>A leak is one probe's method along one path that brought "
         "authenticated pings to a home. That nothing arrived by a method says that it is shut "
         "only "
         "where the probe's signed record says that it was tried.</p><p>Made " +
         to_rfc3339(report.made) + " by beaconry-control " + BEACONRY_VERSION +
         ". This page needs no network and runs no script.</p></footer>\n</body>\n</html>\n";
}

}  // namespace beaconry
