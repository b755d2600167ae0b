#include "control/coverage.h"

#include <algorithm>
#include <map>

#include "control/answer.h"
#include "control/control.h"
#include "control/query.h"
#include "control/route.h"

namespace beaconry {
namespace {

void write_time(JsonWriter& json, std::string_view name, Timestamp time) {
  json.name(name);
  time == Timestamp{} ? json.null() : json.plain(to_rfc3339(time));
}

void write_cycle(JsonWriter& json, std::string_view name, const EvidenceReport::Cycle& cycle) {
  json.name(name);
  if (cycle.number == 0) return json.null();
  json.begin();
  json.whole("number", cycle.number);
  write_time(json, "begun", cycle.begun);
  write_time(json, "completed", cycle.completed);
  json.end();
}

void write_record(JsonWriter& json, const Coverage::Kept& kept) {
  const EvidenceReport& report = kept.report;
  json.begin();
  write_time(json, "received", kept.received);
  json.text("who", kept.who);
  write_time(json, "first", report.first);
  write_time(json, "last", report.last);
  write_time(json, "last_signed", report.last_signed);
  json.whole("entries", report.lines);
  json.whole("unsigned_entries", report.unsigned_lines);
  json.whole("unvouched_entries", report.unvouched_lines);
  json.whole("lost_tries", report.lost_tries);
  json.flag("finished", report.clean_end);
  json.whole("last_sequence", report.last_sequence);
  write_cycle(json, "last_short_cycle", report.last_short);
  write_cycle(json, "last_long_cycle", report.last_long);
  json.end();
}

// What was tried by a method, and what of it got out.
struct Way {
  const EvidenceReport::Row* row = nullptr;  // nothing: no record tells of it
  std::uint64_t leaks = 0, open = 0;
};
using Ways = std::map<std::string, Way>;

void write_way(JsonWriter& json, const std::string& method, const Way& way) {
  json.begin();
  json.text("method", method);
  json.whole_or_null("tried", way.row == nullptr ? std::optional<std::uint64_t>() : way.row->tried);
  json.whole_or_null("answered",
                     way.row == nullptr ? std::optional<std::uint64_t>() : way.row->answered);
  write_time(json, "last_tried", way.row == nullptr ? Timestamp{} : way.row->last_tried);
  // A reason counts for the present where nothing was tried since.
  const bool is_left_out = way.row != nullptr && !way.row->why_not.empty() &&
                           way.row->last_skipped >= way.row->last_tried;
  json.text_or_null("not_tried_because", is_left_out ? way.row->why_not : "");
  json.whole("leaks", way.leaks);
  json.whole("leaks_open", way.open);
  json.end();
}

void write_matrix(JsonWriter& json, const ZoneMatrix& matrix) {
  json.begin("matrix");
  json.begin_list("from");
  for (const std::string& sender : matrix.senders)
    json.text(sender);
  json.end_list();
  json.begin_list("rows");
  for (const ZoneMatrix::Row& row : matrix.rows) {
    json.begin();
    json.text("heard_by", row.listener);
    json.begin_list("cells");
    for (const ZoneMatrix::Cell& cell : row.cells) {
      json.begin();
      json.plain("state", to_string(cell.state));
      json.name("may_reach");
      cell.may_reach ? json.flag(*cell.may_reach) : json.null();
      json.whole("pings", cell.pings);
      write_time(json, "first", cell.first);
      write_time(json, "last", cell.last);
      json.end();
    }
    json.end_list();
    json.end();
  }
  json.end_list();
  json.end();
}

HttpResponse show(Control& control, const RouteCall&) {
  const auto probes = control.probes().list();
  const Timestamp now = control.now();
  std::map<ProbeId, std::map<std::string, Way>> leaks;
  for (const Leak& leak : control.leaks().list()) {
    Way& way = leaks[leak.probe][std::string(to_string(leak.method))];
    ++way.leaks;
    if (!leak.closed) ++way.open;
  }
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.begin_list("probes");
    for (const KeptProbe& probe : probes) {
      if (probe.is_retired(now) || probe.successor) continue;
      const auto kept = control.coverage().find(probe.id);
      Ways ways = leaks[probe.id];
      if (kept) {
        for (const EvidenceReport::Row& row : kept->report.rows)
          ways[row.method].row = &row;
      }
      json.begin();
      json.plain("id", probe.id.to_string());
      json.text("name", probe.name);
      write_time(json, "last_heard", control.leaks().last_heard(probe.id).value_or(Timestamp{}));
      write_time(json, "last_control",
                 control.leaks().last_control(probe.id).value_or(Timestamp{}));
      json.name("record");
      if (kept) {
        write_record(json, *kept);
      } else {
        json.null();
      }
      json.begin_list("methods");
      for (const auto& [method, way] : ways)
        write_way(json, method, way);
      json.end_list();
      json.end();
    }
    json.end_list();
    write_matrix(json, zone_matrix(probes, control.coverage(), now));
    json.end();
  }));
}

HttpResponse take(Control& control, const RouteCall& call) {
  const auto kept = control.coverage().take(call.request.body, control.probes(),
                                            std::string(call.who), control.now());
  if (!kept) {
    return kept.error().kind == ErrorKind::usage ? error_answer(400, kept.error().message())
                                                 : error_answer(kept.error());
  }
  call.note.object = kept->report.probe_id;
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.text("probe", kept->report.probe_id);
    json.text("name", kept->report.probe_name);
    json.name("record");
    write_record(json, *kept);
    json.end();
  }));
}

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/coverage",
        .summary =
            "What each probe tried, by its record and by what homes heard; and zone to zone: "
            "which probe heard which",
        .handle = show,
        .response =
            "`{probes: [{id, name, last_heard, last_control, record{received, who, first, last, "
            "last_signed, entries, unsigned_entries, unvouched_entries, lost_tries, finished, "
            "last_sequence, last_short_cycle, last_long_cycle}, methods: [{method, tried, "
            "answered, "
            "last_tried, not_tried_because, leaks, leaks_open}]}], matrix{from: [names], rows: "
            "[{heard_by, cells: [{state: reached|silent|unknown, may_reach, pings, first, "
            "last}]}]}}`; record null: nobody brought it yet, and tried is null; a row has a cell "
            "for each name in from",
    },
    {
        .method = "POST",
        .path = "/api/v1/coverage",
        .summary =
            "Takes the record that a probe kept (--evidence FILE), carried here by hand; its "
            "chain and signatures are checked by the probe's key",
        .role = Role::analyst,
        .handle = take,
        .body = "the file as it is, up to 64 MiB",
        .response = "`{probe, name, record{}}`; 400 where it is no record of a probe that this "
                    "server knows, was changed, or is older than what is here",
        .most_body = Coverage::kMostRecord,
    },
};

}  // namespace

namespace resources {
extern constinit const Resource coverage{"coverage", kRoutes};
}
}  // namespace beaconry
