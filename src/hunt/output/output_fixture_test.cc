#include "hunt/output/output_fixture_test.h"

namespace beaconry {
namespace {

Timestamp at(const char* text) {
  return *parse_rfc3339(text);
}

void score(Verdict& verdict, double cv, double periodicity, double jitter, double size) {
  verdict.signals = {SignalValue{"cv", cv, 0.35, cv * 0.35, 0.06, 0.15},
                     SignalValue{"periodicity", periodicity, 0.35, periodicity * 0.35, 0.93, 0.7},
                     SignalValue{"jitter", jitter, 0.15, jitter * 0.15, 6.1, 5},
                     SignalValue{"size", size, 0.15, size * 0.15, 0.97, 0.5}};
  verdict.combined_score = 0;
  for (const SignalValue& signal : verdict.signals)
    verdict.combined_score += signal.contribution;
  for (const Adjustment& adjustment : verdict.adjustments)
    verdict.combined_score += adjustment.contribution;
  verdict.is_beacon = verdict.combined_score >= 0.7;
  verdict.confidence = verdict.combined_score >= 0.9   ? Confidence::critical
                       : verdict.combined_score >= 0.8 ? Confidence::high
                       : verdict.combined_score >= 0.7 ? Confidence::medium
                                                       : Confidence::low;
}

ScoredPair cdn() {
  ScoredPair pair;
  pair.kind = PairKind::named;
  pair.key = *PairKey::parse("10.0.0.100->203.0.113.50:443/TCP");
  for (int i = 0; i < 14; ++i)
    pair.destinations.push_back(IpAddress::v4(0xcb007132U + static_cast<unsigned>(i)));
  pair.server_name = "cdn.evil.tld";
  pair.name_kind = NameKind::tls_sni;
  pair.source_name = "pc7";
  pair.connection_count = 1502;
  pair.check_ins = 1440;
  pair.bytes_out = 604'800;
  pair.bytes_in = 1'209'600;
  pair.first_seen = at("2026-11-20T00:00:12.500Z");
  pair.last_seen = at("2026-11-20T23:59:30.250Z");
  pair.uids = {"CHhAvVGS1DHFjwGM9", "C4J4Th3PJpwUYZZ6gc", "CUM0KZ3MLUfNB0cl11"};
  Verdict& v = pair.verdict;
  v.adjustments = {{"prevalence", 0.021, "1 of 240 hosts uses it"}};
  score(v, 0.98, 0.96, 0.87, 0.97);
  v.interval_seconds = 60;
  v.jitter_percent = 20;
  v.interval_mean = 54.1, v.interval_deviation = 3.4, v.interval_median = 54.0;
  v.interval_least = 48.0, v.interval_most = 60.2;
  v.rhythm = {SleepModel::shorten,
              60,
              20,
              0,
              0.02,
              0.11,
              1,
              86'357.75,
              "sleep 60.0s, jitter 20 %, Cobalt-Strike-like",
              1439};
  v.size_out = {420, 0.97, 1440};
  v.size_in = {840, 0.91, 1440};
  v.summary = "bounded sleep, one host only, 420-byte check-ins";
  return pair;
}

}  // namespace

HuntReport sample_report() {
  HuntReport report;
  report.version = "0.1.0 (abc)";
  report.made = at("2026-11-21T08:00:00Z");
  report.took_seconds = 1.25;
  report.pairs.push_back(cdn());

  ScoredPair icmp;
  icmp.key = *PairKey::parse("[2001:db8::100]->[2001:db8:ffff::1]:0/ICMPV6");
  icmp.connection_count = icmp.check_ins = 89;
  icmp.first_seen = at("2026-11-20T09:00:00Z");
  icmp.last_seen = at("2026-11-20T16:20:00Z");
  score(icmp.verdict, 0.8, 0.9, 0.7, 0.5);
  icmp.verdict.interval_seconds = 300;
  icmp.verdict.rhythm.model = SleepModel::clock_locked;
  icmp.verdict.rhythm.sleep_seconds = 300;
  icmp.verdict.summary = "clock-locked schedule";
  report.pairs.push_back(icmp);

  ScoredPair updater;
  updater.key = *PairKey::parse("10.0.0.7->198.51.100.9:80/TCP");
  updater.address_name = "update.example.com";
  updater.connection_count = updater.check_ins = 24;
  updater.bytes_out = 2'400;
  updater.first_seen = at("2026-11-20T00:10:00Z");
  updater.last_seen = at("2026-11-20T23:10:00Z");
  updater.verdict.adjustments = {{"prevalence", -0.4, "190 of 240 hosts use it"}};
  score(updater.verdict, 0.99, 0.99, 0.9, 0.9);
  updater.verdict.interval_seconds = 3600;
  updater.verdict.summary = "clock-locked schedule to a popular service";
  updater.hidden = Hidden::below_score;
  report.pairs.push_back(updater);

  ScoredPair address = cdn();
  address.kind = PairKind::address;
  address.destinations.clear();
  address.hidden = Hidden::represented;
  address.represented_by = "cdn.evil.tld";
  address.check_ins = address.connection_count = 103;
  report.pairs.push_back(address);

  report.pairs_seen = 54'012;
  report.unscored = {{"with fewer than 10 check-ins", 54'008}};
  report.inputs = {"/data/zeek/2026-11-20/"};
  report.inputs_read = 3;
  report.records = 1'199'401;
  report.bytes = 168'000'000;
  report.first_time = at("2026-11-20T00:00:00Z");
  report.last_time = at("2026-11-20T23:59:59Z");
  report.refusals = {{"timestamp is not a number", "conn.log line 17", 10}};
  report.failed_inputs = {{"/data/zeek/2026-11-20/dns.log.gz", "gzip data end early"}};
  report.drops = {{"duplicate uids", 4}};
  report.check_ins = [](const ScoredPair& pair) {
    CheckIns all;
    std::uint64_t state = 1;
    Timestamp time = pair.first_seen;
    while (time <= pair.last_seen) {
      CheckIn check_in;
      check_in.time = time;
      check_in.bytes_out = 420;
      check_in.bytes_in = state % 11 == 0 ? 1024 : 840;
      all.push_back(check_in);
      state = state * 6364136223846793005U + 1442695040888963407U;
      const double chance = static_cast<double>(state >> 33) / 2147483648.0;
      const double seconds = pair.verdict.interval_seconds * (1 - 0.2 * chance);
      time += Duration{static_cast<std::int64_t>(seconds * 1e6)};
    }
    return all;
  };
  return report;
}

ScoredPair hostile_pair() {
  ScoredPair pair = cdn();
  pair.server_name = "=cmd|'/c calc'!A0\x1b[31m\x9b<script>alert(1)</script>,\"x\"\r\n\xc2\x9b";
  pair.source_name = "@SUM(1+1)\x07\xff<img src=x onerror=alert(2)>\xe2\x80\xae";
  pair.uids = {"-1+1\x1b]0;owned\x07", "\t<b>&amp;</b>", "</title></style><script>"};
  pair.note = "+note\x1b[2J";
  pair.verdict.summary = "-summary \"<i>\" \xf0\x28\x8c\x28";
  pair.verdict.adjustments.push_back({"fan_out", 0, "'\"><svg onload=alert(3)>\x1b[0m"});
  pair.verdict.rhythm.description = "<u>\x1b[1m";
  return pair;
}

}  // namespace beaconry
