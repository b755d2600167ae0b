#pragma once
#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "http/client_limits.h"
#include "http/connection.h"
#include "http/endpoint.h"
#include "http/event_loop.h"
#include "http/server.h"
#include "http/tls_context.h"
#include "http/worker_pool.h"

namespace beaconry {

// What the server's connections share. Everything but what says otherwise belongs to the loop.
class ServerCore {
 public:
  struct Counters {  // any thread
    std::atomic<std::uint64_t> connections{0}, open{0}, requests{0}, evicted{0};
    std::atomic<std::uint64_t> refused_connections{0}, rate_limited{0}, timed_out{0}, malformed{0};
    std::atomic<std::uint64_t> tls_failures{0}, overloaded{0}, streams{0}, streams_cut{0};
  };

  ServerCore(const HttpServer::Options& options, HttpHandler& handler,
             std::size_t most_connections);
  ~ServerCore();

  void listen(Fd socket, bool tls);  // before the loop runs
  Stream accept(Fd socket);          // in TLS, if there is a certificate
  void set_tls(TlsContext context);  // any thread
  void stop_soon();                  // no new connections, no further requests
  void end_connections();            // when the loop does not run any more
  Connection* find(std::uint64_t id) const;
  // Any thread: lets a connection go on, if it is still there.
  void wake(std::uint64_t id);

  // Of connections.
  void become_idle(Connection& connection);
  void become_busy(Connection& connection);
  void drop(Connection& connection);  // it is destroyed once its caller has returned to the loop
  bool hand_out(std::uint64_t connection, HttpRequest&& request);

  HttpHandler& handler() { return handler_; }
  const HttpServer::Options& options() const { return options_; }
  EventLoop& loop() { return loop_; }
  ClientLimits& limits() { return limits_; }
  Counters& counters() { return counters_; }
  std::span<char> scratch() { return scratch_; }  // for one read
  bool is_stopping() const { return stopping_; }

 private:
  struct Listener {
    Fd socket;
    bool tls = false;
    std::unique_ptr<Watch> watch;
  };

  void accept_some(Listener& listener);
  void admit_connection(Fd socket, const HttpPeer& peer, bool tls);
  bool evict_one();
  void check_all();
  void work(WorkerPool::Job&& job);  // on a worker

  const HttpServer::Options options_;
  HttpHandler& handler_;
  const std::size_t most_connections_;
  Counters counters_;
  EventLoop loop_;
  ClientLimits limits_;
  std::vector<char> scratch_;
  std::mutex tls_mutex_;
  std::optional<TlsContext> tls_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Connection>> connections_;
  std::list<Connection*> idle_;  // the longest idle first
  std::vector<std::unique_ptr<Connection>> dropped_;
  std::uint64_t next_id_ = 1;
  bool stopping_ = false;
  WorkerPool workers_;  // ends first
};

}  // namespace beaconry
