// libpcap as the oracle: both must see the same packets, times, lengths and bytes.
#include <gtest/gtest.h>
#include <pcap/pcap.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>

#include "source/capture_reader.h"
#include "source/test_stream.h"

namespace beaconry {
namespace {

struct Packet {
  std::int64_t nanoseconds;
  std::uint32_t wire_length, link_type;
  std::string bytes;
  bool operator==(const Packet&) const = default;
};

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<Packet> by_libpcap(const std::string& path) {
  std::vector<Packet> packets;
  char error[PCAP_ERRBUF_SIZE];
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> file(
      pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO, error),
      pcap_close);
  EXPECT_TRUE(file) << error;
  if (!file) return packets;
  pcap_pkthdr* header;
  const u_char* bytes;
  while (pcap_next_ex(file.get(), &header, &bytes) == 1) {
    packets.push_back({(std::int64_t{header->ts.tv_sec} * 1'000'000'000 + header->ts.tv_usec) /
                           1000 * 1000,  // ours keep microseconds
                       header->len, static_cast<std::uint32_t>(pcap_datalink(file.get())),
                       std::string(bytes, bytes + header->caplen)});
  }
  return packets;
}

std::vector<Packet> by_us(const std::string& content, std::size_t piece) {
  std::vector<Packet> packets;
  auto reader = open_capture(std::make_unique<TestStream>(content, "test.pcap", piece));
  EXPECT_TRUE(reader);
  if (!reader) return packets;
  RawPacket packet;
  while ((*reader)->next(packet) == CaptureStep::packet) {
    packets.push_back({packet.time->time_since_epoch().count() * 1000, packet.wire_length,
                       packet.link_type, std::string(as_text(packet.bytes))});
  }
  return packets;
}

std::filesystem::path temporary(const char* name) {
  return std::filesystem::path(testing::TempDir()) /
         (std::to_string(::getpid()) + '-' + std::string(name));
}

TEST(CaptureOracle, AgreesOnWhatLibpcapWrites) {
  for (const int precision : {PCAP_TSTAMP_PRECISION_MICRO, PCAP_TSTAMP_PRECISION_NANO}) {
    const auto path = temporary("dumped.pcap");
    {
      const std::unique_ptr<pcap_t, decltype(&pcap_close)> dead(
          pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262'144, static_cast<u_int>(precision)),
          pcap_close);
      pcap_dumper_t* dumper = pcap_dump_open(dead.get(), path.c_str());
      ASSERT_NE(dumper, nullptr);
      std::mt19937 random(3);
      std::string bytes(262'144, '\0');
      for (auto& byte : bytes)
        byte = static_cast<char>(random());
      const std::uint32_t sizes[] = {0, 1, 14, 60, 1500, 9000, 65'535, 262'144};
      for (int i = 0; i < 200; ++i) {
        pcap_pkthdr header{};
        header.ts.tv_sec = 1'700'000'000 + i;
        header.ts.tv_usec = static_cast<long>(
            random() % (precision == PCAP_TSTAMP_PRECISION_NANO ? 1'000'000'000 : 1'000'000));
        const auto any = static_cast<std::uint32_t>(random());
        header.caplen = i % 25 == 0 ? sizes[i / 25] : any % 1500;
        header.len = header.caplen + any % 2 * 100;
        pcap_dump(reinterpret_cast<u_char*>(dumper), &header,
                  reinterpret_cast<const u_char*>(bytes.data()));
      }
      pcap_dump_close(dumper);
    }
    const auto expected = by_libpcap(path);
    ASSERT_EQ(expected.size(), 200U);
    const std::string content = content_of(path);
    for (const std::size_t piece : {7U, 4096U, 1U << 20})
      EXPECT_TRUE(by_us(content, piece) == expected) << piece;
    std::filesystem::remove(path);
  }
}

TEST(CaptureOracle, AgreesOnRealCaptures) {
  const std::filesystem::path folder = BEACONRY_SOURCE_DIR "/../shared/captures/pcap";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no captures at " << folder;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto expected = by_libpcap(entry.path());
    EXPECT_GT(expected.size(), 100U) << entry.path();
    EXPECT_TRUE(by_us(content_of(entry.path()), 100'000) == expected) << entry.path();
  }
}

// Any byte changed, any length cut: never more packets than libpcap finds, never a crash.
TEST(CaptureOracle, SurvivesDamage) {
  const std::filesystem::path path =
      BEACONRY_SOURCE_DIR "/../shared/captures/pcap/keepalive-5s.pcap";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no captures at " << path;
  const std::string content = content_of(path);
  std::mt19937 random(5);
  for (int i = 0; i < 500; ++i) {
    std::string damaged = content;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    damaged.resize(random() % damaged.size());
    auto reader = open_capture(std::make_unique<TestStream>(damaged));
    if (!reader) continue;
    RawPacket packet;
    CaptureStep step = CaptureStep::packet;
    int packets = 0;
    for (; step == CaptureStep::packet; step = (*reader)->next(packet))
      ASSERT_LE(++packets, 2000);
  }
}

}  // namespace
}  // namespace beaconry
