#include "hunt/output/previous.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <istream>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "base/fd.h"
#include "base/text.h"
#include "hunt/output/json.h"
#include "hunt/output/wording.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBeacons = 1'000'000;
constexpr std::size_t kMostAddresses = 65'536;  // of one named pair
constexpr std::size_t kLongestText = 4096;
constexpr const char* kRemedy =
    "; --since-report takes what an earlier `beaconry hunt --format json` wrote";

// Reads members of one object and remembers the first that is not as it must be.
class Members {
 public:
  explicit Members(const Json& object) : object_(object) {}

  std::string text(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_string() || value->get_ref<const std::string&>().size() > kLongestText) {
      return wrong(key, "is not a text of reasonable length"), std::string();
    }
    return value->get<std::string>();
  }
  double number(const char* key, double least, double most) {
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return 0;
    if (!value->is_number() || !std::isfinite(value->get<double>()) ||
        value->get<double>() < least || value->get<double>() > most) {
      return wrong(key, "is not a number that makes sense"), 0;
    }
    return value->get<double>();
  }
  std::uint64_t whole(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || value->is_null()) return 0;
    if (!value->is_number_unsigned()) return wrong(key, "is not a whole number"), 0;
    return value->get<std::uint64_t>();
  }
  bool flag(const char* key) {
    const Json* value = find(key);
    if (value == nullptr || !value->is_boolean()) return wrong(key, "is not true or false"), false;
    return value->get<bool>();
  }
  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  void wrong(const char* key, const char* how) {
    if (problem_.empty()) problem_ = std::string("\"") + key + "\" " + how;
  }
  const std::string& problem() const { return problem_; }

 private:
  const Json& object_;
  std::string problem_;
};

Confidence confidence_of(Members& members) {
  const std::string word = members.text("confidence");
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Confidence::critical); ++i) {
    if (to_string(static_cast<Confidence>(i)) == word) return static_cast<Confidence>(i);
  }
  members.wrong("confidence", "is none of none, low, medium, high, critical");
  return Confidence::none;
}

Timestamp time_of(Members& members, const char* key) {
  const auto time = parse_rfc3339(members.text(key));
  if (!time) members.wrong(key, "is not an RFC 3339 time");
  return time.value_or(Timestamp{});
}

std::vector<IpAddress> addresses_of(Members& members) {
  std::vector<IpAddress> all;
  const Json* list = members.find("dst_ips");
  if (list == nullptr || !list->is_array() || list->size() > kMostAddresses) {
    members.wrong("dst_ips", "is not a list of addresses");
    return all;
  }
  for (const Json& entry : *list) {
    const auto address = entry.is_string() ? IpAddress::parse(entry.get_ref<const std::string&>())
                                           : std::optional<IpAddress>();
    if (!address) {
      members.wrong("dst_ips", "holds what is no address");
      return all;
    }
    all.push_back(*address);
  }
  return all;
}

ScoredPair pair_of(Members& members) {
  ScoredPair pair;
  const auto key = PairKey::parse(members.text("pair_key"));
  if (!key) members.wrong("pair_key", "is not like 10.0.0.5->203.0.113.9:443/TCP");
  pair.key = key.value_or(PairKey{});
  pair.server_name = members.text("server_name");
  const std::string kind = members.text("kind");
  if (kind == "named") {
    pair.kind = PairKind::named;
    pair.destinations = addresses_of(members);
    if (pair.server_name.empty()) members.wrong("server_name", "is missing in a named pair");
  } else if (kind != "address") {
    members.wrong("kind", "is neither address nor named");
  }
  pair.source_name = members.text("src_name");
  if (pair.server_name.empty()) pair.address_name = members.text("dst_name");
  pair.check_ins = members.whole("check_ins");
  pair.connection_count = members.whole("connection_count");
  pair.first_seen = time_of(members, "first_seen");
  pair.last_seen = time_of(members, "last_seen");
  Verdict& v = pair.verdict;
  v.combined_score = members.number("combined_score", 0, 1);
  v.confidence = confidence_of(members);
  v.interval_seconds = members.number("detected_interval_seconds", 0, 1e10);
  v.jitter_percent = members.number("jitter_percent", 0, 1e10);
  return pair;
}

// "line 3, column 7" out of nlohmann's "[...] parse error at line 3, column 7: ... last read: ...";
// the rest quotes the file.
std::string place_in(const std::string& what) {
  const auto at = what.find("line ");
  const auto end = what.find(':', at == std::string::npos ? 0 : at);
  if (at == std::string::npos || end == std::string::npos) return "at an unknown place";
  return what.substr(at, end - at);
}

// Feeds the objects of "pairs" one by one to the report and forgets them.
class Reader {
 public:
  explicit Reader(PreviousReport& report) : report_(report) {}

  // nlohmann's parser callback: false forgets the value.
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::key && depth == 1) top_ = parsed.get<std::string>();
    if (event == Event::key && depth > 1 && parsed == "explanation") return false;
    if (event == Event::object_end && depth == 2 && top_ == "pairs") {
      take(parsed);
      return false;
    }
    return true;
  }

  const std::string& problem() const { return problem_; }
  bool saw_pairs_end(const Json& document) const {
    const auto pairs = document.find("pairs");
    return pairs != document.end() && pairs->is_array();
  }

 private:
  void take(const Json& object) {
    ++count_;
    if (!problem_.empty()) return;
    Members members(object);
    const std::string change = members.text("change");
    const Json* hidden = members.find("hidden");
    const bool beacon = members.flag("is_beacon");
    // What it hid, or only listed as gone, was no news then and is none now.
    if (beacon && change != "GONE" && (hidden == nullptr || hidden->is_null())) {
      report_.beacons.push_back(pair_of(members));
      if (report_.beacons.size() > kMostBeacons) members.wrong("is_beacon", "holds too often");
    }
    if (!members.problem().empty()) {
      problem_ = "pair " + std::to_string(count_) + ": " + members.problem();
    }
  }

  PreviousReport& report_;
  std::string top_, problem_;
  std::uint64_t count_ = 0;
};

// The identity as JSON carries it.
std::string identity_of(const ScoredPair& pair) {
  return utf8_valid(pair.identity());
}

std::string what_changed(const ScoredPair& then, const ScoredPair& now) {
  std::vector<std::string> changes;
  const Verdict& a = then.verdict;
  const Verdict& b = now.verdict;
  if (std::abs(b.interval_seconds - a.interval_seconds) > 0.2 * a.interval_seconds) {
    changes.push_back("interval " + interval_words(a.interval_seconds) + " -> " +
                      interval_words(b.interval_seconds));
  }
  if (b.confidence > a.confidence) {
    changes.push_back("severity " + severity_words(a.confidence) + " -> " +
                      severity_words(b.confidence));
  }
  if (b.combined_score > a.combined_score + 0.1) {
    changes.push_back("score " + score_words(a.combined_score) + " -> " +
                      score_words(b.combined_score));
  }
  if (now.kind == PairKind::named && !then.destinations.empty() && !now.destinations.empty()) {
    const std::set<IpAddress> old(then.destinations.begin(), then.destinations.end());
    if (std::none_of(now.destinations.begin(), now.destinations.end(),
                     [&](const IpAddress& address) { return old.count(address) > 0; })) {
      changes.push_back("other addresses");
    }
  }
  std::string text;
  for (const std::string& change : changes)
    text += (text.empty() ? "" : ", ") + change;
  return text;
}

}  // namespace

Result<PreviousReport> read_previous_report(const std::string& path) {
  if (auto fd = Fd::open_for_reading(path); !fd) return tl::unexpected<Error>(fd.error());
  std::ifstream in(path, std::ios::binary);
  return read_previous_report(in, path);
}

Result<PreviousReport> read_previous_report(std::istream& in, const std::string& path) {
  const auto malformed = [&](std::string cause) {
    return fail(ErrorKind::malformed, "read earlier report", path, std::move(cause) + kRemedy);
  };
  PreviousReport report;
  report.path = path;
  Reader reader(report);
  try {
    const Json document = Json::parse(in, std::ref(reader));
    if (!document.is_object() || document.value("format", Json()) != kReportFormat) {
      return malformed("it is JSON, but no report of a hunt");
    }
    if (document.value("format_version", Json()) != kReportFormatVersion) {
      return malformed("its format_version is not " + std::to_string(kReportFormatVersion));
    }
    if (!reader.problem().empty()) return malformed(reader.problem());
    if (!reader.saw_pairs_end(document)) return malformed("it has no list \"pairs\"");
    Members members(document);
    report.made = members.text("made");
    if (const Json* summary = members.find("summary"); summary != nullptr && summary->is_object()) {
      Members counts(*summary);
      report.unlisted = counts.whole("left_out_by_limit");
      if (!counts.problem().empty()) return malformed(counts.problem());
    }
    if (!members.problem().empty()) return malformed(members.problem());
  } catch (const Json::exception& error) {
    return malformed("no whole JSON document: stops making sense at " + place_in(error.what()));
  }
  return report;
}

void count_changes(HuntReport& report) {
  if (!report.compared) return;
  Comparison& compared = *report.compared;
  compared.fresh = compared.changed = compared.gone = 0;
  for (ScoredPair& pair : report.pairs) {
    if (!shown_by_default(pair)) {
      pair.change = Change::none;
      pair.change_reason.clear();
    }
    compared.fresh += pair.change == Change::fresh ? 1 : 0;
    compared.changed += pair.change == Change::changed ? 1 : 0;
    compared.gone += pair.change == Change::gone ? 1 : 0;
  }
}

void compare_with(const PreviousReport& previous, HuntReport& report) {
  Comparison result;
  result.path = previous.path;
  result.made = previous.made;
  result.unlisted = previous.unlisted;
  std::unordered_map<std::string, const ScoredPair*> before;
  for (const ScoredPair& pair : previous.beacons)
    before.emplace(identity_of(pair), &pair);
  std::set<const ScoredPair*> met;
  for (ScoredPair& pair : report.pairs) {
    const auto found = before.find(identity_of(pair));
    const ScoredPair* then = found == before.end() ? nullptr : found->second;
    if (then != nullptr) met.insert(then);
    if (!pair.verdict.is_beacon) {
      if (then == nullptr) continue;
      pair.change = Change::gone;
      pair.change_reason = "no beacon any more: score " +
                           score_words(then->verdict.combined_score) + " -> " +
                           score_words(pair.verdict.combined_score);
      ++result.gone;
    } else if (then == nullptr) {
      pair.change = Change::fresh;
      if (pair.hidden == Hidden::no) ++result.fresh;
    } else if (std::string changes = what_changed(*then, pair); !changes.empty()) {
      pair.change = Change::changed;
      pair.change_reason = std::move(changes);
      if (pair.hidden == Hidden::no) ++result.changed;
    }
  }
  for (const ScoredPair& then : previous.beacons) {
    if (met.count(&then) > 0 || before[identity_of(then)] != &then) continue;
    ScoredPair gone = then;
    gone.change = Change::gone;
    gone.change_reason = "not seen in these data; last " + to_rfc3339(then.last_seen);
    gone.absent = true;
    report.pairs.push_back(std::move(gone));
    ++result.gone;
  }
  report.compared = std::move(result);
}

}  // namespace beaconry
