// How fast a running server takes telemetry in, journalled, over loopback: bench/ingest starts one
// and runs this. Prints events a second that were accepted.
//   ingest_bench URL protobuf|json SECONDS CONNECTIONS
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "http/client.h"
#include "uplink/flow_batch.h"

namespace {

using namespace beaconry;

constexpr unsigned kPairs = 2000;
constexpr unsigned kProtobufEvents = 100'000, kJsonEvents = 5'000;  // a batch

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string content(unsigned seed) {
  FlowBatchBuilder builder;
  const Timestamp begin = now() - std::chrono::hours{1};
  for (unsigned i = 0; i < kProtobufEvents; ++i) {
    const unsigned pair = (i * 7919 + seed) % kPairs;
    FlowEvent event;
    event.kind = i % 2 == 0 ? FlowEventKind::open : FlowEventKind::close;
    event.begins_check_in = i % 2 == 0;
    event.pair.source = IpAddress::v4(0x0a000000 + pair);
    event.pair.destination = IpAddress::v4(0xcb007100 + pair % 200);
    event.pair.port = 443;
    event.source_port = static_cast<std::uint16_t>(32768 + i % 28000);
    event.time = begin + std::chrono::milliseconds{i * 36 % 3'600'000};
    event.bytes_out = 400 + i % 50;
    event.bytes_in = 1200 + i % 300;
    builder.add(event);
  }
  return builder.finish(now(), {});
}

std::string json(unsigned seed) {
  std::string body = R"({"batch_id": "b-00000000000000000000", "node_id": "bench", "events": [)";
  const auto begin =
      std::chrono::nanoseconds((now() - std::chrono::hours{1}).time_since_epoch()).count();
  for (unsigned i = 0; i < kJsonEvents; ++i) {
    const unsigned pair = (i * 7919 + seed) % kPairs;
    char event[512];
    std::snprintf(
        event, sizeof event,
        R"(%s{"timestamp_ns": %lld, "timestamp_utc": "2026-11-21T18:00:00.123456Z", )"
        R"("src_ip": "10.0.%u.%u", "dst_ip": "203.0.113.%u", "src_port": %u, "dst_port": 443, )"
        R"("packet_size": %u, "protocol": 6, "protocol_name": "TCP", "tcp_flags": 24, )"
        R"("direction": %u, "node_id": "bench", "connection_key": %u})",
        i == 0 ? "" : ", ",
        static_cast<long long>(begin + static_cast<std::int64_t>(i) * 720'000'000LL), pair / 250,
        pair % 250, pair % 200, 32768 + i % 28000, 100 + i % 900, i % 2, i * 2654435761U);
    body += event;
  }
  return body +
         R"(], "data_plane_stats": {"events_dropped_ebpf": 0, "events_dropped_overflow": 0}})";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: ingest_bench URL protobuf|json SECONDS CONNECTIONS\n");
    return 2;
  }
  const bool protobuf = std::string(argv[2]) == "protobuf";
  const auto length = std::chrono::seconds{std::atoi(argv[3])};
  const unsigned connections = static_cast<unsigned>(std::atoi(argv[4]));
  std::atomic<std::uint64_t> events = 0, failed = 0;
  std::atomic<bool> ready = false;
  std::chrono::steady_clock::time_point end;
  std::vector<std::thread> senders;
  std::atomic<unsigned> prepared = 0;
  for (unsigned c = 0; c < connections; ++c) {
    senders.emplace_back([&, c] {
      HttpClient::Options options;
      options.url = argv[1];
      auto client = HttpClient::make(options);
      if (!client) {
        std::fprintf(stderr, "%s\n", client.error().message().c_str());
        std::exit(1);
      }
      HttpRequest request;
      request.method = "POST";
      request.target = "/api/v1/telemetry";
      request.headers = {
          {"content-type", protobuf ? "application/x-protobuf" : "application/json"}};
      Envelope envelope;
      envelope.edge = std::string(64, static_cast<char>('0' + c % 10));
      envelope.edge_name = "bench";
      envelope.incarnation = std::string(32, '0');
      std::string start = std::to_string(now().time_since_epoch().count());
      envelope.incarnation.replace(32 - start.size(), start.size(), start);
      if (protobuf) {
        envelope.content = content(c);
      } else {
        request.body = json(c);
      }
      ++prepared;
      while (!ready)
        std::this_thread::yield();
      std::uint64_t sent = now().time_since_epoch().count() % 1'000'000'000 * 100 + c;
      while (std::chrono::steady_clock::now() < end) {
        ++sent;
        if (protobuf) {
          ++envelope.sequence;
          envelope.sent = now();
          request.body = encode_envelope(envelope);
        } else {
          char id[21];
          // Ten digits: what does not fit would be cut off, and batches would look alike.
          std::snprintf(id, sizeof id, "%010u%010llu", c,
                        static_cast<unsigned long long>(sent % 10'000'000'000ULL));
          request.body.replace(16, 20, id);
        }
        const auto answer = (*client)->send(request);
        if (answer && answer->status == 200 &&
            answer->body.find("duplicate") == std::string::npos) {
          events += protobuf ? kProtobufEvents : kJsonEvents;
        } else {
          if (++failed == 1) {
            std::fprintf(stderr, "%s\n",
                         answer ? answer->body.c_str() : answer.error().message().c_str());
          }
        }
      }
    });
  }
  while (prepared < connections)
    std::this_thread::yield();
  const auto begin = std::chrono::steady_clock::now();
  end = begin + length;
  ready = true;
  for (std::thread& sender : senders)
    sender.join();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%s: %.0f events/s, %llu events in %.1f s, %llu batches failed\n", argv[2],
              static_cast<double>(events) / seconds, static_cast<unsigned long long>(events.load()),
              seconds, static_cast<unsigned long long>(failed.load()));
  return failed == 0 ? 0 : 1;
}
