#include "hunt/output/json_pair.h"

#include "base/time.h"
#include "hunt/output/wording.h"

namespace beaconry {

void write_rhythm(JsonWriter& json, const Rhythm& rhythm) {
  json.begin("rhythm");
  json.plain("model", to_string(rhythm.model));
  json.number("sleep_seconds", rhythm.sleep_seconds);
  json.number("jitter_percent", rhythm.jitter_percent);
  json.number("second_sleep_seconds", rhythm.second_sleep_seconds);
  json.number("missing_share", rhythm.missing_share);
  json.number("coherence", rhythm.coherence);
  json.whole("episodes", rhythm.episodes);
  json.number("active_seconds", rhythm.active_seconds);
  json.text("description", rhythm.description);
  json.end();
}

namespace {

void write_size(JsonWriter& json, std::string_view key, const SizeMode& size) {
  json.begin(key);
  json.whole("bytes", size.bytes);
  json.number("share", size.share);
  json.whole("known", size.known);
  json.end();
}

}  // namespace

void write_explanation(JsonWriter& json, const Verdict& verdict) {
  json.begin("explanation");
  json.text("summary", verdict.summary);
  json.number("detected_interval_seconds", verdict.interval_seconds);
  json.plain("sleep_model", to_string(verdict.rhythm.model));
  json.begin_list("contributing_signals");
  for (const SignalValue& signal : verdict.signals) {
    json.begin();
    json.text("name", signal.name);
    json.number("score", signal.score);
    json.number("weight", signal.weight);
    json.number("contribution", signal.contribution);
    json.number("raw_value", signal.raw_value);
    json.number("threshold", signal.threshold);
    json.end();
  }
  json.end_list();
  json.begin_list("adjustments");
  for (const Adjustment& adjustment : verdict.adjustments) {
    json.begin();
    json.text("name", adjustment.name);
    json.number("contribution", adjustment.contribution);
    json.text("reason", adjustment.reason);
    json.end();
  }
  json.end_list();
  json.end();
}

void write_pair(JsonWriter& json, const ScoredPair& pair) {
  const Verdict& v = pair.verdict;
  const std::string source = pair.key.source.to_string();
  const std::string destination = pair.key.destination.to_string();
  const std::string key = pair.key.to_string();
  json.begin();
  json.plain("kind", pair.kind == PairKind::named ? "named" : "address");
  json.plain("pair_key", key);
  json.text("identity", pair.kind == PairKind::named ? pair.identity() : key);
  json.plain("src_ip", source);
  json.text_or_null("src_name", pair.source_name);
  json.plain("dst_ip", destination);
  if (pair.kind == PairKind::named) {
    json.begin_list("dst_ips");
    for (const IpAddress& address : pair.destinations)
      json.plain(address.to_string());
    json.end_list();
  }
  json.whole("dst_port", pair.key.port);
  json.plain("protocol", to_string(pair.key.protocol));
  json.text_or_null("server_name", pair.server_name);
  json.text_or_null("dst_name", pair.server_name.empty() ? pair.address_name : pair.server_name);
  json.flag("inbound", pair.inbound);
  json.number("combined_score", v.combined_score);
  json.flag("is_beacon", v.is_beacon);
  json.plain("confidence", to_string(v.confidence));
  json.plain("severity", severity_words(v.confidence));
  json.whole("connection_count", pair.connection_count);
  json.whole("check_ins", pair.check_ins);
  json.whole("burst_check_ins", pair.burst_check_ins);
  json.number("detected_interval_seconds", v.interval_seconds);
  json.number("jitter_percent", v.jitter_percent);
  static constexpr const char* kScores[] = {"cv_score", "periodicity_score", "jitter_score",
                                            "size_score"};
  for (std::size_t i = 0; i < v.signals.size(); ++i)
    json.number(kScores[i], v.signals[i].score);
  json.whole_or_null("bytes_out", pair.bytes_out);
  json.whole_or_null("bytes_in", pair.bytes_in);
  json.begin_list("uids");
  for (const std::string& uid : pair.uids)
    json.text(uid);
  json.end_list();
  json.plain("first_seen", to_rfc3339(pair.first_seen));
  json.plain("last_seen", to_rfc3339(pair.last_seen));
  json.number("duration_seconds", to_seconds(pair.last_seen - pair.first_seen));
  json.begin("interval_stats");
  json.number("mean", v.interval_mean);
  json.number("deviation", v.interval_deviation);
  json.number("median", v.interval_median);
  json.number("least", v.interval_least);
  json.number("most", v.interval_most);
  json.end();
  write_rhythm(json, v.rhythm);
  write_size(json, "commonest_size_out", v.size_out);
  write_size(json, "commonest_size_in", v.size_in);
  json.name("hidden");
  pair.hidden == Hidden::no ? json.null() : json.plain(hidden_word(pair.hidden));
  json.text_or_null("hidden_reason", hidden_words(pair));
  json.text_or_null("represented_by", pair.represented_by);
  json.text_or_null("change", change_word(pair.change));
  json.text_or_null("change_reason", pair.change_reason);
  json.text_or_null("note", pair.note);
  write_explanation(json, v);
  json.end();
}

}  // namespace beaconry
