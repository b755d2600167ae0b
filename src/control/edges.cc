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
    BatchCursor cursor;
    std::vector<std::uint64_t> busy;
  };
  Edge edge;
  std::vector<Incarnation> incarnations;  // the one used last comes last
  bool dirty = false;

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
      auto live = std::make_unique<Live>();
      live->edge = std::move(edge);
      edges_[live->edge.id] = std::move(live);
    }
    for (const CursorRow& row : read_cursors(tables)) {
      const auto found = edges_.find(row.edge);
      auto cursor = BatchCursor::parse(row.cursor);
      if (found == edges_.end() || !cursor) continue;
      found->second->incarnation(row.incarnation).cursor = std::move(*cursor);
    }
    return {};
  });
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
  const std::lock_guard lock(mutex_);
  const auto known = edges_.find(fingerprint);
  Edge wanted;
  if (known != edges_.end()) wanted = known->second->edge;
  wanted.id = fingerprint;
  wanted.kind = kind;
  wanted.last_address = address;
  wanted.last_seen = now;
  auto edge = redeem(sha256_hex(token), wanted, now);
  if (!edge) return edge;
  auto& live = edges_[fingerprint];
  if (!live) live = std::make_unique<Live>();
  live->edge = *edge;
  return edge;
}

Result<void> Edges::revoke(const std::string& id_or_name, Timestamp now) {
  const std::lock_guard lock(mutex_);
  Live* found = nullptr;
  if (const auto at = edges_.find(id_or_name); at != edges_.end()) found = at->second.get();
  std::size_t named = 0;
  for (const auto& [id, live] : edges_) {
    if (found != nullptr && named == 0) break;
    if (live->edge.name != id_or_name || live->edge.revoked) continue;
    ++named;
    found = live.get();
  }
  const auto refuse = [&](ErrorKind kind, std::string cause) {
    return fail(kind, "revoke", "edge '" + terminal_safe(id_or_name) + '\'', std::move(cause));
  };
  if (found == nullptr) return refuse(ErrorKind::not_found, "there is none of this name or key");
  if (named > 1) return refuse(ErrorKind::usage, "several have this name; give the key");
  Edge edge = found->edge;
  edge.revoked = true;
  edge.last_seen = std::max(edge.last_seen, now);
  auto done = database_.transact([&](SQLite::Database& tables) -> Result<void> {
    write_edge(tables, edge);
    return {};
  });
  if (done) found->edge.revoked = true;
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

std::vector<Edges::Edge> Edges::list() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, int> names;
  std::vector<Edge> edges;
  for (const auto& [id, live] : edges_) {
    Edge edge = live->edge;
    edge.missing = 0;
    for (const auto& each : live->incarnations)
      edge.missing += each.cursor.missing();
    names[edge.name] += edge.revoked ? 0 : 1;
    edges.push_back(std::move(edge));
  }
  for (Edge& edge : edges)
    edge.name_conflict = !edge.revoked && names[edge.name] > 1;
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& a, const Edge& b) { return a.name < b.name; });
  return edges;
}

std::optional<Edges::Edge> Edges::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return std::nullopt;
  Edge edge = found->second->edge;
  edge.missing = 0;
  for (const auto& each : found->second->incarnations)
    edge.missing += each.cursor.missing();
  edge.name_conflict =
      !edge.revoked && std::any_of(edges_.begin(), edges_.end(), [&](const auto& other) {
        const Edge& its = other.second->edge;
        return its.id != edge.id && !its.revoked && its.name == edge.name;
      });
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
    live->edge.id = id;
  }
  Live::Incarnation& from = live->incarnation(incarnation);
  live->dirty = true;
  if (sequence == 0 || from.cursor.has(sequence)) {
    ++live->edge.repeated;
    return Claim::repeated;
  }
  if (std::find(from.busy.begin(), from.busy.end(), sequence) != from.busy.end()) {
    return Claim::busy;
  }
  from.busy.push_back(sequence);
  return Claim::fresh;
}

void Edges::settle(const std::string& id, const std::string& incarnation, std::uint64_t sequence,
                   bool accepted) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return;
  Live& live = *found->second;
  Live::Incarnation& from = live.incarnation(incarnation);
  std::erase(from.busy, sequence);
  if (!accepted) return;
  from.cursor.add(sequence);
  ++live.edge.batches;
  live.edge.incarnation = incarnation;
  live.edge.sequence = from.cursor.highest();
  live.dirty = true;
}

void Edges::note(const std::string& id, const News& news) {
  const std::lock_guard lock(mutex_);
  const auto found = edges_.find(id);
  if (found == edges_.end()) return;
  Edge& edge = found->second->edge;
  // An enrolled edge is called what it was enrolled as.
  if (!edge.enrolled && !news.name.empty()) edge.name = terminal_safe(news.name).substr(0, 255);
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
        at = edges_.erase(at);
        continue;
      }
      ++at;
      if (!std::exchange(live.dirty, false)) continue;
      edges.push_back(live.edge);
      std::int64_t order = 0;
      for (const auto& each : live.incarnations) {
        cursors.push_back({live.edge.id, each.name, each.cursor.to_text(), order++});
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
