// The whole way of packets from a capture's bytes to flow events, per packet: small TCP packets of
// many flows at once, in memory. "flows" is how many are alive: beyond the processor's caches each
// packet costs its flow's way to them.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <string>

#include "source/captures.h"

namespace beaconry {
namespace {

constexpr std::size_t kPackets = 1'000'000;

class MemoryStream : public ByteStream {
 public:
  explicit MemoryStream(std::string_view bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t size = rest_.copy(out.data(), out.size());
    rest_.remove_prefix(size);
    return size;
  }
  const std::string& name() const override { return name_; }

 private:
  std::string_view rest_;
  std::string name_ = "memory.pcap";
};

class CountingSink : public FlowSink {
 public:
  void add(const FlowEvent& event) override { bytes += event.bytes_out; }
  void add_host_name(const IpAddress&, std::string_view, Timestamp) override {}
  void add_address_name(const IpAddress&, std::string_view, Timestamp) override {}
  std::uint64_t bytes = 0;
};

void put(std::string& out, std::uint32_t value, int bytes) {  // network order
  for (int i = bytes - 1; i >= 0; --i)
    out.push_back(static_cast<char>(value >> (8 * i)));
}

// Ethernet, IPv4, TCP with `payload` bytes: from each flow's client and server in turn.
std::string make_capture(std::size_t flows, std::uint32_t payload) {
  std::string out;
  for (const std::uint32_t word : {0xa1b2c3d4U, 0x00020004U, 0U, 0U, 262144U, 1U})
    put(out, word, 4);
  std::mt19937 random(7);
  std::vector<std::uint32_t> sequence(flows * 2);
  for (std::size_t i = 0; i < kPackets; ++i) {
    const std::size_t flow = random() % flows;
    const bool back = (random() & 1) != 0;
    const std::uint32_t client = 0x0a000000U + static_cast<std::uint32_t>(flow % 4096);
    const std::uint32_t server = 0xcb007100U + static_cast<std::uint32_t>(flow % 251);
    const auto port = static_cast<std::uint32_t>(20'000 + flow / 4096 % 40'000);
    const std::uint32_t length = 40 + payload;
    put(out, 1'700'000'000U + static_cast<std::uint32_t>(i / 500'000), 4);
    put(out, static_cast<std::uint32_t>(i % 500'000) * 2, 4);
    put(out, 14 + length, 4);
    put(out, 14 + length, 4);
    out.append(12, '\2');
    put(out, 0x0800, 2);
    put(out, 0x45000000U | length, 4);
    put(out, 0, 4);
    put(out, 0x40060000U, 4);
    put(out, back ? server : client, 4);
    put(out, back ? client : server, 4);
    put(out, back ? 443 : port, 2);
    put(out, back ? port : 443, 2);
    put(out, sequence[flow * 2 + back], 4);
    put(out, 0, 4);
    put(out, 0x50180000U, 4);
    put(out, 0, 4);
    out.append(payload, 'x');
    sequence[flow * 2 + back] += payload;
  }
  return out;
}

void read_packets(benchmark::State& state) {
  const std::string capture = make_capture(static_cast<std::size_t>(state.range(0)), 10);
  for (auto _ : state) {
    std::vector<std::unique_ptr<ByteStream>> streams;
    streams.push_back(std::make_unique<MemoryStream>(capture));
    CountingSink sink;
    ReadReport report;
    read_captures(std::move(streams), ReadOptions{}, sink, report);
    benchmark::DoNotOptimize(sink.bytes);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPackets));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(capture.size()));
}
BENCHMARK(read_packets)
    ->ArgName("flows")
    ->Arg(100)
    ->Arg(10'000)
    ->Arg(200'000)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace beaconry
