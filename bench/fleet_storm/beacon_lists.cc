// What the page asks for where very many beacons were found.
#include <nlohmann/json.hpp>

#include "fleet_storm/storm.h"
#include "fleet_storm/words.h"
#include "uplink/flow_batch.h"

namespace beaconry::bench {
namespace {

constexpr unsigned kCheckIns = 20;
constexpr std::chrono::seconds kInterval{60};

// One check-in of every pair.
std::string check_in_of_all(unsigned pairs, Timestamp time, unsigned sequence) {
  FlowBatchBuilder builder;
  for (unsigned i = 0; i < pairs; ++i) {
    FlowEvent event;
    event.kind = FlowEventKind::open;
    event.begins_check_in = true;
    event.pair = {IpAddress::v4(0x0a000000 + i / 4),
                  IpAddress::v4(0xcb007100 + i % 4 + i / 400 * 4), 443, Protocol::tcp};
    event.source_port = static_cast<std::uint16_t>(32'768 + sequence);
    event.time = time + std::chrono::milliseconds{i % 50'000};
    event.bytes_out = 412;
    event.bytes_in = 1'280;
    builder.add(event);
  }
  Envelope envelope;
  envelope.edge = std::string(64, 'b');
  envelope.edge_name = "collector001";
  envelope.incarnation = std::string(32, 'b');
  envelope.sequence = sequence;
  envelope.sent = time;
  envelope.content = builder.finish(time, {});
  return encode_envelope(envelope);
}

}  // namespace

Result<void> Storm::look_at_beacons() {
  if (plan_.beacons == 0) return {};
  if (auto done = server_->start(); !done) return done;
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  for (unsigned i = 0; i < kCheckIns; ++i) {
    const Timestamp time = now - (kCheckIns - i + 1) * kInterval;
    auto done = server_->ask("POST", "/api/v1/telemetry",
                             check_in_of_all(plan_.beacons, time, i + 1), "application/x-protobuf");
    if (!done) return tl::unexpected<Error>(done.error());
  }
  const auto begun = Clock::now();
  const auto run = server_->ask("POST", "/api/v1/analyze");
  if (!run) return tl::unexpected<Error>(run.error());
  const auto found =
      nlohmann::json::parse(*run, nullptr, false).value("beacons_found", std::uint64_t{0});
  row(whole(plan_.beacons) + " pairs that call home: beacons found, in",
      whole(found) + ", " +
          with_unit(std::chrono::duration<double>(Clock::now() - begun).count(), 1, "s"));
  for (const char* target :
       {"/api/v1/beacons?fields=list&limit=100", "/api/v1/beacons?fields=list&limit=100&sort=last",
        "/api/v1/beacons?fields=list&limit=100&q=10.0.9", "/api/v1/status"}) {
    const auto timed = server_->time(target);
    if (!timed) return tl::unexpected<Error>(timed.error());
    row("`GET " + std::string(target) + "` (" + whole(timed->bytes / 1000) +
            " kB): first byte, last",
        with_unit(timed->first_byte * 1e3, 0, "ms") + ", " + with_unit(timed->whole * 1e3, 0, "ms"),
        "1 s");
  }
  row("memory of the server with them, beside its fleet (VmHWM)",
      with_unit(static_cast<double>(server_->usage().peak) / 1e6, 0, "MB"));
  return server_->stop();
}

}  // namespace beaconry::bench
