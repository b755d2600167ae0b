#include "control/beacon_json.h"

#include <algorithm>

#include "control/answer.h"
#include "hunt/output/json_pair.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

// Signals by their name: the table's order is the detector's own business.
const SignalValue* find_signal(const Verdict& verdict, std::string_view name) {
  const auto at = std::find_if(verdict.signals.begin(), verdict.signals.end(),
                               [&](const SignalValue& s) { return s.name == name; });
  return at == verdict.signals.end() ? nullptr : &*at;
}

double score_of(const Verdict& verdict, std::string_view name) {
  const SignalValue* signal = find_signal(verdict, name);
  return signal == nullptr ? 0 : signal->score;
}

double raw_of(const Verdict& verdict, std::string_view name) {
  const SignalValue* signal = find_signal(verdict, name);
  return signal == nullptr ? 0 : signal->raw_value;
}

void write_intervals(JsonWriter& json, const ScoredPair& pair) {
  const Verdict& v = pair.verdict;
  json.begin("interval_stats");
  json.whole("count", pair.check_ins > 0 ? pair.check_ins - 1 : 0);
  json.number("mean", v.interval_mean);
  json.number("std_dev", v.interval_deviation);
  json.number("cv", v.interval_mean > 0 ? v.interval_deviation / v.interval_mean : 0);
  json.number("median", v.interval_median);
  json.number("min_interval", v.interval_least);
  json.number("max_interval", v.interval_most);
  json.number("jitter", raw_of(v, "jitter"));
  json.end();
}

void write_periodicity(JsonWriter& json, const Verdict& v, const DetectionSettings& settings) {
  const double score = score_of(v, "periodicity");
  const bool periodic = v.interval_seconds > 0 && score >= settings.periodicity_threshold;
  json.begin("periodicity_result");
  json.flag("is_periodic", periodic);
  json.name("dominant_period");
  v.interval_seconds > 0 ? json.number(v.interval_seconds) : json.null();
  json.number("periodicity_score", score);
  json.begin_list("frequency_peaks");
  for (const double period : {v.interval_seconds, v.rhythm.second_sleep_seconds}) {
    if (period > 0) json.number(1 / period);
  }
  json.end_list();
  json.end();
}

}  // namespace

void write_beacon(JsonWriter& json, const ScoredPair& pair, const DetectionSettings& settings,
                  Timestamp analyzed) {
  const Verdict& v = pair.verdict;
  json.begin();
  json.plain("pair_key", pair.key.to_string());
  json.text("identity", pair.identity());
  json.plain("kind", pair.kind == PairKind::named ? "named" : "address");
  json.plain("src_ip", pair.key.source.to_string());
  json.text_or_null("src_name", pair.source_name);
  json.plain("dst_ip", pair.key.destination.to_string());
  if (pair.kind == PairKind::named) {
    json.begin_list("dst_ips");
    for (const IpAddress& address : pair.destinations)
      json.plain(address.to_string());
    json.end_list();
  }
  json.text_or_null("server_name", pair.server_name);
  json.text_or_null("dst_name", pair.server_name.empty() ? pair.address_name : pair.server_name);
  json.whole("dst_port", pair.key.port);
  json.plain("protocol", to_string(pair.key.protocol));
  json.number("cv_score", score_of(v, "cv"));
  json.number("periodicity_score", score_of(v, "periodicity"));
  json.number("jitter_score", score_of(v, "jitter"));
  json.number("size_score", score_of(v, "size"));
  json.number("combined_score", v.combined_score);
  json.flag("is_beacon", v.is_beacon);
  json.plain("confidence", to_string(v.confidence));
  json.plain("severity", severity_words(v.confidence));
  write_intervals(json, pair);
  write_periodicity(json, v, settings);
  write_rhythm(json, v.rhythm);
  json.number("jitter_percent", v.jitter_percent);
  json.whole("connection_count", pair.connection_count);
  json.whole("check_ins", pair.check_ins);
  json.whole_or_null("bytes_out", pair.bytes_out);
  json.whole_or_null("bytes_in", pair.bytes_in);
  json.number("duration_seconds", to_seconds(pair.last_seen - pair.first_seen));
  json.plain("first_seen", to_rfc3339(pair.first_seen));
  json.plain("last_seen", to_rfc3339(pair.last_seen));
  json.plain("analysis_time", to_rfc3339(analyzed));
  json.begin_list("uids");
  for (const std::string& uid : pair.uids)
    json.text(uid);
  json.end_list();
  json.name("hidden");
  pair.hidden == Hidden::no ? json.null() : json.plain(hidden_word(pair.hidden));
  json.text_or_null("hidden_reason", hidden_words(pair));
  json.text_or_null("ours", pair.hidden == Hidden::ours ? pair.hidden_reason : "");
  write_explanation(json, v);
  json.end();
}

std::string beacon_json(const ScoredPair& pair, const DetectionSettings& settings,
                        Timestamp analyzed) {
  return json_text([&](JsonWriter& json) { write_beacon(json, pair, settings, analyzed); });
}

}  // namespace beaconry
