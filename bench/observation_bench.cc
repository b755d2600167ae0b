// Observations: found in packets, opened, gathered in a batch (home), read again (the server).
#include <benchmark/benchmark.h>

#include "ping/key_ring.h"
#include "uplink/observation_batch.h"

namespace beaconry {
namespace {

constexpr int kPings = 10'000;
const Timestamp kNow = *parse_rfc3339("2026-11-21T18:00:00Z");

PartyKeys party(std::uint8_t number) {
  Key32 seed{};
  seed.fill(number);
  return PartyKeys(seed);
}

struct Wire {
  PartyKeys home = party(0), probe = party(1);
  KeyRing ring =
      *KeyRing::make(home, {{probe.id(), "probe", probe.box_public(), probe.sign_public()}});
  std::vector<Bytes> packets;

  Wire() {
    const SharedKey key = *SharedKey::make(probe, home.box_public());
    Ping ping;
    ping.method = MethodId::udp_port;
    ping.probe = probe.id();
    ping.source = IpAddress::v4(0x0a000102);
    ping.destination = IpAddress::v4(0xcb00710a);
    for (int i = 0; i < kPings; ++i) {
      ping.sequence = static_cast<std::uint64_t>(i) + 1;
      ping.sent = kNow + std::chrono::milliseconds{i};
      ping.port = static_cast<std::uint16_t>(i);
      Bytes packet(28, 0x45);  // IP and UDP
      const Bytes sealed = seal(ping, key);
      packet.insert(packet.end(), sealed.begin(), sealed.end());
      packets.push_back(std::move(packet));
    }
  }

  Observation see(const Bytes& packet) {
    Observation seen;
    seen.received = kNow;
    seen.receiver = "udp";
    seen.source = IpAddress::v4(0xc6336401);
    seen.destination = IpAddress::v4(0xcb00710a);
    seen.protocol = 17;
    seen.ttl = 57;
    seen.raw.assign(as_text(packet));
    const auto found = find_ping(packet);
    if (!found) return seen;
    if (const auto opened = ring.open(found->sealed, kNow)) {
      seen.authenticity = Authenticity::authentic;
      seen.ping = opened->ping;
    }
    return seen;
  }
};

void home(benchmark::State& state) {
  Wire wire;
  std::size_t size = 0;
  for (auto _ : state) {
    ObservationBatch batch;
    batch.made = kNow;
    for (const Bytes& packet : wire.packets)
      batch.observations.push_back(wire.see(packet));
    size = encode_observations(batch).size();
  }
  state.SetItemsProcessed(state.iterations() * kPings);
  state.counters["bytes_each"] = static_cast<double>(size) / kPings;
}
BENCHMARK(home)->Unit(benchmark::kMillisecond);

ObservationBatch batch_of(Wire& wire) {
  ObservationBatch batch;
  for (const Bytes& packet : wire.packets)
    batch.observations.push_back(wire.see(packet));
  return batch;
}

void encode(benchmark::State& state) {
  Wire wire;
  const ObservationBatch batch = batch_of(wire);
  for (auto _ : state)
    benchmark::DoNotOptimize(encode_observations(batch));
  state.SetItemsProcessed(state.iterations() * kPings);
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond);

void decode(benchmark::State& state) {
  Wire wire;
  const std::string content = encode_observations(batch_of(wire));
  for (auto _ : state) {
    const auto got = decode_observations(content, {});
    if (!got) state.SkipWithError(got.error().message().c_str());
    benchmark::DoNotOptimize(got);
  }
  state.SetItemsProcessed(state.iterations() * kPings);
}
BENCHMARK(decode)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace beaconry
