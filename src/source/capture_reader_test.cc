#include "source/capture_reader.h"

#include <gtest/gtest.h>

#include "source/test_capture.h"
#include "source/test_stream.h"

namespace beaconry {
namespace {

using namespace test_capture;

std::unique_ptr<CaptureReader> opened(const std::string& content) {
  auto reader = open_capture(std::make_unique<TestStream>(content));
  EXPECT_TRUE(reader) << (reader ? "" : reader.error().message());
  return reader ? std::move(*reader) : nullptr;
}

std::string error_of(const std::string& content, std::string failure = {}) {
  auto reader = open_capture(std::make_unique<TestStream>(content, "a.pcap", 1000, failure));
  if (!reader) return reader.error().message();
  RawPacket packet;
  CaptureStep step = CaptureStep::packet;
  while (step == CaptureStep::packet)
    step = (*reader)->next(packet);
  return step == CaptureStep::failed ? (*reader)->error().message()
         : step == CaptureStep::cut  ? "cut"
                                     : "end";
}

TEST(Pcap, ReadsEveryMagicInBothByteOrders) {
  for (const bool big : {false, true}) {
    for (const std::uint32_t magic : {0xa1b2c3d4U, 0xa1b23c4dU, 0xa1b2cd34U}) {
      PcapWriter file(magic, big, 113);
      file.packet(1'700'000'000, magic == 0xa1b23c4d ? 250'000'999 : 250'000, "hello", 1000);
      file.packet(1'700'000'001, 0, "", 0);
      const auto reader = opened(file.bytes);
      RawPacket packet;
      ASSERT_EQ(reader->next(packet), CaptureStep::packet);
      EXPECT_EQ(to_rfc3339(*packet.time), "2023-11-14T22:13:20.250Z");
      EXPECT_EQ(as_text(packet.bytes), "hello");
      EXPECT_EQ(packet.wire_length, 1000U);
      EXPECT_EQ(packet.link_type, 113U);
      ASSERT_EQ(reader->next(packet), CaptureStep::packet);
      EXPECT_TRUE(packet.bytes.empty());
      EXPECT_EQ(reader->next(packet), CaptureStep::end);
    }
  }
}

TEST(Pcap, TellsWhereItIsDamaged) {
  PcapWriter file;
  file.packet(1, 0, "hello", 5);
  EXPECT_EQ(error_of(file.bytes), "end");
  EXPECT_EQ(error_of(file.bytes.substr(0, 30)), "cut");
  EXPECT_EQ(error_of(file.bytes.substr(0, file.bytes.size() - 1)), "cut");
  EXPECT_EQ(error_of(file.bytes.substr(0, 10)), "read a.pcap: the file ends inside its header");
  std::string insane = file.bytes + file.bytes.substr(24);
  insane[24 + 21 + 10] = 0x7f;
  EXPECT_EQ(error_of(insane),
            "read a.pcap: byte 45: a packet of 8323077 bytes: the file is damaged from here on");
  EXPECT_EQ(error_of("not a capture"), "read a.pcap: neither a pcap nor a pcapng file");
  EXPECT_EQ(error_of(file.bytes, "gzip data ends early"), "read a.pcap: gzip data ends early");
}

TEST(Pcapng, ReadsSectionsInterfacesClocksAndPacketBlocks) {
  for (const bool big : {false, true}) {
    PcapngWriter file(big);
    file.section();
    file.interface(1, {});
    file.interface(276, {{9, std::string(1, 9)}, {14, file.number(3600, 8)}});  // ns, one hour
    file.interface(101, {{9, "\x8a"}});                                         // 2^-10 s
    file.block(0x0bad, "a block of another kind, gone over");
    file.enhanced(0, 1'700'000'000'250'000, "hello", 1000);
    file.enhanced(1, 1'700'000'000'250'000'999, "hi!", 3);
    file.enhanced(2, 1'700'000'000ULL * 1024 + 256, "four", 4);
    file.old_packet(0, 1'700'000'000'250'000, "old");
    file.simple("simple", 6);
    file.section();  // its interfaces are new
    file.interface(113, {});
    file.enhanced(0, 1, "x", 1);
    const auto reader = opened(file.bytes);
    RawPacket packet;
    const struct {
      const char *text, *time;
      std::uint32_t link, wire;
    } expected[] = {
        {"hello", "2023-11-14T22:13:20.250Z", 1, 1000},
        {"hi!", "2023-11-14T23:13:20.250Z", 276, 3},
        {"four", "2023-11-14T22:13:20.250Z", 101, 4},
        {"old", "2023-11-14T22:13:20.250Z", 1, 3},
        {"simple", nullptr, 1, 6},
        {"x", "1970-01-01T00:00:00.000Z", 113, 1},
    };
    for (const auto& e : expected) {
      ASSERT_EQ(reader->next(packet), CaptureStep::packet) << e.text;
      EXPECT_EQ(as_text(packet.bytes), e.text);
      ASSERT_EQ(packet.time.has_value(), e.time != nullptr);
      if (e.time != nullptr) {
        EXPECT_EQ(to_rfc3339(*packet.time), e.time);
      }
      EXPECT_EQ(packet.link_type, e.link);
      EXPECT_EQ(packet.wire_length, e.wire);
    }
    EXPECT_EQ(reader->next(packet), CaptureStep::end);
  }
}

TEST(Pcapng, HasNoTimeWhereItCannotBe) {
  PcapngWriter file(false);
  file.section();
  file.interface(1, {{9, "\x7f"}});                                // 10^-127 s
  file.interface(1, {{14, file.number(INT64_MAX, 8)}});            // long after
  file.interface(1, {{14, file.number(0x8000000000000000U, 8)}});  // long before
  file.interface(1, {{9, std::string(1, '\0')}});                  // seconds
  for (std::uint32_t i = 0; i < 4; ++i)
    file.enhanced(i, UINT64_MAX, "x", 1);
  const auto reader = opened(file.bytes);
  RawPacket packet;
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(reader->next(packet), CaptureStep::packet);
    EXPECT_FALSE(packet.time) << i;
  }
}

TEST(Pcapng, TellsWhereItIsDamaged) {
  const auto written = [](const std::function<void(PcapngWriter&)>& write) {
    PcapngWriter file(false);
    file.section();
    file.interface(1, {});
    write(file);
    return file.bytes;
  };
  const std::string good = written([](PcapngWriter& file) { file.enhanced(0, 1, "hello", 5); });
  EXPECT_EQ(error_of(good), "end");
  for (std::size_t cut = 1; cut < 40; ++cut)
    EXPECT_EQ(error_of(good.substr(0, good.size() - cut)), "cut") << cut;
  EXPECT_EQ(error_of(good.substr(0, 14)), "read a.pcap: the file ends inside its header");
  std::string trailer = good;
  trailer[good.size() - 4] ^= 4;
  EXPECT_EQ(error_of(trailer),
            "read a.pcap: byte 84: a block's two lengths differ: the file is damaged from here on");
  EXPECT_EQ(error_of(written([](PcapngWriter& file) { file.enhanced(7, 1, "hello", 5); })),
            "read a.pcap: byte 48: a packet of an interface that was not described");
  EXPECT_EQ(error_of(written([](PcapngWriter& file) { file.bytes += std::string(12, '\0'); })),
            "read a.pcap: byte 48: a block of 0 bytes: the file is damaged from here on");
  std::string order = good;
  order[8] = 0;
  EXPECT_EQ(error_of(order), "read a.pcap: byte 0: a section without a byte order");
}

}  // namespace
}  // namespace beaconry
