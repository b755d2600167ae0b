#include "source/follow.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "source/flow_join.h"
#include "source/follow_state.h"
#include "source/followed_log.h"
#include "source/log_parser.h"
#include "source/read.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLogs = 64;  // of one folder

std::string source_of(const FollowOptions& options) {
  return (options.kind == FollowKind::zeek ? "zeek:" : "suricata:") + options.path;
}

// Is this the name of a log that Zeek writes now ("conn.log", "json_streaming_dns.log"), of a kind
// that is needed? Rotated ones have dates and numbers in theirs.
bool is_zeek_log(std::string_view name) {
  constexpr std::string_view kEnd = ".log", kStreaming = "json_streaming_";
  if (!name.ends_with(kEnd)) return false;
  std::string_view stem = name.substr(0, name.size() - kEnd.size());
  if (stem.starts_with(kStreaming)) stem.remove_prefix(kStreaming.size());
  if (stem.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string_view::npos) return false;
  return log_kind_of_path(stem).value_or(LogKind::other) != LogKind::other;
}

// Hands on, and forgets the names of flows that are over.
class Forgetting final : public FlowSink {
 public:
  explicit Forgetting(FlowNames& names) : names_(names) {}

  void add(const FlowEvent& event) override {
    to->add(event);
    if (event.kind == FlowEventKind::close && !event.id.empty()) {
      names_.forget(FlowNames::hash(event.id));
    }
  }
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override {
    to->add_host_name(host, name, time);
  }
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override {
    to->add_address_name(address, name, time);
  }

  FlowSink* to = nullptr;

 private:
  FlowNames& names_;
};

ReadOptions read_options(const FollowOptions& options) {
  ReadOptions read;
  read.networks = options.networks;
  read.burst_gap = options.burst_gap;
  read.memory_limit = options.memory_limit;
  return read;
}

class Follower final : public LogFollower {
 public:
  explicit Follower(const FollowOptions& options)
      : options_(options),
        read_options_(read_options(options)),
        // Half of what it is given goes to names.
        join_(options.burst_gap, 2 * options.memory_limit),
        sink_(join_.names),
        sinks_{&sink_},
        reading_{read_options_, sinks_, report_, join_},
        parser_(reading_, sink_) {
    join_.live = true;
  }

  Result<void> go_on(std::string_view checkpoint) {
    auto state = parse_follow_state(checkpoint);
    if (!state) return tl::unexpected<Error>(state.error());
    if (state->source != source_of(options_)) {
      return fail(ErrorKind::malformed, "follow", source_of(options_),
                  "the checkpoint is of " + terminal_safe(state->source));
    }
    for (const auto& flow : state->flows) {
      if (!join_.names.restore(flow)) ++counters_.names_forgotten;
    }
    restored_ = std::move(*state);
    return {};
  }

  bool poll(FlowSink& sink, Timestamp now) override;
  std::string checkpoint() const override;
  FollowCounters counters() const override;
  const ReadReport& report() const override { return report_; }

 private:
  // The logs of the folder; new ones may come at any time.
  void find_logs(Timestamp now);
  void add_log(const std::string& path, Timestamp now);
  // Reads by one kind of cursor of all files. False if the budget ended it.
  bool read_all(LogPass pass, Timestamp now);
  bool read_file(FollowedFile& file, LogPass pass, std::uint64_t limit, bool last);
  void drop_finished(Timestamp now);

  FollowOptions options_;
  ReadOptions read_options_;
  FlowJoin join_;
  ReadReport report_;
  Forgetting sink_;
  FlowSink* sinks_[1];
  LogReading reading_;
  LogParser parser_;
  std::map<std::string, FollowedLog> logs_;
  FollowState restored_;  // what no poll has taken up yet
  FollowCounters counters_;
  std::uint64_t budget_ = 0;
  bool first_poll_ = true;
  LineChunk chunk_;
};

void Follower::add_log(const std::string& path, Timestamp now) {
  if (logs_.contains(path) || logs_.size() >= kMostLogs) return;
  FollowedLog& log = logs_.try_emplace(path, path, options_.linger).first->second;
  const auto state = std::find_if(restored_.streams.begin(), restored_.streams.end(),
                                  [&](const StreamState& one) { return one.path == path; });
  if (state != restored_.streams.end()) {
    log.go_on(*state, now, counters_);
    return;
  }
  log.begin();
  if (first_poll_ && options_.from_end) log.skip_to_end(now, counters_);
}

void Follower::find_logs(Timestamp now) {
  if (first_poll_) {
    for (const StreamState& stream : restored_.streams)
      add_log(stream.path, now);
  }
  std::error_code error;
  if (options_.kind == FollowKind::zeek && fs::is_directory(options_.path, error)) {
    for (fs::directory_iterator entry(options_.path, error), end; !error && entry != end;
         entry.increment(error)) {
      if (is_zeek_log(entry->path().filename().string())) add_log(entry->path().string(), now);
    }
  } else if (fs::exists(options_.path, error)) {
    add_log(options_.path, now);
  }
  if (first_poll_ && !restored_.source.empty()) restored_ = {};
  first_poll_ = false;
}

bool Follower::poll(FlowSink& sink, Timestamp now) {
  sink_.to = &sink;
  budget_ = options_.most_bytes_a_poll;
  find_logs(now);
  for (auto& [path, log] : logs_)
    log.look(now, counters_);
  // Names that came before a flow's row was old enough are known then.
  const bool done = read_all(LogPass::names, now) && read_all(LogPass::flows, now);
  if (done) drop_finished(now);
  if (join_.names.memory() > options_.memory_limit / 4 * 3) {
    counters_.names_forgotten += join_.names.shrink(options_.memory_limit / 2);
  }
  sink_.to = nullptr;
  return !done;
}

bool Follower::read_all(LogPass pass, Timestamp now) {
  for (auto& [path, log] : logs_) {
    for (const auto& file : log.files()) {
      const bool last = !file->current && now >= file->retire;
      if (file->failed || !file->decide(last)) continue;
      const bool reads = pass == LogPass::names ? file->reads_names() : file->reads_flows();
      if (!reads) continue;
      const bool at_once = last || pass == LogPass::names || !file->plain();
      const std::uint64_t limit = at_once ? (file->plain() ? file->size() : UINT64_MAX)
                                          : file->size_before(now, options_.name_wait);
      if (!read_file(*file, pass, limit, last)) return false;
    }
  }
  return true;
}

bool Follower::read_file(FollowedFile& file, LogPass pass, std::uint64_t limit, bool last) {
  FollowedFile::Cursor& cursor = pass == LogPass::names ? file.names : file.flows;
  const bool both = file.reads_names() && file.reads_flows();
  for (;;) {
    ScannedChunk scanned;
    const std::uint64_t before = cursor.offset;
    const auto more = file.next(cursor, limit, last, chunk_, scanned);
    if (!more) {
      report_.fail_input(file.path(), more.error().cause);
      log_warning(more.error().message());
      file.failed = true;
      return true;
    }
    const std::uint64_t bytes = cursor.offset - before;
    counters_.bytes += bytes;
    budget_ -= std::min(budget_, bytes);
    if (!*more) return true;
    auto outcome = parser_.parse(file.content(), both ? pass : LogPass::all, chunk_, scanned);
    counters_.flows += outcome.flows;
    counters_.bad_lines += outcome.bad.total();
    report_.count_records(outcome.flows);
    outcome.bad.report_to(report_, file.path());
    if (budget_ == 0) return false;
  }
}

void Follower::drop_finished(Timestamp now) {
  for (auto& [path, log] : logs_) {
    std::vector<const FollowedFile*> finished;
    for (const auto& file : log.files()) {
      if (!file->current && now >= file->retire) finished.push_back(file.get());
    }
    for (const FollowedFile* file : finished)
      log.drop(*file);
  }
}

std::string Follower::checkpoint() const {
  FollowState state;
  state.source = source_of(options_);
  for (const auto& [path, log] : logs_)
    state.streams.push_back(log.state());
  if (first_poll_) state.streams = restored_.streams;
  state.flows = join_.names.save();
  return to_text(state);
}

FollowCounters Follower::counters() const {
  FollowCounters counters = counters_;
  counters.files_open = 0;
  for (const auto& [path, log] : logs_)
    counters.files_open += log.files().size();
  return counters;
}

}  // namespace

Result<FollowOptions> parse_follow_source(std::string_view text) {
  FollowOptions options;
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  if (colon == std::string_view::npos || (kind != "zeek" && kind != "suricata") ||
      colon + 1 == text.size()) {
    return fail(ErrorKind::usage, "follow", terminal_safe(text),
                "write zeek:FOLDER or suricata:FILE, such as zeek:/nsm/zeek/logs/current or "
                "suricata:/var/log/suricata/eve.json");
  }
  options.kind = kind == "zeek" ? FollowKind::zeek : FollowKind::suricata;
  options.path = text.substr(colon + 1);
  while (options.path.size() > 1 && options.path.back() == '/')
    options.path.pop_back();
  return options;
}

Result<std::unique_ptr<LogFollower>> LogFollower::open(const FollowOptions& options,
                                                       std::optional<std::string_view> checkpoint) {
  auto follower = std::make_unique<Follower>(options);
  if (checkpoint) {
    if (auto done = follower->go_on(*checkpoint); !done) {
      return tl::unexpected<Error>(done.error());
    }
  }
  return std::unique_ptr<LogFollower>(std::move(follower));
}

}  // namespace beaconry
