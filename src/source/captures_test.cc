#include "source/captures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "flow/test_traffic.h"
#include "source/test_capture.h"
#include "source/test_stream.h"

namespace beaconry {
namespace {

using test_capture::PcapngWriter;
using test_capture::PcapWriter;
using test_traffic::Recorder;
using test_traffic::Seen;
using testing::ElementsAre;
using testing::HasSubstr;

// Ethernet, IPv4, UDP: 10.0.0.5:5000 -> 203.0.113.9:9000.
std::string frame(std::size_t payload, std::uint16_t fragment = 0) {
  const auto put = [](std::uint64_t value, int bytes) {
    return test_capture::number(value, bytes, true);
  };
  return std::string(12, '\2') + put(0x0800, 2) + put(0x4500, 2) + put(28 + payload, 2) +
         put(0, 2) + put(fragment, 2) + put(0x40110000, 4) + put(0x0a000005, 4) +
         put(0xcb007109, 4) + put(5000, 2) + put(9000, 2) + put(8 + payload, 2) + put(0, 2) +
         std::string(payload, 'x');
}

// Ethernet, IPv4, TCP from 10.0.0.5 to 203.0.113.9:443.
std::string tcp_frame(std::uint16_t port, std::uint8_t flags, std::uint32_t sequence,
                      std::size_t payload) {
  const auto put = [](std::uint64_t value, int bytes) {
    return test_capture::number(value, bytes, true);
  };
  return std::string(12, '\2') + put(0x0800, 2) + put(0x4500, 2) + put(40 + payload, 2) +
         put(0, 4) + put(0x40060000, 4) + put(0x0a000005, 4) + put(0xcb007109, 4) + put(port, 2) +
         put(443, 2) + put(sequence, 4) + put(0, 4) + put(0x5000U | flags, 2) + put(0, 6) +
         std::string(payload, 'x');
}

struct Reading {
  Recorder seen;
  ReadReport report;

  explicit Reading(std::vector<std::pair<std::string, std::string>> files,
                   const ReadOptions& options = {}) {
    std::vector<std::unique_ptr<ByteStream>> streams;
    for (auto& [name, content] : files) {
      streams.push_back(std::make_unique<TestStream>(std::move(content), name, 50'000));
    }
    read_captures(std::move(streams), options, seen, report);
  }

  std::string refusals() const {
    std::string text;
    for (const auto& refusal : report.refusals()) {
      text +=
          std::to_string(refusal.count) + ' ' + refusal.reason + ": " + refusal.first_place + '\n';
    }
    return text;
  }
};

TEST(Captures, AreMergedByTimeIntoOneFlow) {
  PcapWriter first, second;
  PcapngWriter third(true);
  third.section();
  third.interface(1, {});
  first.packet(100, 0, frame(10), 60);
  second.packet(102, 0, frame(20), 60);
  third.enhanced(0, 104'000'000, frame(30), 60);
  first.packet(106, 0, frame(40), 60);
  const Reading reading(
      {{"b.pcap", second.bytes}, {"c.pcapng", third.bytes}, {"a.pcap", first.bytes}});
  std::vector<std::string> ids;
  for (const Seen& event : reading.seen.check_ins())
    ids.push_back(event.id + ' ' + std::to_string(event.out));
  EXPECT_THAT(ids, ElementsAre("a.pcap#1 10", "b.pcap#1 20", "c.pcapng#1 30", "a.pcap#2 40"));
  EXPECT_EQ(reading.seen.events.back().kind, FlowEventKind::close);
  EXPECT_EQ(reading.seen.events.back().duration, 6);
  EXPECT_EQ(reading.report.inputs_read(), 3U);
  EXPECT_EQ(reading.report.packets(), 4U);
  EXPECT_EQ(reading.report.records(), 1U) << "one flow";
  EXPECT_EQ(reading.report.refused(), 0U);
}

TEST(Captures, MayBeMoreThanAreOpenAtOnce) {
  std::vector<std::pair<std::string, std::string>> files;
  for (std::uint32_t i = 0; i < 300; ++i) {
    PcapWriter file;
    file.packet(1000 + i * 60, 0, frame(10), 60);
    files.emplace_back(std::to_string(i) + ".pcap", file.bytes);
  }
  const Reading reading(std::move(files));
  EXPECT_EQ(reading.seen.check_ins().size(), 300U);
  EXPECT_EQ(reading.report.inputs_read(), 300U);
}

TEST(Captures, BeyondThoseOpenAtOnceAreReadInTheOrderOfTheirFirstPackets) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "beaconry_captures_by_time";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  for (std::uint32_t i = 0; i < 300; ++i) {
    PcapWriter file;
    file.packet(1'000'000 - i * 60, 0, frame(10), 60);
    std::ofstream(folder / (std::to_string(1000 + i) + ".pcap"), std::ios::binary) << file.bytes;
  }
  ReadOptions options;
  options.paths = {folder.string()};
  Recorder seen;
  ReadReport report;
  FlowSink* const sinks[] = {&seen};
  read_inputs(options, sinks, report);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(report.records(), 1U) << "one flow";
  EXPECT_EQ(report.inputs_read(), 300U);
  const auto check_ins = seen.check_ins();
  EXPECT_EQ(check_ins.size(), 300U);
  EXPECT_TRUE(std::is_sorted(check_ins.begin(), check_ins.end(),
                             [](const Seen& a, const Seen& b) { return a.time < b.time; }));
}

TEST(Captures, SayWhatWasNotUsedAndWhereFirst) {
  PcapWriter file;
  std::string arp = frame(10);
  arp[13] = 6;
  file.packet(100, 0, frame(10), 60);
  file.packet(101, 0, arp, 60);
  file.packet(102, 0, arp, 60);
  file.packet(103, 0, frame(10, 5), 60);
  file.packet(104, 0, frame(10).substr(0, 20), 60);
  const Reading reading({{"a.pcap", file.bytes + "cut"}});
  EXPECT_EQ(reading.refusals().substr(0, 43), "2 not IP (ARP, LLDP, ...): a.pcap packet 2\n");
  EXPECT_THAT(reading.refusals(),
              HasSubstr("1 later IP fragment (has no ports): a.pcap packet 4\n"));
  EXPECT_THAT(reading.refusals(),
              HasSubstr("1 packet ends inside its IP header: a.pcap packet 5\n"));
  EXPECT_THAT(reading.refusals(), HasSubstr("1 capture ends inside a packet: a.pcap packet 6\n"));
  EXPECT_EQ(reading.report.packets(), 5U);
  EXPECT_EQ(reading.report.inputs_read(), 1U);
}

TEST(Captures, SayHowManyNamesTheMemoryLimitLeftUnread) {
  PcapWriter file;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    file.packet(100, 0, tcp_frame(port, 0x02, 999, 0), 54);
    file.packet(100, 1, tcp_frame(port, 0x10, 1000 + 16'000, 1), 55);
  }
  ReadOptions options;
  options.memory_limit = 4 << 20;
  const Reading reading({{"a.pcap", file.bytes}}, options);
  EXPECT_EQ(reading.seen.check_ins().size(), 1000U);
  EXPECT_THAT(reading.refusals(),
              testing::MatchesRegex("9[0-9][0-9] server name not read: memory limit: .*\n"));
}

TEST(Captures, WithoutAUsablePacketAreNotRead) {
  PcapWriter wireless(0xa1b2c3d4, false, 105);
  wireless.packet(100, 0, frame(10), 60);
  PcapngWriter timeless(false);
  timeless.section();
  timeless.interface(1, {});
  timeless.simple(frame(10), 60);
  const Reading reading(
      {{"w.pcap", wireless.bytes}, {"t.pcapng", timeless.bytes}, {"x.pcap", "garbage"}});
  EXPECT_EQ(reading.report.inputs_read(), 0U);
  EXPECT_THAT(reading.refusals(), HasSubstr("1 link type not supported: w.pcap packet 1\n"));
  EXPECT_THAT(reading.refusals(),
              HasSubstr("1 packet without a usable timestamp: t.pcapng packet 1\n"));
  EXPECT_THAT(reading.report.failed_inputs(), ElementsAre(std::pair<std::string, std::string>(
                                                  "x.pcap", "neither a pcap nor a pcapng file")));
}

TEST(Captures, AreUsedUpToWhereTheyAreDamaged) {
  PcapWriter file;
  file.packet(100, 0, frame(10), 60);
  file.packet(101, 0, frame(10), 60);
  const std::string good = file.bytes;
  const Reading reading({{"a.pcap", good + std::string(16, '\x7f')}});
  EXPECT_EQ(reading.seen.check_ins().size(), 2U);
  EXPECT_EQ(reading.report.inputs_read(), 1U);
  ASSERT_EQ(reading.report.failed_inputs().size(), 1U);
  EXPECT_THAT(reading.report.failed_inputs()[0].second,
              HasSubstr("byte " + std::to_string(good.size())));
}

class RealCaptures : public testing::Test {
 protected:
  // The check-ins of one pair in a capture, or none where the captures are not there.
  std::vector<Seen> check_ins(const std::string& name, const std::string& pair) {
    const std::filesystem::path path =
        std::filesystem::path(BEACONRY_SOURCE_DIR "/../shared/captures/pcap") / name;
    std::ifstream file(path, std::ios::binary);
    const Reading reading({{name, std::string{std::istreambuf_iterator<char>(file), {}}}});
    EXPECT_EQ(reading.report.inputs_read(), 1U);
    std::vector<Seen> some;
    flows_ = 0;
    for (const Seen& event : reading.seen.events) {
      if (event.pair != pair) continue;
      if (event.kind == FlowEventKind::close) ++flows_;
      if (event.begins_check_in) some.push_back(event);
    }
    std::sort(some.begin(), some.end(),
              [](const Seen& a, const Seen& b) { return a.time < b.time; });
    return some;
  }
  static double median_interval(const std::vector<Seen>& events) {
    std::vector<double> intervals;
    for (std::size_t i = 1; i < events.size(); ++i)
      intervals.push_back(events[i].time - events[i - 1].time);
    std::sort(intervals.begin(), intervals.end());
    return intervals.empty() ? 0 : intervals[intervals.size() / 2];
  }
  void SetUp() override {
    if (!std::filesystem::exists(BEACONRY_SOURCE_DIR "/../shared/captures/pcap")) {
      GTEST_SKIP() << "no captures beside the source";
    }
  }
  std::size_t flows_ = 0;
};

TEST_F(RealCaptures, ShowAKeepAliveEveryFiveSecondsInsideOneConnection) {
  const auto seen = check_ins("keepalive-5s.pcap", "192.168.100.11->185.255.114.40:8219/TCP");
  EXPECT_EQ(flows_, 1U);
  ASSERT_GT(seen.size(), 30U);
  EXPECT_NEAR(median_interval(seen), 5.00, 0.01);
}

TEST_F(RealCaptures, ShowConnectionsEveryTwoSecondsWithTheirName) {
  const auto seen = check_ins("https-2s.pcap", "147.32.80.37->141.193.213.21:443/TCP");
  EXPECT_EQ(flows_, 297U);  // as tshark counts them
  EXPECT_EQ(seen.size(), 297U);
  EXPECT_NEAR(median_interval(seen), 2.2, 0.05);
  for (const Seen& event : seen)
    EXPECT_EQ(event.name, "testing.com");
}

TEST_F(RealCaptures, ShowAnImplantsConnectionsAndTheNamelessHello) {
  const auto seen = check_ins("cobaltstrike-https.pcap", "192.168.56.5->192.168.56.4:443/TCP");
  EXPECT_GT(flows_, 20U);
  for (const Seen& event : seen)
    EXPECT_EQ(event.name, "");
}

TEST_F(RealCaptures, ShowATunnelThroughDnsUnderItsDomain) {
  const auto seen = check_ins("dns-tunnel-iodine.pcap", "10.0.2.30->10.0.2.20:53/UDP");
  ASSERT_GT(seen.size(), 5U);
  for (const Seen& event : seen)
    EXPECT_EQ(event.name, "pirate.sea");
}

}  // namespace
}  // namespace beaconry
