#include <map>

#include "alert/alert.h"
#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

void write_row(JsonWriter& json, const BeaconRow& row, std::string_view triage) {
  json.begin();
  json.text("identity", row.identity);
  json.text("src_ip", row.src_ip);
  json.text_or_null("src_name", row.src_name);
  json.text("dst_ip", row.dst_ip);
  if (!row.dst_ips.empty()) {
    json.begin_list("dst_ips");
    for (const std::string_view address : split(row.dst_ips, ' '))
      json.text(address);
    json.end_list();
  }
  json.text_or_null("server_name", row.server_name);
  json.text_or_null("dst_name", row.dst_name);
  json.whole("dst_port", row.dst_port);
  json.text("protocol", row.protocol);
  json.number("combined_score", row.score);
  json.plain("severity", to_string(static_cast<Severity>(row.severity)));
  json.number("interval_seconds", row.interval_seconds);
  json.whole("check_ins", row.check_ins);
  json.plain("first_seen", to_rfc3339(row.first_seen));
  json.plain("last_seen", to_rfc3339(row.last_seen));
  json.flag("gone", row.gone);
  json.text_or_null("ours", row.ours);
  json.text("summary", row.summary);
  json.text_or_null("triage", triage);
  json.end();
}

// `fields=list`: rows out of memory, in any order.
HttpResponse list_rows(Control& control, Query& query) {
  BeaconList::Query wanted;
  Query::Page page = query.page();
  page.limit = query.count("limit", 100, 1, 10'000);
  wanted.first = page.first;
  wanted.limit = page.limit;
  wanted.least_score = query.number("min_score", 0, 0, 1);
  wanted.with_gone = query.flag("with_gone");
  wanted.words = query.text("q").value_or("").substr(0, 500);
  wanted.source = query.text("src").value_or("");
  wanted.destination = query.text("dst").value_or("");
  if (const auto least = query.text("min_severity")) {
    const auto severity = parse_severity(*least);
    if (!severity) query.refuse("'min_severity' must be low, medium, high or critical");
    wanted.least_severity = static_cast<int>(severity.value_or(Severity::low));
  }
  std::string order = query.text("sort").value_or("score");
  wanted.ascending = order.front() == '-';
  const auto known = BeaconList::parse_order(order.substr(wanted.ascending ? 1 : 0));
  if (!known) {
    query.refuse(
        "'sort' must be score, severity, source, destination, interval, check_ins, first or last, "
        "with a - before it for the least first");
  }
  wanted.order = known.value_or(BeaconList::Order::score);
  std::map<std::string, std::string_view, std::less<>> decisions;
  for (const Triage::Entry& entry : control.triage().list())
    decisions[entry.subject] = to_string(entry.decision);
  const auto decided = [&](const std::string& identity) {
    const auto at = decisions.find(identity);
    return at == decisions.end() ? std::string_view() : at->second;
  };
  if (const auto triage = query.text("triage")) {
    if (*triage != "open" && !parse_decision(*triage)) {
      query.refuse("'triage' must be open, acknowledged or benign");
    }
    wanted.fits = [&decided, is = *triage == "open" ? std::string() : *triage](
                      const std::string& identity) { return decided(identity) == is; };
  }
  if (query.refusal()) return *query.refusal();
  const BeaconList::Page found = control.beacons().list(wanted);
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", found.rows.size());
    json.whole("total", found.total);
    json.begin_list("beacons");
    for (const BeaconRow& row : found.rows)
      write_row(json, row, decided(row.identity));
    json.end_list();
    json.text_or_null("next_cursor", page.next(found.total));
    json.end();
  }));
}

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
  if (const auto fields = query.text("fields")) {
    if (*fields != "list") query.refuse("'fields' must be list, or not be given");
    if (query.refusal()) return *query.refusal();
    return list_rows(control, query);
  }
  Beacons::Query wanted;
  wanted.least_score = query.number("min_score", 0, 0, 1);
  wanted.limit = query.count("limit", 100, 1, 10'000);
  wanted.with_gone = query.flag("with_gone");
  wanted.cursor = query.text("cursor").value_or("");
  if (query.refusal()) return *query.refusal();
  const auto page = control.beacons().page(wanted);
  if (!page) return error_answer(page.error());
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", page->beacons.size());
    json.whole("total", page->count);
    json.begin_list("beacons");
    for (const Beacons::Beacon& beacon : page->beacons)
      json.raw(beacon.verdict);
    json.end_list();
    json.text_or_null("next_cursor", page->next);
    json.end();
  }));
}

HttpResponse remove_one(Control& control, const RouteCall& call) {
  const std::string identity(call.argument);
  if (identity.empty()) return error_answer(404, "name a beacon by its identity");
  const auto removed = control.analysis().remove(identity);
  if (!removed) return busy_or(removed.error());
  if (*removed == 0) return error_answer(404, "no such beacon; give its identity as it is listed");
  return json_answer(R"({"status":"deleted","deleted":1})");
}

HttpResponse remove_all(Control& control, const RouteCall&) {
  const auto removed = control.analysis().remove({});
  if (!removed) return busy_or(removed.error());
  return json_answer(R"({"status":"deleted","deleted":)" + std::to_string(*removed) + "}");
}

constexpr RouteParameter kParameters[] = {
    {"min_score", "number", "least combined score, 0 to 1"},
    {"limit", "integer", "of this page, 1 to 10000; 100"},
    {"with_gone", "boolean", "also those that call no more"},
    {"cursor", "string", "`next_cursor` of the page before"},
    {"fields", "string", "`list`: only what a list shows, sorted and filtered by what follows"},
    {"sort", "string",
     "score, severity, source, destination, interval, check_ins, first or last, greatest first; "
     "with a - before it least first; score"},
    {"q", "string", "words that all must stand somewhere in what the list shows"},
    {"min_severity", "string", "low, medium, high or critical"},
    {"triage", "string", "open, acknowledged or benign"},
    {"src", "string", "of this host, by address or name"},
    {"dst", "string", "to this destination, by address or name"},
};

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/beacons",
        .summary = "Detected beacons, best score first",
        .handle = list,
        .parameters = kParameters,
        .response =
            "`{count, total, beacons: [{pair_key, identity, src_ip, dst_ip, dst_port, protocol, "
            "cv_score, periodicity_score, jitter_score, size_score, combined_score, is_beacon, "
            "confidence, severity, interval_stats{count, mean, std_dev, cv, median, min_interval, "
            "max_interval, jitter}, periodicity_result{is_periodic, dominant_period, "
            "periodicity_score, frequency_peaks}, connection_count, duration_seconds, first_seen, "
            "last_seen, analysis_time, uids, ours, explanation{}}], next_cursor}`; uids are of the "
            "connections, as their source named them, at most five; ours names the probe "
            "or "
            "home of ours whose traffic it is: no alert comes of it. With fields=list: `{identity, "
            "src_ip, src_name, dst_ip, dst_ips, server_name, dst_name, dst_port, protocol, "
            "combined_score, severity, interval_seconds, check_ins, first_seen, last_seen, gone, "
            "ours, summary, triage}`",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/beacons",
        .summary = "Forgets all beacons and their history; the next analysis finds what goes on",
        .role = Role::operator_,
        .handle = remove_all,
        .response = "`{status, deleted}`",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/beacons/{key}",
        .summary = "Forgets one, by its identity",
        .role = Role::operator_,
        .handle = remove_one,
        .response = "`{status, deleted}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource beacons{"beacons", kRoutes};
}
}  // namespace beaconry
