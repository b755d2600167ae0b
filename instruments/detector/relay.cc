#include "detector/relay.h"

#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "detector/canary_watch.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestBatch = 32 << 20;
constexpr std::size_t kMostCanary = 4096;
constexpr std::chrono::seconds kPatience{20}, kLastWords{1};
constexpr const char* kPath = "/api/v1/telemetry";

class WithoutCanary : public FlowSink {
 public:
  WithoutCanary(FlowBatchBuilder& rest, std::vector<FlowEvent>& canary)
      : rest_(rest), canary_(canary) {}
  void add(const FlowEvent& event) override {
    if (!is_canary(event.pair)) return rest_.add(event);
    if (canary_.size() >= kMostCanary) return;
    FlowEvent kept = event;
    kept.server_name = kept.id = {};  // they live only now
    canary_.push_back(kept);
  }
  void add_host_name(const IpAddress& host, std::string_view name, Timestamp time) override {
    rest_.add_host_name(host, name, time);
  }
  void add_address_name(const IpAddress& address, std::string_view name, Timestamp time) override {
    rest_.add_address_name(address, name, time);
  }

 private:
  FlowBatchBuilder& rest_;
  std::vector<FlowEvent>& canary_;
};

}  // namespace

Result<Filtered> without_canary(std::string_view bytes) {
  auto envelope = decode_envelope(bytes);
  if (!envelope) return tl::unexpected<Error>(envelope.error());
  if (envelope->content_kind != ContentKind::flows)
    return fail(ErrorKind::malformed, "read", "a batch", "it holds no flows");
  Filtered out;
  FlowBatchBuilder rest;
  WithoutCanary sink(rest, out.canary);
  auto content = decode_flow_batch(envelope->content, {}, sink);
  if (!content) return tl::unexpected<Error>(content.error());
  out.events = content->events;
  out.counters = std::move(content->counters);
  if (out.canary.empty()) {
    out.envelope = bytes;
    return out;
  }
  envelope->content = rest.finish(content->made, out.counters);
  out.envelope = encode_envelope(*envelope);
  return out;
}

Result<std::unique_ptr<Relay>> Relay::start(const std::string& listen, const std::string& uplink,
                                            std::function<Timestamp()> clock) {
  std::unique_ptr<Relay> relay(new Relay(std::move(clock)));
  HttpClient::Options client;
  client.url = "unix:" + uplink;
  client.timeout = kPatience;
  auto made = HttpClient::make(client);
  if (!made) return tl::unexpected<Error>(made.error());
  relay->uplink_ = std::move(*made);
  HttpServer::Options options;
  options.listen = {"unix:" + listen};
  options.workers = 1;
  options.most_connections = 8;
  auto server = HttpServer::start(options, *relay);
  if (!server) return tl::unexpected<Error>(server.error());
  relay->server_ = std::move(*server);
  // Everybody in this container is one of us.
  if (::chmod(listen.c_str(), 0666) != 0) return fail_errno("open to the collector", listen);
  return relay;
}

Relay::~Relay() {
  if (server_) server_->stop(kLastWords);
}

Relay::Status Relay::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

std::vector<FlowEvent> Relay::take_canary() {
  const std::lock_guard lock(mutex_);
  return std::exchange(canary_, {});
}

HttpHandler::Admission Relay::admit(const HttpRequest& head) {
  Admission admission;
  admission.most_body = kLongestBatch;
  if (head.method != "POST" || head.path() != kPath) {
    HttpResponse no;
    no.status = 404;
    no.body = R"({"error": "only batches are taken here"})";
    admission.refusal = std::move(no);
  }
  return admission;
}

Result<HttpResponse> Relay::pass_on(const HttpRequest& request) {
  HttpRequest onward;
  onward.method = "POST";
  onward.target = kPath;
  onward.headers.emplace_back("Content-Type", std::string(request.header("content-type")));
  auto filtered = without_canary(request.body);
  if (filtered) {
    onward.body = std::move(filtered->envelope);
  } else {
    // Who the batch is for says what is wrong with it.
    onward.body = request.body;
  }
  {
    const std::lock_guard lock(mutex_);
    ++status_.batches;
    if (!filtered) ++status_.malformed;
    if (filtered) {
      status_.events += filtered->events - filtered->canary.size();
      std::uint64_t packets = 0, dropped = 0;
      for (const EdgeCounter& counter : filtered->counters) {
        if (counter.name == "packets") packets += counter.value;
        if (counter.name == "kernel_drops" || counter.name == "ring_drops" ||
            counter.name == "table_full")
          dropped += counter.value;
      }
      status_.packets = packets;
      status_.dropped = dropped;
      // A batch that comes again brings the same: a series leaves exact repeats out.
      if (canary_.size() < kMostCanary)
        canary_.insert(canary_.end(), filtered->canary.begin(), filtered->canary.end());
    }
  }
  return uplink_->send(onward);
}

HttpResponse Relay::handle(HttpRequest request) {
  auto answer = pass_on(request);
  const std::lock_guard lock(mutex_);
  if (!answer) {
    ++status_.failed;
    status_.error = answer.error().message();
    HttpResponse later;
    later.status = 503;
    later.body = R"({"error": "the sensor's uplink does not answer"})";
    return later;
  }
  if (answer->status / 100 == 2) {
    status_.last = clock_();
    status_.error.clear();
  } else {
    ++status_.failed;
    status_.error = "the sensor's uplink answers with status " + std::to_string(answer->status);
  }
  HttpResponse back;
  back.status = answer->status;
  back.content_type = std::string(answer->header("content-type"));
  back.body = std::move(answer->body);
  return back;
}

}  // namespace beaconry
