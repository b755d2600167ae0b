#include "http/server.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/open_files.h"
#include "http/server_core.h"

namespace beaconry {
namespace {

class Server final : public HttpServer {
 public:
  Server(const Options& options, HttpHandler& handler)
      : core_(options, handler, allowed_connections(options.most_connections, "http")) {}
  ~Server() override { stop(std::chrono::seconds{5}); }

  Result<void> open(const Options& options) {
    if (options.tls) {
      if (auto set = set_context(*options.tls); !set) return set;
    }
    for (const std::string& text : options.listen) {
      auto at = parse_endpoint(text);
      if (!at) return tl::unexpected(at.error());
      auto socket = listen_at(*at);
      if (!socket) return tl::unexpected(socket.error());
      endpoints_.push_back(*at);
      core_.listen(std::move(*socket), options.tls && at->unix_path.empty());
    }
    has_tls_ = options.tls.has_value();
    thread_ = std::thread([this] { core_.loop().run(); });
    return {};
  }

  void stop(std::chrono::seconds patience) override {
    if (stopped_.exchange(true)) return;
    if (thread_.joinable()) {
      core_.loop().post([this] { core_.stop_soon(); });
      const auto until = std::chrono::steady_clock::now() + patience;
      while (core_.counters().open > 0 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
      core_.loop().stop();
      thread_.join();
    }
    core_.end_connections();
    for (const Endpoint& at : endpoints_) {
      if (!at.unix_path.empty()) ::unlink(at.unix_path.c_str());
    }
  }

  Result<void> set_tls(const Tls& tls) override {
    if (!has_tls_)
      return fail(ErrorKind::usage, "use", "certificate", "the server was started without TLS");
    return set_context(tls);
  }

  std::vector<std::string> endpoints() const override {
    std::vector<std::string> out;
    for (const Endpoint& at : endpoints_)
      out.push_back(at.to_string());
    return out;
  }

  Counters counters() const override {
    auto& now = core_.counters();
    Counters out;
    out.connections = now.connections;
    out.open = now.open;
    out.requests = now.requests;
    out.evicted = now.evicted;
    out.refused_connections = now.refused_connections;
    out.rate_limited = now.rate_limited;
    out.timed_out = now.timed_out;
    out.malformed = now.malformed;
    out.tls_failures = now.tls_failures;
    out.overloaded = now.overloaded;
    out.streams = now.streams;
    out.streams_cut = now.streams_cut;
    return out;
  }

 private:
  Result<void> set_context(const Tls& tls) {
    auto context =
        TlsContext::for_server(tls.certificate_pem, tls.key_pem, tls.ask_for_client_certificate);
    if (!context) return tl::unexpected(context.error());
    core_.set_tls(std::move(*context));
    return {};
  }

  mutable ServerCore core_;
  std::vector<Endpoint> endpoints_;
  bool has_tls_ = false;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Options& options,
                                                      HttpHandler& handler) {
  auto server = std::make_unique<Server>(options, handler);
  if (auto opened = server->open(options); !opened) return tl::unexpected(opened.error());
  return Result<std::unique_ptr<HttpServer>>(std::move(server));
}

}  // namespace beaconry
