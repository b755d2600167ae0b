#include "control/edges.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "control/edge_rows.h"
#include "http/certificates.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr std::string_view kPrefix = "bce_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLongestName = 255;  // of a host
constexpr std::uint64_t kMostTokens = 10'000;
constexpr auto kForgotten = std::chrono::hours{24 * 30};

tl::unexpected<Error> refuse_token(std::string cause) {
  return fail(ErrorKind::usage, "enrol", "this edge", std::move(cause));
}

bool is_printable(const std::string& name) {
  return !name.empty() && name.size() <= kLongestName && terminal_safe(name) == name;
}

}  // namespace

struct Edges::Live {
  struct Incarnation {
    std::string name;
    BatchStream stream;
    std::vector<std::uint64_t> busy;
  };
  Edge edge;
  std::vector<Incarnation> incarnations;  // the one used last comes last
  bool dirty = false;

  Edge told(Timestamp now) const {
    Edge all = edge;
    all.missing = all.unexplained = 0;
    all.complete_up_to.reset();
    for (const Incarnation& each : incarnations) {
      all.missing += each.stream.cursor().missing();
      all.unexplained += each.stream.unexplained();
      if (const auto time = each.stream.complete_up_to(now)) all.complete_up_to = time;
    }
    return all;
  }
  Incarnation& incarnation(const std::string& name) {
    const auto found = std::find_if(incarnations.begin(), incarnations.end(),
                                    [&](const Incarnation& each) { return each.name == name; });
    if (found != incarnations.end()) {
      std::rotate(found, found + 1, incarnations.end());
    } else {
      if (incarnations.size() == kMostIncarnations) incarnations.erase(incarnations.begin());
      incarnations.push_back({name, {}, {}});
    }
    return incarnations.back();
  }
};

Edges::Edges(Database& database) : database_(database) {}
Edges::~Edges() = default;

std::string Edges::unenrolled_id(std::string_view name) {
  return "name:" + std::string(name.substr(0, kLongestName));
}

Result<std::unique_ptr<Edges>> Edges::open(Database& database) {
  if (auto done = database.migrate("edges", kEdgeMigrations); !done) {
    return tl::unexpected<Error>(std::move(done.error()));
  }
  std::unique_ptr<Edges> edges(new Edges(database));
  if (auto done = edges->load(); !done) return tl::unexpected<Error>(std::move(done.error()));
  return edges;
}

Result<void> Edges::load() {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    for (Edge& edge : read_edges(tables)) {
      auto& live = edges_[edge.id];
      live = std::make_unique<Live>();
      put(*live, std::move(edge));
    }
    for (const CursorRow& row : read_cursors(tables)) {
      const auto found = edges_.find(row.edge);
      auto cursor = BatchCursor::parse(row.cursor);
      if (found == edges_.end() || !cursor) continue;
      auto stream = BatchStream::parse(std::move(*cursor), row.stream);
      if (stream) found->second->incarnation(row.incarnation).stream = std::move(*stream);
    }
    return {};
  });
}

void Edges::put(Live& live, Edge edge) {
  count_name(live.edge, false);
  live.edge = std::move(edge);
  count_name(live.edge, true);
}

void Edges::count_name(const Edge& edge, bool more) {
  if (edge.id.empty() || edge.revoked) return;
  std::size_t& named = names_[edge.name];
  named = more ? named + 1 : named - 1;
  if (named == 0) names_.erase(edge.name);
}

bool Edges::has_namesake(const Edge& edge) const {
  const auto found = names_.find(edge.name);
  return !edge.revoked && found != names_.end() && found->second > 1;
}

Result<std::string> Edges::make_token(const std::string& kind, const std::string& name,
                                      Timestamp expires, const std::string& who, Timestamp now) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::usage, "enrol", terminal_safe(kind + " '" + name) + '\'',
                std::move(cause));
  };
  if (kind != "collector" && kind != "home" && kind != "sensor") {
    return refuse("an edge is a collector, a home or a sensor");
  }
  if (!is_printable(name)) return refuse("give it a name of 1 to 255 printable characters");
  if (expires <= now) return refuse("the token would have expired already");
  std::string secret = std::string(kPrefix) + random_hex(kSecretBytes);
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement old(tables, "DELETE FROM edge_token WHERE expires < ?");
    old.bind(1, to_column(now - kForgotten));
    old.exec();
    if (count_in(tables.execAndGet("SELECT count(*) FROM edge_token")) >= kMostTokens) {
      return refuse("too many tokens wait to be used; let some expire");
    }
    SQLite::Statement insert(tables,
                             "INSERT INTO edge_token VALUES (?, ?, ?, ?, ?, ?, NULL, NULL)");
    insert.bind(1, sha256_hex(secret));
    insert.bind(2, kind);
    insert.bind(3, name);
    insert.bind(4, to_column(now));
    insert.bind(5, who);
    insert.bind(6, to_column(expires));
    insert.exec();
    return {};
  });
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return secret;
}

// Uses the token and writes the edge, or neither.
Result<Edges::Edge> Edges::redeem(const std::string& hash, const Edge& wanted, Timestamp now) {
  return database_.transact([&](SQLite::Database& tables) -> Result<Edge> {
    SQLite::Statement token(tables,
                            "SELECT kind, name, expires, used_by FROM edge_token WHERE hash = ?");
    token.bind(1, hash);
    if (!token.executeStep()) {
      return refuse_token("the token is not known; make one with 'beaconry enroll'");
    }
    Edge edge = wanted;
    const std::string kind = token.getColumn(0).getString();
    edge.name = token.getColumn(1).getString();
    const bool used = !token.getColumn(3).isNull();
    // The answer to the first time may have been lost on its way.
    const bool again = used && token.getColumn(3).getString() == edge.id;
    if (used && !again) return refuse_token("the token was used already; make another");
    if (kind != edge.kind) return refuse_token("the token is for a " + kind);
    if (!again && time_in(token.getColumn(2)) <= now) {
      return refuse_token("the token has expired; make another");
    }
    if (edge.revoked) {
      return refuse_token(
          "its key was revoked; remove edge.key and edge.crt there to make another");
    }
    edge.enrolled = true;
    if (!again) {
      ++edge.enrolments;
      edge.enrolled_at = now;
    }
    SQLite::Statement use(tables, "UPDATE edge_token SET used_by = ?, used_at = ? WHERE hash = ?");
    use.bind(1, edge.id);
    use.bind(2, to_column(now));
    use.bind(3, hash);
    use.exec();
    write_edge(tables, edge);
    return edge;
  });
}

Result<Edges::Edge> Edges::enrol(std::string_view token, const std::string& kind,
                                 const std::string& name, const std::string& fingerprint,
                                 const std::string& address, Timestamp now) {
  if (!is_printable(name)) return refuse_token("its name must be 1 to 255 printable characters");
  if (fingerprint.empty()) return refuse_token("it showed no key; join by https");
  const std::lock_guard one(saving_);
  Edge wanted = edge_of(fingerprint).value_or(Edge{});
  wanted.id = fingerprint;
  wanted.kind = kind;
  wanted.last_address = address;
  wanted.last_seen = now;
  auto edge = redeem(sha256_hex(token), wanted, now);
  if (!edge) return edge;
  change(fingerprint, [&](Edge& known) {
    known.id = fingerprint;
    known.kind = kind;
    known.name = edge->name;
    known.enrolled = true;
    known.enrolments = edge->enrolments;
    known.enrolled_at = edge->enrolled_at;
    known.last_address = address;
    known.last_seen = std::max(known.last_seen, now);
  });
  return edge;
}

std::optional<Edges::Edge> Edges::edge_of(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  return found == edges_.end() ? std::nullopt : std::optional(found->second->edge);
}

template <class Change>
void Edges::change(const std::string& id, const Change& change) {
  const std::lock_guard lock(mutex_);
  auto& live = edges_[id];
  if (!live) live = std::make_unique<Live>();
  Edge edge = live->edge;
  change(edge);
  put(*live, std::move(edge));
}

Result<void> Edges::write(const Edge& edge) {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    write_edge(tables, edge);
    return {};
  });
}

Result<void> Edges::rename(const std::string& id, const std::string& name) {
  const auto refuse = [&](ErrorKind kind, std::string cause) {
    return fail(kind, "rename", "edge '" + terminal_safe(id) + '\'', std::move(cause));
  };
  if (!is_printable(name))
    return refuse(ErrorKind::usage, "give it a name of 1 to 255 printable characters");
  const std::lock_guard one(saving_);
  auto edge = edge_of(id);
  if (!edge) return refuse(ErrorKind::not_found, "there is none of this key");
  if (edge->name == name) return {};
  edge->name = name;
  auto done = write(*edge);
  if (done) change(id, [&](Edge& known) { known.name = name; });
  return done;
}

Result<void> Edges::revoke(const std::string& id_or_name, Timestamp now) {
  const std::lock_guard one(saving_);
  auto edge = edge_of(id_or_name);
  std::size_t named = 0;
  if (!edge) {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, live] : edges_) {
      if (live->edge.name != id_or_name || live->edge.revoked) continue;
      ++named;
      edge = live->edge;
    }
  }
  const auto refuse = [&](ErrorKind kind, std::string cause) {
    return fail(kind, "revoke", "edge '" + terminal_safe(id_or_name) + '\'', std::move(cause));
  };
  if (!edge) return refuse(ErrorKind::not_found, "there is none of this name or key");
  if (named > 1) return refuse(ErrorKind::usage, "several have this name; give the key");
  const auto revoked = [&](Edge& known) {
    known.revoked = true;
    known.last_seen = std::max(known.last_seen, now);
  };
  revoked(*edge);
  auto done = write(*edge);
  if (done) change(edge->id, revoked);
  return done;
}

bool Edges::is_enrolled(std::string_view fingerprint) const {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(fingerprint);
  return found != edges_.end() && found->second->edge.enrolled && !found->second->edge.revoked;
}

bool Edges::needs_key(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return false;
  const Edge& edge = found->second->edge;
  return edge.enrolled || edge.revoked || !edge.via.empty();
}

std::vector<Edges::Edge> Edges::list(Timestamp now) const {
  const std::lock_guard lock(mutex_);
  std::vector<Edge> edges;
  for (const auto& [id, live] : edges_) {
    edges.push_back(live->told(now));
    edges.back().name_conflict = has_namesake(edges.back());
  }
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& a, const Edge& b) { return a.name < b.name; });
  return edges;
}

std::optional<Edges::Edge> Edges::find(const std::string& id, Timestamp now) const {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return std::nullopt;
  Edge edge = found->second->told(now);
  edge.name_conflict = has_namesake(edge);
  return edge;
}

Edges::Claim Edges::claim(const std::string& id, const std::string& incarnation,
                          std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) {
    const auto unknown = std::count_if(
        edges_.begin(), edges_.end(), [](const auto& each) { return !each.second->edge.enrolled; });
    if (static_cast<std::size_t>(unknown) >= kMostUnknown) return Claim::full;
  }
  auto& live = found == edges_.end() ? edges_[id] : found->second;
  if (!live) {
    live = std::make_unique<Live>();
    Edge edge;
    edge.id = id;
    put(*live, std::move(edge));
  }
  Live::Incarnation& from = live->incarnation(incarnation);
  live->dirty = true;
  if (sequence == 0 || from.stream.cursor().has(sequence)) {
    ++live->edge.repeated;
    return Claim::repeated;
  }
  if (std::find(from.busy.begin(), from.busy.end(), sequence) != from.busy.end()) {
    return Claim::busy;
  }
  from.busy.push_back(sequence);
  return Claim::fresh;
}

void Edges::settle(const std::string& id, const std::string& incarnation,
                   const BatchStream::Batch& batch, bool accepted, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return;
  Live& live = *found->second;
  Live::Incarnation& from = live.incarnation(incarnation);
  std::erase(from.busy, batch.sequence);
  if (!accepted) return;
  from.stream.take(batch, now);
  ++live.edge.batches;
  live.edge.incarnation = incarnation;
  live.edge.sequence = from.stream.cursor().highest();
  live.dirty = true;
}

void Edges::refuse(const std::string& id, const std::string& incarnation, std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return;
  Live& live = *found->second;
  ++live.edge.refused;
  live.dirty = true;
  for (auto& each : live.incarnations) {
    if (each.name == incarnation) each.stream.refuse(sequence);
  }
}

void Edges::note(const std::string& id, const News& news) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return;
  Edge& edge = found->second->edge;
  // An enrolled edge is called what it was enrolled as.
  if (!edge.enrolled && !news.name.empty()) {
    count_name(edge, false);
    edge.name = terminal_safe(news.name).substr(0, kLongestName);
    count_name(edge, true);
  }
  if (!news.via.empty() && !edge.enrolled) {
    edge.via = news.via;
    edge.kind = "instrument";
  }
  if (!news.address.empty()) edge.last_address = news.address;
  edge.last_seen = std::max(edge.last_seen, news.seen);
  if (news.clock_skew) edge.clock_skew = news.clock_skew;
  edge.events += news.events;
  if (news.dropped) edge.dropped = *news.dropped;
  if (!news.counters.empty()) edge.counters = news.counters;
  found->second->dirty = true;
}

Result<void> Edges::save(Timestamp now) {
  const std::lock_guard one(saving_);
  std::vector<Edge> edges;
  std::vector<CursorRow> cursors;
  std::vector<std::string> forgotten;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = edges_.begin(); at != edges_.end();) {
      Live& live = *at->second;
      if (!live.edge.enrolled && !live.edge.revoked && live.edge.last_seen != Timestamp{} &&
          live.edge.last_seen + kForgotten < now) {
        forgotten.push_back(at->first);
        count_name(live.edge, false);
        at = edges_.erase(at);
        continue;
      }
      ++at;
      if (!std::exchange(live.dirty, false)) continue;
      edges.push_back(live.edge);
      std::int64_t order = 0;
      for (const auto& each : live.incarnations) {
        cursors.push_back({live.edge.id, each.name, each.stream.cursor().to_text(), order++,
                           each.stream.to_text()});
      }
    }
  }
  if (edges.empty() && forgotten.empty()) return {};
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    for (const std::string& id : forgotten)
      remove_edge(tables, id);
    for (const Edge& edge : edges) {
      write_edge(tables, edge);
      remove_cursors(tables, edge.id);
    }
    for (const CursorRow& row : cursors)
      write_cursor(tables, row);
    return {};
  });
  if (done) return done;
  const std::lock_guard lock(mutex_);
  for (const Edge& edge : edges) {
    if (const auto found = edges_.find(edge.id); found != edges_.end()) found->second->dirty = true;
  }
  return done;
}

}  // namespace beaconry
