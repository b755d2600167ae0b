#include "control/coverage.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr const char* kMigrations[] = {
    "CREATE TABLE probe_coverage (probe TEXT PRIMARY KEY, received INTEGER NOT NULL, who TEXT NOT "
    "NULL, report TEXT NOT NULL)"};

std::int64_t number_of(Timestamp time) {
  return time.time_since_epoch().count();
}
Timestamp time_of(const Json& in, const char* key) {
  return Timestamp{Duration{in.value(key, std::int64_t{0})}};
}

Json cycle_json(const EvidenceReport::Cycle& cycle) {
  return {{"number", cycle.number},
          {"begun", number_of(cycle.begun)},
          {"completed", number_of(cycle.completed)}};
}
EvidenceReport::Cycle cycle_in(const Json& json) {
  return {json.value("number", 0U), time_of(json, "begun"), time_of(json, "completed")};
}

std::string text_of(const EvidenceReport& report) {
  Json rows = Json::array(), heard = Json::array();
  for (const auto& row : report.rows) {
    rows.push_back({{"method", row.method},
                    {"tried", row.tried},
                    {"answered", row.answered},
                    {"why_not", row.why_not},
                    {"last_tried", number_of(row.last_tried)},
                    {"last_skipped", number_of(row.last_skipped)}});
  }
  for (const auto& one : report.heard) {
    heard.push_back({{"from", one.from},
                     {"pings", one.pings},
                     {"first", number_of(one.first)},
                     {"last", number_of(one.last)}});
  }
  const Json json{{"name", report.probe_name},
                  {"id", report.probe_id},
                  {"lines", report.lines},
                  {"signatures", report.signatures},
                  {"first", number_of(report.first)},
                  {"last", number_of(report.last)},
                  {"last_signed", number_of(report.last_signed)},
                  {"unsigned_lines", report.unsigned_lines},
                  {"unvouched_lines", report.unvouched_lines},
                  {"lost_tries", report.lost_tries},
                  {"clean_end", report.clean_end},
                  {"summarised_lines", report.summarised_lines},
                  {"last_sequence", report.last_sequence},
                  {"last_short", cycle_json(report.last_short)},
                  {"last_long", cycle_json(report.last_long)},
                  {"rows", rows},
                  {"heard", heard}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// As it was written above: what is missing is zero.
EvidenceReport report_in(const Json& json) {
  EvidenceReport report;
  report.probe_name = json.value("name", "");
  report.probe_id = json.value("id", "");
  report.lines = json.value("lines", std::uint64_t{0});
  report.signatures = json.value("signatures", std::uint64_t{0});
  report.first = time_of(json, "first");
  report.last = time_of(json, "last");
  report.last_signed = time_of(json, "last_signed");
  report.unsigned_lines = json.value("unsigned_lines", std::uint64_t{0});
  report.unvouched_lines = json.value("unvouched_lines", std::uint64_t{0});
  report.lost_tries = json.value("lost_tries", std::uint64_t{0});
  report.clean_end = json.value("clean_end", false);
  report.summarised_lines = json.value("summarised_lines", std::uint64_t{0});
  report.last_sequence = json.value("last_sequence", std::uint64_t{0});
  report.last_short = cycle_in(json.value("last_short", Json::object()));
  report.last_long = cycle_in(json.value("last_long", Json::object()));
  for (const Json& row : json.value("rows", Json::array())) {
    report.rows.push_back({row.value("method", ""), row.value("tried", std::uint64_t{0}),
                           row.value("answered", std::uint64_t{0}), row.value("why_not", ""),
                           time_of(row, "last_tried"), time_of(row, "last_skipped")});
  }
  for (const Json& one : json.value("heard", Json::array())) {
    report.heard.push_back({one.value("from", ""), one.value("pings", std::uint64_t{0}),
                            time_of(one, "first"), time_of(one, "last")});
  }
  return report;
}

// A file that goes with this object: what checks records reads them from disk.
class Scratch {
 public:
  ~Scratch() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  Result<void> write(std::string_view content) {
    const char* base = std::getenv("TMPDIR");
    path_ = std::string(base != nullptr ? base : "/tmp") + "/beaconry-evidence-XXXXXX";
    const Fd file(::mkstemp(path_.data()));
    if (!file) {
      const std::string pattern = std::exchange(path_, {});
      return fail_errno("make", pattern);
    }
    while (!content.empty()) {
      const auto written = ::write(file.get(), content.data(), content.size());
      if (written <= 0) return fail_errno("write", path_);
      content.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

tl::unexpected<Error> refuse(std::string cause) {
  return fail(ErrorKind::usage, "take", "the record", std::move(cause));
}

// The record's first line, before anything of it is believed: whose it says to be.
std::optional<ProbeId> named_probe(std::string_view file) {
  const std::string_view line = file.substr(0, std::min<std::size_t>(file.find('\n'), 4096));
  if (line.rfind("beaconry-evidence ", 0) != 0) return std::nullopt;
  for (const std::string_view word : split(line, ' ')) {
    if (word.rfind("id=", 0) == 0) return ProbeId::parse(word.substr(3));
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Coverage>> Coverage::open(Database& database) {
  if (auto done = database.migrate("coverage", kMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Coverage> coverage(new Coverage(database));
  if (auto done = coverage->load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return coverage;
}

Result<void> Coverage::load() {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement rows(tables, "SELECT probe, received, who, report FROM probe_coverage");
    while (rows.executeStep()) {
      const std::string probe = rows.getColumn(0).getString();
      const Json json = Json::parse(rows.getColumn(3).getString(), nullptr, false);
      try {
        kept_[probe] = {report_in(json), time_in(rows.getColumn(1)), rows.getColumn(2).getString()};
      } catch (const Json::exception&) {
        log_warning("the record of probe " + probe + " cannot be read; bring its file again");
      }
    }
    return {};
  });
}

Result<Coverage::Kept> Coverage::take(std::string_view file, const Probes& probes,
                                      const std::string& who, Timestamp now) {
  const auto id = named_probe(file);
  if (!id) return refuse("it is none that a probe wrote with --evidence");
  const auto probe = probes.find(*id);
  if (!probe) {
    return refuse("this server knows no probe " + id->to_string() +
                  "; 'beaconry probes' lists them");
  }
  Scratch scratch;
  if (auto written = scratch.write(file); !written) {
    return tl::unexpected<Error>(std::move(written.error()));
  }
  auto report = verify_evidence(scratch.path(), &probe->sign_public);
  if (!report) {
    Error error = std::move(report.error());
    for (std::string* words : {&error.subject, &error.cause}) {
      const auto at = words->find(scratch.path());
      if (at != std::string::npos) words->replace(at, scratch.path().size(), "the record");
    }
    return tl::unexpected<Error>(std::move(error));
  }
  Kept kept{std::move(*report), now, who};
  const std::lock_guard lock(mutex_);
  const auto before = kept_.find(id->to_string());
  if (before != kept_.end() && before->second.report.last_signed > kept.report.last_signed) {
    return refuse("a newer one is here, signed at " +
                  to_rfc3339(before->second.report.last_signed) + "; this one is of " +
                  to_rfc3339(kept.report.last_signed));
  }
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement write(tables, "INSERT OR REPLACE INTO probe_coverage VALUES (?, ?, ?, ?)");
    write.bind(1, id->to_string());
    write.bind(2, to_column(now));
    write.bind(3, who);
    write.bind(4, text_of(kept.report));
    write.exec();
    return {};
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  kept_[id->to_string()] = kept;
  return kept;
}

std::optional<Coverage::Kept> Coverage::find(ProbeId probe) const {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(probe.to_string());
  return found == kept_.end() ? std::nullopt : std::optional(found->second);
}

ZoneMatrix zone_matrix(const std::vector<KeptProbe>& probes, const Coverage& coverage,
                       Timestamp now) {
  struct Listener {
    const KeptProbe* probe;
    std::optional<Coverage::Kept> kept;
  };
  std::vector<Listener> listeners;
  std::set<std::string> senders;
  bool any = false;
  for (const KeptProbe& probe : probes) {
    if (probe.is_retired(now) || probe.successor) continue;
    listeners.push_back({&probe, coverage.find(probe.id)});
    senders.insert(probe.name);
    any = any || !probe.peers.empty();
    if (!listeners.back().kept) continue;
    for (const auto& heard : listeners.back().kept->report.heard) {
      senders.insert(heard.from);
      any = true;
    }
  }
  ZoneMatrix matrix;
  if (!any) return matrix;  // nobody speaks to anybody
  matrix.senders.assign(senders.begin(), senders.end());
  const auto may_reach = [&](const std::string& sender, const std::string& listener) {
    for (const Listener& one : listeners) {
      if (one.probe->name != sender) continue;
      for (const ProbePeer& peer : one.probe->peers) {
        if (peer.name == listener) return std::optional<bool>(peer.may_reach);
      }
    }
    return std::optional<bool>();
  };
  for (const Listener& one : listeners) {
    ZoneMatrix::Row row{one.probe->name, {}};
    for (const std::string& sender : matrix.senders) {
      ZoneMatrix::Cell cell;
      cell.may_reach = may_reach(sender, one.probe->name);
      if (one.kept) {
        cell.state = ZoneMatrix::State::silent;
        for (const auto& heard : one.kept->report.heard) {
          if (heard.from != sender) continue;
          cell = {ZoneMatrix::State::reached, cell.may_reach, heard.pings, heard.first, heard.last};
        }
      }
      row.cells.push_back(cell);
    }
    matrix.rows.push_back(std::move(row));
  }
  return matrix;
}

std::string_view to_string(ZoneMatrix::State state) {
  switch (state) {
    case ZoneMatrix::State::reached:
      return "reached";
    case ZoneMatrix::State::silent:
      return "silent";
    case ZoneMatrix::State::unknown:
      break;
  }
  return "unknown";
}

}  // namespace beaconry
