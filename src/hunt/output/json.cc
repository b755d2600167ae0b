#include "hunt/output/json.h"

#include "base/time.h"
#include "hunt/output/json_pair.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

void write_counts(JsonWriter& json, std::string_view key, const std::vector<Counted>& counts) {
  json.begin_list(key);
  for (const Counted& counted : counts) {
    json.begin();
    json.text("what", counted.what);
    json.whole("count", counted.count);
    json.end();
  }
  json.end_list();
}

void write_time(JsonWriter& json, std::string_view key, const std::optional<Timestamp>& time) {
  json.text_or_null(key, time ? to_rfc3339(*time) : "");
}

void write_summary(JsonWriter& json, const HuntReport& report, std::uint64_t left_out) {
  const Totals sum = totals(report);
  json.begin("summary");
  json.begin_list("inputs");
  for (const std::string& input : report.inputs)
    json.text(input);
  json.end_list();
  json.whole("inputs_read", report.inputs_read);
  json.whole("connections", report.records);
  json.whole("packets", report.packets);
  json.whole("bytes", report.bytes);
  write_time(json, "first_time", report.first_time);
  write_time(json, "last_time", report.last_time);
  json.number("took_seconds", report.took_seconds);
  json.number("threshold", report.threshold);
  json.whole("pairs_seen", report.pairs_seen);
  json.whole("pairs_scored", sum.scored);
  write_counts(json, "unscored", report.unscored);
  json.whole("beacons", sum.beacons);
  json.begin("beacons_by_confidence");
  for (std::size_t i = 0; i < sum.beacons_by.size(); ++i)
    json.whole(to_string(static_cast<Confidence>(i)), sum.beacons_by[i]);
  json.end();
  json.begin("hidden");
  for (std::size_t i = 1; i < static_cast<std::size_t>(Hidden::ours); ++i)  // no hunt knows them
    json.whole(hidden_word(static_cast<Hidden>(i)), sum.hidden[i]);
  json.end();
  json.whole("left_out_by_limit", left_out);
  json.whole("refused", sum.refused);
  json.begin_list("refusals");
  for (const ReadReport::Refusal& refusal : report.refusals) {
    json.begin();
    json.text("reason", refusal.reason);
    json.text("first_place", refusal.first_place);
    json.whole("count", refusal.count);
    json.end();
  }
  json.end_list();
  json.begin_list("failed_inputs");
  for (const auto& [path, reason] : report.failed_inputs) {
    json.begin();
    json.text("path", path);
    json.text("reason", reason);
    json.end();
  }
  json.end_list();
  write_counts(json, "drops", report.drops);
  json.begin_list("remarks");
  for (const std::string& remark : report.remarks)
    json.text(remark);
  json.end_list();
  if (report.compared) {
    json.begin("compared_with");
    json.text("path", report.compared->path);
    json.text("made", report.compared->made);
    json.whole("fresh", report.compared->fresh);
    json.whole("changed", report.compared->changed);
    json.whole("gone", report.compared->gone);
    json.end();
  }
  json.end();
}

}  // namespace

void write_ndjson(const HuntReport& report, std::ostream& out) {
  JsonWriter json(out);
  for (const ScoredPair* pair : listed(report).pairs) {
    write_pair(json, *pair);
    json.end_line();
  }
}

void write_json(const HuntReport& report, std::ostream& out) {
  const Listed shown = listed(report);
  JsonWriter json(out);
  json.begin();
  json.plain("format", kReportFormat);
  json.whole("format_version", kReportFormatVersion);
  json.text("version", report.version);
  json.plain("made", to_rfc3339(report.made));
  write_summary(json, report, shown.left_out);
  json.begin_list("pairs");
  for (const ScoredPair* pair : shown.pairs)
    write_pair(json, *pair);
  json.end_list();
  json.end();
  json.end_line();
}

}  // namespace beaconry
