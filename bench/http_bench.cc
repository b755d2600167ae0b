// The server on loopback, with clients of the same process: small requests on connections that stay
// open, and bodies as an edge sends them. Both share this machine's cores.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "http/certificates.h"
#include "http/client.h"
#include "http/server.h"

namespace beaconry {
namespace {

class Handler final : public HttpHandler {
 public:
  Admission admit(const HttpRequest&) override { return {std::nullopt, std::size_t{8} << 20}; }
  HttpResponse handle(HttpRequest request) override {
    HttpResponse out;
    out.body = "{\"bytes\": " + std::to_string(request.body.size()) + "}";
    return out;
  }
};

struct Served {
  explicit Served(bool with_tls) {
    HttpServer::Options options;
    options.listen = {"127.0.0.1:0"};
    if (with_tls) {
      const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
      const auto ca = make_ca("bench", now);
      const auto own = make_server_certificate(*ca, {"127.0.0.1"}, now);
      options.tls = HttpServer::Tls{own->certificate_pem, own->key_pem};
      to.ca_pem = ca->certificate_pem;
    }
    server = std::move(*HttpServer::start(options, handler));
    to.url = (with_tls ? "https://" : "http://") + server->endpoints().front();
  }
  Handler handler;
  HttpClient::Options to;
  std::unique_ptr<HttpServer> server;
};

void run(benchmark::State& state, bool with_tls, const HttpRequest& request) {
  static std::unique_ptr<Served> served;
  if (state.thread_index() == 0) served = std::make_unique<Served>(with_tls);
  std::unique_ptr<HttpClient> client;
  for (auto _ : state) {  // its beginning waits for all threads
    if (!client) client = std::move(*HttpClient::make(served->to));
    const auto answer = client->send(request);
    if (!answer || answer->status != 200) {
      state.SkipWithError(answer ? "refused" : answer.error().message().c_str());
      break;
    }
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(request.body.size()));
  if (state.thread_index() == 0) served.reset();
}

void small_get(benchmark::State& state) {
  run(state, state.range(0) != 0, {});
}
BENCHMARK(small_get)->ArgName("tls")->Arg(0)->Arg(1)->Threads(1)->Threads(8)->UseRealTime();

void post_megabyte(benchmark::State& state) {
  HttpRequest request;
  request.method = "POST";
  request.body.assign(1 << 20, 'x');
  run(state, state.range(0) != 0, request);
}
BENCHMARK(post_megabyte)->ArgName("tls")->Arg(0)->Arg(1)->Threads(1)->Threads(4)->UseRealTime();

}  // namespace
}  // namespace beaconry
