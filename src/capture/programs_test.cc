// The kernel programs as a table: packets in by BPF_PROG_TEST_RUN, and out come verdict, map,
// counters and records. Skipped where eBPF may not be loaded.
#include <bpf/bpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/resource.h>

#include <cstring>
#include <string>
#include <vector>

#include "capture/ebpf/flow_programs.h"
#include "capture/flow_records.h"
#include "capture/test_frames.h"
#include "flow/test_traffic.h"

namespace beaconry {
namespace {

using namespace test_frames;
using test_traffic::Recorder;

constexpr int kInterface = 1;  // loopback: where the kernel runs test packets

struct Entry {
  FlowEnds ends;
  FlowSaved flow;
};
struct Record {
  FlowRecord head;
  Bytes payload;
};

class KernelPrograms : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    CaptureOptions options;
    options.most_flows = 1024;  // quicker to load
    load(options);
  }

  void load(CaptureOptions options) {
    auto loaded = FlowPrograms::load(options, {kInterface});
    if (!loaded) GTEST_SKIP() << "eBPF programs cannot be loaded: " << loaded.error().message();
    programs_ = std::move(*loaded);
  }

  int program() const {
    const std::string name = GetParam();
    const TrackerPrograms trackers = programs_->trackers();
    return name == "xdp"         ? trackers.xdp_ingress
           : name == "tc_egress" ? trackers.tc_egress
                                 : trackers.tc_ingress;
  }
  bool is_xdp() const { return std::string_view(GetParam()) == "xdp"; }

  // The frame passes, unchanged, whatever it is.
  void send(const Bytes& frame, const __sk_buff* context = nullptr) {
    Bytes out(frame.size() + 64);
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.data_out = out.data();
    options.data_size_out = static_cast<std::uint32_t>(out.size());
    options.repeat = 1;
    if (context != nullptr) {
      options.ctx_in = context;
      options.ctx_size_in = sizeof *context;
    }
    ASSERT_EQ(bpf_prog_test_run_opts(program(), &options), 0) << std::strerror(errno);
    EXPECT_EQ(options.retval, is_xdp() ? static_cast<std::uint32_t>(XDP_PASS) : 0xffffffffU);
    out.resize(options.data_size_out);
    EXPECT_EQ(out, frame);
    ++sent_;
  }
  void send(const Frame& frame) { send(frame.bytes()); }

  std::vector<Entry> flows() {
    std::vector<Entry> all;
    FlowPrograms::Walk walk;
    walk.take = [&](const FlowEnds& ends, const FlowSaved& flow) {
      all.push_back({ends, flow});
      return false;
    };
    EXPECT_TRUE(programs_->walk(walk).has_value());
    return all;
  }
  std::vector<Record> records() {
    std::vector<Record> all;
    programs_->consume([&](std::string_view bytes) {
      ASSERT_GE(bytes.size(), sizeof(FlowRecord));
      Record record{};
      std::memcpy(&record.head, bytes.data(), sizeof record.head);
      bytes.remove_prefix(sizeof record.head);
      record.payload.assign(bytes.begin(), bytes.begin() + record.head.captured);
      all.push_back(record);
    });
    return all;
  }
  std::uint64_t counted(int kind) const { return programs_->counts(kInterface).count[kind]; }

  void TearDown() override {
    if (!programs_) return;
    const PacketCounts counts = programs_->counts(kInterface);
    std::uint64_t sum = 0;
    for (int kind = kCountTcp; kind <= kCountTableFull; ++kind)
      sum += counts.count[kind];
    EXPECT_EQ(counts.count[kCountPackets], sent_);
    EXPECT_EQ(sum, sent_) << "each packet is counted once";
  }

  std::unique_ptr<FlowPrograms> programs_;
  std::uint64_t sent_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Hook, KernelPrograms, testing::Values("xdp", "tc_egress", "tc_ingress"),
                         [](const auto& hook) { return std::string(hook.param); });

Frame udp_frame() {
  Frame frame;
  frame.protocol = kProtocolUdp;
  frame.to.port = 5000;
  frame.payload = Bytes(40, 'u');
  return frame;
}
Frame v6_frame() {
  Frame frame;
  frame.from.address = "2001:db8::5";
  frame.to.address = "2001:db8:1::9";
  frame.payload = Bytes(10, 'x');
  return frame;
}

TEST_P(KernelPrograms, CountEachKindOfPacketAndKeepItsFlow) {
  struct Case {
    const char* name;
    Frame frame;
    int kind;
    bool flow;
    std::uint64_t bytes = 10;
  };
  std::vector<Case> cases;
  const auto add = [&](const char* name, Frame frame, int kind, bool flow, std::uint64_t bytes) {
    frame.from.port = static_cast<std::uint16_t>(40'000 + cases.size());
    cases.push_back({name, std::move(frame), kind, flow, bytes});
  };
  Frame tcp;
  tcp.payload = Bytes(10, 'x');
  add("TCP", tcp, kCountTcp, true, 10);
  add("UDP", udp_frame(), kCountUdp, true, 40);
  add("IPv6", v6_frame(), kCountTcp, true, 10);
  Frame frame = tcp;
  frame.ip_options = 40;
  add("IPv4 options", frame, kCountTcp, true, 10);
  for (unsigned tags = 1; tags <= 4; ++tags) {
    frame = tcp;
    frame.tags.assign(tags, 0x8100);
    frame.tags[0] = tags > 1 ? 0x88a8 : 0x8100;
    add("VLAN tags", frame, kCountTcp, true, 10);
    frame = v6_frame();
    frame.tags.assign(tags, 0x8100);
    add("VLAN tags, IPv6", frame, kCountTcp, true, 10);
  }
  frame = tcp;
  frame.tags.assign(5, 0x8100);
  add("five VLAN tags", frame, kCountUnparsable, false, 0);
  for (std::size_t headers = 1; headers <= 8; ++headers) {
    frame = v6_frame();
    frame.extensions.assign(headers, 60);
    frame.extensions[0] = 0;
    add("extension headers", frame, kCountTcp, true, 10);
  }
  frame = v6_frame();
  frame.extensions.assign(9, 60);
  add("nine extension headers", frame, kCountUnparsable, false, 0);
  frame = udp_frame();
  frame.fragment = 0x2000;
  add("first fragment", frame, kCountUdp, true, 40);
  frame.fragment = 0x2010;
  add("later fragment", frame, kCountLaterFragments, false, 0);
  frame = tcp;
  frame.protocol = kProtocolIcmp;
  add("ICMP echo", frame, kCountIcmp, true, 10);
  frame.icmp_type = 3;
  add("ICMP error", frame, kCountIcmpErrors, false, 0);
  frame = v6_frame();
  frame.protocol = kProtocolIcmpv6;
  frame.icmp_type = 128;
  add("ICMPv6 echo", frame, kCountIcmp, true, 10);
  frame = tcp;
  frame.protocol = 47;
  frame.to.address = "203.0.113.77";
  add("GRE", frame, kCountOther, true, 22);
  frame = tcp;
  frame.payload.clear();
  add("TCP without data of no flow", frame, kCountStrays, false, 0);
  frame.flags = kTcpRst;
  add("RST of no flow", frame, kCountStrays, false, 0);
  frame.flags = kTcpSyn;
  add("SYN", frame, kCountTcp, true, 0);

  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const std::size_t before = flows().size();
    const std::uint64_t counted_before = counted(one.kind);
    send(one.frame);
    EXPECT_EQ(counted(one.kind), counted_before + 1);
    const std::vector<Entry> all = flows();
    ASSERT_EQ(all.size(), before + (one.flow ? 1 : 0));
    if (!one.flow) continue;
    bool found = false;
    for (const Entry& entry : all) {
      const bool ports = one.kind == kCountTcp || one.kind == kCountUdp;
      if (entry.ends.protocol != one.frame.protocol) continue;
      if (ports && entry.ends.a_port != one.frame.from.port &&
          entry.ends.b_port != one.frame.from.port) {
        continue;
      }
      found = true;
      EXPECT_EQ(entry.flow.core.bytes[0] + entry.flow.core.bytes[1], one.bytes);
    }
    EXPECT_TRUE(found);
  }
}

TEST_P(KernelPrograms, TakeNoFrameThatIsCutShortForAFlow) {
  Frame tcp = v6_frame();
  tcp.tags = {0x8100};
  tcp.extensions = {0, 60};
  const Bytes whole = tcp.bytes();
  const std::size_t headers = whole.size() - tcp.payload.size();
  for (std::size_t size = 14; size + 6 < headers; ++size)
    send(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
  EXPECT_EQ(counted(kCountUnparsable), sent_);
  EXPECT_TRUE(flows().empty());
}

TEST_P(KernelPrograms, CountTheTagThatTheDriverStripped) {
  if (is_xdp()) return;  // XDP runs before the kernel takes it
  Frame frame;
  frame.payload = Bytes(10, 'x');
  frame.tags.assign(5, 0x8100);
  send(frame);  // the kernel strips the outermost of a test packet, too, or it is there: five
  EXPECT_EQ(counted(kCountUnparsable), 1U);
  frame.tags.assign(4, 0x8100);
  send(frame);
  EXPECT_EQ(counted(kCountTcp), 1U);
}

TEST_P(KernelPrograms, CountBytesByDirectionAndOnceThoughSeenTwice) {
  Frame out;
  out.flags = kTcpSyn;
  send(out);
  out.flags = kTcpAck;
  out.sequence = 1001;
  out.payload = Bytes(100, 'o');
  Frame in = out.back();
  in.sequence = 7000;
  in.payload = Bytes(500, 'i');
  for (int twice = 0; twice < 2; ++twice) {
    send(out);
    send(in);
  }
  const auto all = flows();
  ASSERT_EQ(all.size(), 1U);
  const FlowCore& core = all[0].flow.core;
  const unsigned opener = core.a_opened ? 0 : 1;
  EXPECT_EQ(core.opener_known, 1);
  EXPECT_EQ(core.syn_seen, 1);
  EXPECT_EQ(core.bytes[opener], 100U);
  EXPECT_EQ(core.bytes[1 - opener], 500U);
}

TEST_P(KernelPrograms, CountWhatATableThatIsFullHasNoRoomFor) {
  CaptureOptions options;
  options.most_flows = 8;
  load(options);
  if (!programs_) return;
  Frame frame = udp_frame();
  for (std::uint16_t port = 1; port <= 20; ++port) {
    frame.from.port = static_cast<std::uint16_t>(30'000 + port);
    send(frame);
  }
  EXPECT_EQ(counted(kCountUdp), 8U);
  EXPECT_EQ(counted(kCountTableFull), 12U);
  EXPECT_EQ(flows().size(), 8U);
}

TEST_P(KernelPrograms, LoseNoFlowToARingThatIsFull) {
  CaptureOptions options;
  options.ring_bytes = 4096;
  load(options);
  if (!programs_) return;
  Frame frame = udp_frame();
  for (std::uint16_t port = 0; port < 100; ++port) {
    frame.from.port = static_cast<std::uint16_t>(30'000 + port);
    send(frame);
  }
  EXPECT_EQ(flows().size(), 100U);
  const std::size_t told = records().size();
  EXPECT_LT(told, 100U);
  EXPECT_EQ(told + counted(kCountRingDrops), 100U);
}

TEST_P(KernelPrograms, TrackOnlyTheProtocolsThatAreWanted) {
  CaptureOptions options;
  options.track_udp = false;
  load(options);
  if (!programs_) return;
  send(udp_frame());
  EXPECT_EQ(counted(kCountNotTracked), 1U);
  send(v6_frame());
  EXPECT_EQ(counted(kCountTcp), 1U);
  EXPECT_EQ(flows().size(), 1U);
}

TEST_P(KernelPrograms, SayNothingOfAKnownFlow) {
  Frame frame = udp_frame();
  send(frame);
  EXPECT_EQ(records().size(), 1U);
  for (int i = 0; i < 50; ++i)
    send(i % 2 == 0 ? frame : frame.back());
  EXPECT_TRUE(records().empty());
}

TEST_P(KernelPrograms, SendTheNextConnectionOfTheSameEndsBehindTheCloseOfTheLast) {
  Frame frame;
  frame.flags = kTcpSyn;
  send(frame);
  frame.flags = kTcpAck;
  frame.sequence = 1001;
  frame.payload = Bytes(70, 'x');
  send(frame);
  (void)records();
  frame.payload.clear();
  frame.flags = kTcpSyn;
  frame.sequence = 900'000;
  send(frame);
  const auto told = records();
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].head.kind, kRecordClose);
  EXPECT_EQ(told[0].head.flow.core.bytes[0] + told[0].head.flow.core.bytes[1], 70U);
  const auto all = flows();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].flow.core.initial_sequence, 900'000U);
  EXPECT_NE(all[0].flow.first_ns, told[0].head.flow.first_ns);
}

// The names that user space reads from what the kernel sends.
class KernelNames : public KernelPrograms {
 protected:
  std::vector<test_traffic::Seen> events() {
    Recorder seen;
    FlowRecords flow_records({}, seen);
    const auto clock = programs_->read_clock();
    EXPECT_TRUE(clock.has_value());
    flow_records.set_clock(*clock, test_traffic::at(1'000'000));
    programs_->consume([&](std::string_view bytes) {
      EXPECT_TRUE(flow_records.add(
          ByteView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())));
    });
    for (const Entry& entry : flows())
      flow_records.end(entry.ends, entry.flow);
    address_names = seen.address_names;
    return seen.events;
  }
  void open(Frame& frame) {
    frame.flags = kTcpSyn;
    frame.payload.clear();
    frame.sequence = 1000;
    send(frame);
    frame.flags = kTcpAck;
    frame.sequence = 1001;
  }
  std::vector<std::string> address_names;
};
INSTANTIATE_TEST_SUITE_P(Hook, KernelNames, testing::Values("xdp", "tc_egress", "tc_ingress"),
                         [](const auto& hook) { return std::string(hook.param); });

TEST_P(KernelNames, AreReadFromAClientHelloInTwoSegments) {
  for (const std::size_t padding : {0U, 2500U}) {
    SCOPED_TRACE(padding);
    Frame frame;
    frame.from.port = static_cast<std::uint16_t>(40'000 + padding);
    open(frame);
    const Bytes hello = test_messages::client_hello("c2.example", padding);
    const std::ptrdiff_t half = std::min<std::ptrdiff_t>(1400, static_cast<int>(hello.size()) / 2);
    frame.payload.assign(hello.begin(), hello.begin() + half);
    send(frame);
    frame.sequence += static_cast<std::uint32_t>(half);
    frame.payload.assign(hello.begin() + half, hello.end());
    send(frame);
    frame.sequence += static_cast<std::uint32_t>(frame.payload.size());
    frame.payload = Bytes(100, 'e');
    send(frame);
    bool found = false;
    for (const auto& event : events()) {
      if (event.source_port != frame.from.port) continue;
      found = true;
      EXPECT_EQ(event.name, "c2.example");
      EXPECT_EQ(event.name_kind, NameKind::tls_sni);
      EXPECT_EQ(event.out, hello.size() + 100);
    }
    EXPECT_TRUE(found);
  }
}

TEST_P(KernelNames, AreReadFromTheSecondSegmentCapturedFirst) {
  Frame frame;
  open(frame);
  const Bytes hello = test_messages::client_hello("late.example", 1000);
  const std::size_t half = hello.size() / 2;
  frame.sequence = static_cast<std::uint32_t>(1001 + half);
  frame.payload.assign(hello.begin() + static_cast<std::ptrdiff_t>(half), hello.end());
  send(frame);
  frame.sequence = 1001;
  frame.payload.assign(hello.begin(), hello.begin() + static_cast<std::ptrdiff_t>(half));
  send(frame);
  const auto all = events();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "late.example");
}

TEST_P(KernelNames, AreReadFromARequestsHost) {
  Frame frame;
  open(frame);
  frame.to.port = 443;
  frame.payload = test_messages::bytes_of("GET /x HTTP/1.1\r\nHost: Web.Example\r\n\r\n");
  send(frame);
  const auto all = events();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "web.example");
}

TEST_P(KernelNames, MakeACheckInOfEachDomainThatOneSocketAsksFor) {
  Frame ask = udp_frame();
  ask.to.port = 53;
  ask.payload = test_messages::dns_query("a.first.example");
  send(ask);
  const std::size_t first = ask.payload.size();
  ask.payload = test_messages::dns_query("b.second.example");
  send(ask);
  const auto all = events();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "first.example");
  EXPECT_EQ(all[0].out, first);
  EXPECT_EQ(all[1].name, "second.example");
  EXPECT_EQ(all[1].out, ask.payload.size());
  EXPECT_EQ(all[2].kind, FlowEventKind::close);
  EXPECT_EQ(all[2].out, 0U);
}

}  // namespace
}  // namespace beaconry
