#include <chrono>

#include "base/text.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/route.h"

namespace beaconry {
namespace {

HttpResponse answer(const Ingest::Answer& taken, bool predecessor) {
  switch (taken.outcome) {
    case Ingest::Outcome::malformed:
      return error_answer(400, taken.words);
    case Ingest::Outcome::forbidden:
      return error_answer(403, taken.words);
    case Ingest::Outcome::too_large:
      return error_answer(413, taken.words);
    case Ingest::Outcome::storage_full: {
      HttpResponse response =
          error_answer(507, taken.words + "; nothing was taken: send it again later");
      response.headers.emplace_back("retry-after", "10");
      return response;
    }
    case Ingest::Outcome::accepted:
    case Ingest::Outcome::duplicate:
      break;
  }
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("status", "accepted");
    if (predecessor) {
      json.name("batch_id");
      taken.batch_id_is_text ? json.text(taken.batch_id) : json.raw(taken.batch_id);
    }
    json.whole("events_received", taken.events);
    if (taken.invalid_events > 0) {
      json.whole("events_invalid", taken.invalid_events);
      json.text("first_invalid", taken.words);
    }
    if (taken.outcome == Ingest::Outcome::duplicate) json.flag("duplicate", true);
    json.end();
  }));
}

HttpResponse take(Control& control, const RouteCall& call) {
  const auto begin = std::chrono::steady_clock::now();
  HttpRequest& request = call.request;
  const std::string type = ascii_lower(request.header("content-type"));
  const bool protobuf =
      type.rfind("application/x-protobuf", 0) == 0 || type.rfind("application/protobuf", 0) == 0;
  const std::string encoding = ascii_lower(request.header("content-encoding"));
  const bool gzip = encoding == "gzip" || encoding == "x-gzip";
  if (!gzip && !encoding.empty() && encoding != "identity") {
    return error_answer(415, "content-encoding must be gzip, or none");
  }
  if (gzip && protobuf) return error_answer(415, "an envelope's content is compressed already");
  if (!protobuf && call.edge) {
    return error_answer(403, "an enrolled edge sends application/x-protobuf");
  }
  // Also where a token came with it: what an edge may send depends on its key.
  const std::string_view key = request.peer.key;
  const std::string address = request.peer.unix_socket ? "local" : request.peer.address.to_string();
  const auto taken =
      protobuf ? control.ingest().accept_envelope(request.body, key, address, control.now())
               : control.ingest().accept_predecessor(std::move(request.body), gzip, address,
                                                     control.now());
  control.metrics().ingested(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  return answer(taken, !protobuf);
}

constexpr Route kRoutes[] = {{
    .method = "POST",
    .path = "/api/v1/telemetry",
    .summary = "Takes one batch; once it is answered, it is on disk",
    .role = Role::ingest,
    .handle = take,
    .body = "`application/x-protobuf`: an Envelope of `proto/uplink.proto`. Else JSON, also with "
            "Content-Encoding gzip: `{batch_id, node_id, events: [{timestamp_ns, timestamp_utc, "
            "src_ip, dst_ip, src_port, dst_port, packet_size, protocol, protocol_name, tcp_flags, "
            "direction, node_id, connection_key}], data_plane_stats{events_dropped_ebpf, "
            "events_dropped_overflow}}`",
    .response = "`{status: \"accepted\", batch_id, events_received}`; with `duplicate` if it had "
                "been accepted before, with `events_invalid` and `first_invalid` if single events "
                "were skipped. 507 with Retry-After when the disk is full",
    .most_body = std::size_t{1} << 32,
}};

}  // namespace

namespace resources {
extern constinit const Resource telemetry{"telemetry", kRoutes};
}
}  // namespace beaconry
