#include "http/server_core.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include "base/log.h"
#include "http/response_text.h"

namespace beaconry {
namespace {

constexpr std::size_t kScratch = 256 << 10;
constexpr int kAcceptsAtOnce = 64;
// Refused connections stay for the moment that their answer takes: so many, then none is given.
constexpr std::size_t kMostRefusals = 256;
constexpr std::chrono::milliseconds kCheckPeriod{250};

}  // namespace

ServerCore::ServerCore(const HttpServer::Options& options, HttpHandler& handler,
                       std::size_t most_connections)
    : options_(options),
      handler_(handler),
      most_connections_(most_connections),
      limits_(options.most_connections_a_client, options.requests_a_second_a_client),
      scratch_(kScratch),
      workers_(options.workers, options.most_queued,
               [this](WorkerPool::Job&& job) { work(std::move(job)); }) {
  loop_.every(kCheckPeriod, [this] { check_all(); });
}

ServerCore::~ServerCore() = default;

void ServerCore::listen(Fd socket, bool tls) {
  auto listener = std::make_unique<Listener>();
  listener->socket = std::move(socket);
  listener->tls = tls;
  listener->watch = std::make_unique<Watch>(loop_, listener->socket.get(),
                                            [this, raw = listener.get()] { accept_some(*raw); });
  listener->watch->wait_readable();
  listeners_.push_back(std::move(listener));
}

void ServerCore::set_tls(TlsContext context) {
  const std::lock_guard lock(tls_mutex_);
  tls_ = std::move(context);
}

Stream ServerCore::accept(Fd socket) {
  std::optional<TlsContext> context;
  {
    const std::lock_guard lock(tls_mutex_);
    context = tls_;
  }
  return context ? Stream::accept(std::move(socket), *context) : Stream(std::move(socket));
}

void ServerCore::accept_some(Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    HttpPeer peer;
    Fd socket = accept_from(listener.socket.get(), peer);
    if (socket) {
      admit_connection(std::move(socket), peer, listener.tls);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      // To wait for the listener would return at once: check_all() tries again.
      evict_one();
      return;
    }
    if (errno != EINTR && errno != ECONNABORTED) break;
  }
  listener.watch->wait_readable();
}

void ServerCore::admit_connection(Fd socket, const HttpPeer& peer, bool tls) {
  ++counters_.connections;
  const auto place = peer.unix_socket ? std::optional<IpAddress>(IpAddress{})
                                      : limits_.connect(peer.address, ClientLimits::Clock::now());
  const bool full = connections_.size() >= most_connections_ && !evict_one();
  if (place && !full) {
    const bool either = tls && options_.tls && options_.tls->or_plain;
    Stream stream = tls && !either ? accept(std::move(socket)) : Stream(std::move(socket));
    const std::uint64_t id = next_id_++;
    auto made = std::make_unique<Connection>(*this, id, std::move(stream), peer, *place);
    Connection& connection = *made;
    connections_.emplace(id, std::move(made));
    ++counters_.open;
    either ? connection.begin_either() : connection.begin();
    return;
  }
  ++counters_.refused_connections;
  if (place) limits_.disconnect(*place);
  if (tls || connections_.size() >= most_connections_ + kMostRefusals) return;
  const std::uint64_t id = next_id_++;
  auto made = std::make_unique<Connection>(*this, id, Stream(std::move(socket)), peer, IpAddress{});
  Connection& connection = *made;
  connections_.emplace(id, std::move(made));
  ++counters_.open;
  HttpResponse response = place ? error_response(503, "the server has no place for a connection")
                                : error_response(429, "too many connections from this address");
  response.headers.emplace_back("Retry-After", "5");
  connection.refuse(std::move(response));
}

bool ServerCore::evict_one() {
  if (idle_.empty()) return false;
  ++counters_.evicted;
  idle_.front()->end_soon();
  return true;
}

void ServerCore::become_idle(Connection& connection) {
  connection.idle_position = idle_.insert(idle_.end(), &connection);
}

void ServerCore::become_busy(Connection& connection) {
  idle_.erase(connection.idle_position);
}

void ServerCore::drop(Connection& connection) {
  const auto found = connections_.find(connection.id());
  if (found == connections_.end()) return;
  limits_.disconnect(connection.place());
  if (dropped_.empty()) loop_.post([this] { dropped_.clear(); });
  dropped_.push_back(std::move(found->second));
  connections_.erase(found);
  --counters_.open;
}

Connection* ServerCore::find(std::uint64_t id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

void ServerCore::wake(std::uint64_t id) {
  loop_.post([this, id] {
    if (Connection* const connection = find(id)) connection->progress();
  });
}

bool ServerCore::hand_out(std::uint64_t connection, HttpRequest&& request) {
  return workers_.post({connection, std::move(request)});
}

void ServerCore::work(WorkerPool::Job&& job) {
  auto response = std::make_shared<HttpResponse>();
  const std::string what = job.request.method + " " + job.request.path();
  try {
    *response = handler_.handle(std::move(job.request));
  } catch (const std::exception& error) {
    log_error("handle " + what + ": " + error.what());
    *response = error_response(500, "internal error");
  } catch (...) {
    log_error("handle " + what + ": unknown exception");
    *response = error_response(500, "internal error");
  }
  loop_.post([this, id = job.connection, response] {
    if (Connection* const connection = find(id)) {
      connection->answer(std::move(*response));
    } else if (response->events) {
      response->events->close();  // whom it was for is gone
    }
  });
}

void ServerCore::check_all() {
  const auto now = Connection::Clock::now();
  std::vector<Connection*> all;  // check() may drop some
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_)
    all.push_back(connection.get());
  for (Connection* const connection : all)
    connection->check(now);
  for (const auto& listener : listeners_)
    accept_some(*listener);
}

void ServerCore::stop_soon() {
  stopping_ = true;
  listeners_.clear();
  std::vector<Connection*> all;
  for (const auto& [id, connection] : connections_)
    all.push_back(connection.get());
  for (Connection* const connection : all)
    connection->end_soon();
}

void ServerCore::end_connections() {
  workers_.stop();
  listeners_.clear();
  idle_.clear();
  connections_.clear();
  dropped_.clear();
  counters_.open = 0;
  counters_.streams = 0;
}

}  // namespace beaconry
