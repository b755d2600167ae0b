// Pings: sealed by a probe, found in packets and opened by home.
#include <benchmark/benchmark.h>

#include <random>

#include "ping/key_ring.h"

namespace beaconry {
namespace {

const Timestamp kNow = *parse_rfc3339("2026-11-21T18:00:00Z");

PartyKeys party(std::uint32_t number) {
  Key32 seed{};
  for (unsigned i = 0; i < 4; ++i)
    seed[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return PartyKeys(seed);
}

Ping ping_of(const PartyKeys& probe) {
  Ping ping;
  ping.method = MethodId::udp_port;
  ping.probe = probe.id();
  ping.sequence = 1;
  ping.sent = kNow;
  ping.source = IpAddress::v4(0x0a000102);
  ping.destination = IpAddress::v4(0xcb00710a);
  ping.port = 443;
  return ping;
}

KeyRing ring_of(std::uint32_t probes) {
  std::vector<KnownProbe> known;
  for (std::uint32_t i = 1; i <= probes; ++i) {
    const PartyKeys keys = party(i);
    known.push_back({keys.id(), "probe", keys.box_public(), keys.sign_public()});
  }
  return *KeyRing::make(party(0), std::move(known));
}

// `size` random bytes, a ping at their end if it is to be there.
Bytes packet_of(std::size_t size, ByteView ping) {
  std::mt19937 random(1);
  Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  if (!ping.empty())
    std::copy(ping.begin(), ping.end(), bytes.end() - static_cast<int>(ping.size()));
  return bytes;
}

void seal_one(benchmark::State& state) {
  const PartyKeys probe = party(1);
  const SharedKey key = *SharedKey::make(probe, party(0).box_public());
  const Ping ping = ping_of(probe);
  for (auto _ : state)
    benchmark::DoNotOptimize(seal(ping, key));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(seal_one);

void open_one(benchmark::State& state) {
  const auto probes = static_cast<std::uint32_t>(state.range(0));
  KeyRing ring = ring_of(probes);
  const PartyKeys probe = party(probes);
  const Bytes sealed = seal(ping_of(probe), *SharedKey::make(probe, party(0).box_public()));
  for (auto _ : state) {
    const auto opened = ring.open(sealed, kNow);
    if (!opened) state.SkipWithError("it does not open");
    benchmark::DoNotOptimize(opened);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(open_one)->Arg(1)->Arg(100)->Arg(4096);

void find_none(benchmark::State& state) {
  const Bytes packet = packet_of(static_cast<std::size_t>(state.range(0)), {});
  for (auto _ : state)
    benchmark::DoNotOptimize(find_ping(packet).has_value());
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(find_none)->Arg(200)->Arg(1500);

void find_one(benchmark::State& state) {
  const PartyKeys probe = party(1);
  const Bytes sealed = seal(ping_of(probe), *SharedKey::make(probe, party(0).box_public()));
  const std::string text = ping_text(sealed);
  const Bytes packet = packet_of(400, state.range(0) == 0 ? ByteView(sealed) : as_bytes(text));
  for (auto _ : state) {
    const auto found = find_ping(packet);
    if (!found) state.SkipWithError("it is not found");
    benchmark::DoNotOptimize(found);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find_one)->ArgName("as_text")->Arg(0)->Arg(1);

// A token that is nobody's, as most packets' are.
void find_no_token(benchmark::State& state) {
  KeyRing ring = ring_of(static_cast<std::uint32_t>(state.range(0)));
  std::uint32_t word = 1;
  for (auto _ : state) {
    word = word * 2654435761U + 12345;
    benchmark::DoNotOptimize(ring.find_token({word, 7}, kNow).has_value());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(find_no_token)->Arg(1)->Arg(4096);

void make_ring(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(ring_of(static_cast<std::uint32_t>(state.range(0))));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(make_ring)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace beaconry
