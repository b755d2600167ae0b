#include "hunt/output/csv.h"

#include <cmath>
#include <ostream>

#include "base/text.h"
#include "base/time.h"
#include "hunt/output/number.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

constexpr const char* kHeader =
    "kind,pair_key,identity,src_ip,src_name,dst_ip,dst_ips,dst_port,protocol,server_name,"
    "combined_score,is_beacon,confidence,severity,connection_count,check_ins,"
    "detected_interval_seconds,jitter_percent,cv_score,periodicity_score,jitter_score,size_score,"
    "bytes_out,bytes_in,uids,first_seen,last_seen,duration_seconds,hidden_reason,represented_by,"
    "change,change_reason,note,explanation\n";

class Line {
 public:
  void text(std::string_view value) { cell(csv_cell(value)); }
  void number(double value) {
    NumberBuffer buffer;
    cell(std::isfinite(value) ? six_decimals(value, buffer) : "");
  }
  void number(std::uint64_t value) { cell(std::to_string(value)); }
  void number(const std::optional<std::uint64_t>& value) {
    cell(value ? std::to_string(*value) : "");
  }
  void begin() { line_.clear(), first_ = true; }
  void end() { line_ += '\n'; }
  const std::string& get() const { return line_; }

 private:
  void cell(std::string_view safe) {
    if (!first_) line_ += ',';
    first_ = false;
    line_ += safe;
  }

  std::string line_;
  bool first_ = true;
};

void write_line(const ScoredPair& pair, Line& line) {
  const Verdict& v = pair.verdict;
  std::string addresses, uids;
  if (pair.kind == PairKind::named) {
    for (const IpAddress& address : pair.destinations)
      addresses += (addresses.empty() ? "" : " ") + address.to_string();
  }
  for (const std::string& uid : pair.uids)
    uids += (uids.empty() ? "" : " ") + uid;
  line.begin();
  line.text(pair.kind == PairKind::named ? "named" : "address");
  line.text(pair.key.to_string());
  line.text(pair.identity());
  line.text(pair.key.source.to_string());
  line.text(pair.source_name);
  line.text(pair.key.destination.to_string());
  line.text(addresses);
  line.number(std::uint64_t{pair.key.port});
  line.text(to_string(pair.key.protocol));
  line.text(pair.server_name);
  line.number(v.combined_score);
  line.text(v.is_beacon ? "true" : "false");
  line.text(to_string(v.confidence));
  line.text(severity_words(v.confidence));
  line.number(pair.connection_count);
  line.number(pair.check_ins);
  line.number(v.interval_seconds);
  line.number(v.jitter_percent);
  for (const SignalValue& signal : v.signals)
    line.number(signal.score);
  line.number(pair.bytes_out);
  line.number(pair.bytes_in);
  line.text(uids);
  line.text(to_rfc3339(pair.first_seen));
  line.text(to_rfc3339(pair.last_seen));
  line.number(to_seconds(pair.last_seen - pair.first_seen));
  line.text(hidden_words(pair));
  line.text(pair.represented_by);
  line.text(change_word(pair.change));
  line.text(pair.change_reason);
  line.text(pair.note);
  line.text(v.summary);
  line.end();
}

}  // namespace

std::string csv_cell(std::string_view text) {
  if (text.empty()) return {};
  std::string safe = terminal_safe(text);
  if (std::string_view("=+-@\t\r\n").find(text[0]) != std::string_view::npos)
    safe.insert(0, 1, '\'');
  if (safe.find_first_of(",\" '") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void write_csv(const HuntReport& report, std::ostream& out) {
  out << kHeader;
  Line line;
  for (const ScoredPair* pair : listed(report).pairs)
    write_line(*pair, line), out << line.get();
}

}  // namespace beaconry
