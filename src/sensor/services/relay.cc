#include "sensor/services/relay.h"

#include <sys/stat.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "uplink/flow_batch.h"
#include "uplink/relayed_batch.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestBatch = std::size_t{32} << 20;
constexpr std::size_t kMostConnections = 2;  // an instance: what is held of its bodies is bounded
constexpr std::string_view kTelemetry = "/api/v1/telemetry";

HttpResponse answer(int status, const nlohmann::json& body) {
  HttpResponse response;
  response.status = status;
  response.body = body.dump();
  return response;
}

HttpResponse no_room(int status, const std::string& why) {
  HttpResponse response = answer(status, {{"error", why}});
  response.headers.emplace_back("Retry-After", "10");
  return response;
}

// Words for the sender of what a server would refuse; empty: it is a collector's batch.
std::string why_not(std::string_view body) {
  if (body.empty()) return "an empty body is no batch";
  const auto envelope = decode_envelope(body);
  if (!envelope) return envelope.error().message();
  if (envelope->content_kind != ContentKind::flows) {
    return "content_kind " + std::to_string(static_cast<unsigned>(envelope->content_kind)) +
           " is not relayed: flows (0) are";
  }
  return {};
}

}  // namespace

class Relay::Desk final : public HttpHandler {
 public:
  Desk(std::string instance, Spool& spool, RelayShares& shares, std::function<Timestamp()> clock,
       std::function<void()> stored)
      : instance_(std::move(instance)),
        spool_(spool),
        shares_(shares),
        clock_(std::move(clock)),
        stored_(std::move(stored)) {}

  Admission admit(const HttpRequest& head) override {
    Admission admission;
    const std::string path = head.path();
    if (path == "/healthz" && head.method == "GET") return admission;
    if (path != kTelemetry) {
      admission.refusal = answer(
          404, {{"error", "this is a sensor's relay: POST /api/v1/telemetry is all it takes"}});
    } else if (head.method != "POST") {
      admission.refusal = answer(405, {{"error", "batches are sent by POST"}});
    } else {
      admission.most_body = kLongestBatch;
    }
    return admission;
  }

  HttpResponse handle(HttpRequest request) override {
    if (request.path() == "/healthz") return answer(200, {{"status", "ok"}});
    if (const std::string why = why_not(request.body); !why.empty()) {
      ++refused_;
      return answer(400, {{"error", why}});
    }
    if (!shares_.has_room(instance_, request.body.size())) {
      ++refused_;
      ++past_share_;
      return no_room(503, "as much of this instance waits for the server as it may have");
    }
    const Timestamp now = clock_();
    RelayedBatch batch;
    batch.instance = instance_;
    batch.taken = now;
    batch.envelope = std::move(request.body);
    const std::string record = encode_relayed(batch);
    const auto sequence = spool_.append(record, now);
    if (!sequence) {
      ++refused_;
      const bool full = sequence.error().kind == ErrorKind::limit;
      return no_room(full ? 507 : 503, full ? "the sensor's spool is full; keep it and try again"
                                            : "the sensor cannot keep it now");
    }
    shares_.appended(instance_, *sequence, record.size());
    const auto synced = spool_.sync(*sequence);
    if (!synced) {
      log_error("relay: " + synced.error().message());
      ++refused_;
      return no_room(503, "the sensor cannot keep it now");
    }
    ++taken_;
    bytes_ += batch.envelope.size();
    if (stored_) stored_();
    return answer(200, {{"status", "accepted"}, {"server_time", to_rfc3339(clock_())}});
  }

  Counters counters() const {
    return {taken_, bytes_, refused_, past_share_, shares_.waiting(instance_), shares_.share()};
  }

 private:
  const std::string instance_;
  Spool& spool_;
  RelayShares& shares_;
  const std::function<Timestamp()> clock_;
  const std::function<void()> stored_;
  std::atomic<std::uint64_t> taken_{0}, bytes_{0}, refused_{0}, past_share_{0};
};

Relay::Relay(Spool& spool, std::uint64_t shared_bytes, std::function<Timestamp()> clock,
             std::function<void()> stored)
    : spool_(spool),
      shares_(std::make_unique<RelayShares>(spool, shared_bytes)),
      clock_(std::move(clock)),
      stored_(std::move(stored)) {}

Relay::~Relay() = default;

Result<void> Relay::open(const std::string& instance, const std::string& folder) {
  Place& place = places_[instance];
  shares_->set_instances(places_.size());
  const std::string path = folder + "/uplink.sock";
  if (place.server) {
    struct stat there {};
    if (::stat(path.c_str(), &there) == 0) return {};
    place.server.reset();  // somebody removed the folder
  }
  if (!place.desk) place.desk = std::make_unique<Desk>(instance, spool_, *shares_, clock_, stored_);
  HttpServer::Options options;
  options.listen = {"unix:" + path};
  options.workers = 1;
  options.most_connections = kMostConnections;
  auto server = HttpServer::start(options, *place.desk);
  if (!server) return tl::unexpected<Error>(server.error());
  place.server = std::move(*server);
  // The instrument's root is an unprivileged user here; the folder above lets nobody else in.
  if (::chmod(path.c_str(), 0666) != 0) return fail_errno("chmod", path);
  return {};
}

void Relay::close(const std::string& instance) {
  places_.erase(instance);
  shares_->set_instances(places_.size());
}

std::vector<std::string> Relay::take_past_share() {
  std::vector<std::string> names;
  for (auto& [name, place] : places_) {
    const std::uint64_t now = place.desk ? place.desk->counters().past_share : 0;
    if (now > std::exchange(place.past_share_seen, now)) names.push_back(name);
  }
  return names;
}

Relay::Counters Relay::counters(const std::string& instance) const {
  const auto at = places_.find(instance);
  return at == places_.end() || !at->second.desk ? Counters{} : at->second.desk->counters();
}

}  // namespace beaconry
