#include "control/answer.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

HttpResponse list(Control& control, const RouteCall& call) {
  Query query(call.request);
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
            "last_seen, analysis_time, ours, explanation{}}], next_cursor}`; ours names the probe "
            "or "
            "home of ours whose traffic it is: no alert comes of it",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/beacons",
        .summary = "Forgets all beacons and their history; the next analysis finds what goes on",
        .role = Role::admin,
        .handle = remove_all,
        .response = "`{status, deleted}`",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/beacons/{key}",
        .summary = "Forgets one, by its identity",
        .role = Role::admin,
        .handle = remove_one,
        .response = "`{status, deleted}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource beacons{"beacons", kRoutes};
}
}  // namespace beaconry
