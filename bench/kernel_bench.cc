// What the kernel programs cost a packet of a known flow, above an empty program:
// BPF_PROG_TEST_RUN of the programs as they are loaded. Prints a Markdown table; bench/kernel puts
// it into docs/performance.md. Needs root.
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "capture/ebpf/flow_programs.h"
#include "capture/test_frames.h"

namespace beaconry {
namespace {

using test_frames::Bytes;
using test_frames::Frame;

constexpr int kRepeat = 200'000;
constexpr int kRuns = 25;

// Two instructions: r0 = verdict; exit.
int empty_program(bpf_prog_type type, int verdict) {
  bpf_insn code[2] = {};
  code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  code[0].imm = verdict;
  code[1].code = BPF_JMP | BPF_EXIT;
  return bpf_prog_load(type, "empty", "GPL", code, 2, nullptr);
}

unsigned run(int program, const Bytes& frame, int repeat) {
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = repeat;
  if (bpf_prog_test_run_opts(program, &options) != 0) {
    std::perror("kernel_bench: BPF_PROG_TEST_RUN");
    std::exit(1);
  }
  return options.duration;
}

struct Cost {
  unsigned empty, program;
};

// The least of runs in turn: what else the machine does only adds.
Cost measure(int empty, int program, const Bytes& frame) {
  Cost least{~0U, ~0U};
  for (int i = 0; i < kRuns; ++i) {
    least.empty = std::min(least.empty, run(empty, frame, kRepeat));
    least.program = std::min(least.program, run(program, frame, kRepeat));
  }
  return least;
}

int main_program() {
  CaptureOptions options;
  auto programs = FlowPrograms::load(options, {1});
  if (!programs) {
    std::fprintf(stderr, "kernel_bench: %s\n", programs.error().message().c_str());
    return 77;
  }
  const TrackerPrograms trackers = (*programs)->trackers();
  const int empty_xdp = empty_program(BPF_PROG_TYPE_XDP, XDP_PASS);
  const int empty_tc = empty_program(BPF_PROG_TYPE_SCHED_CLS, 0);

  struct Case {
    const char* name;
    Frame frame;
  };
  Frame tcp, udp, v6, qinq, v6_udp;
  tcp.payload = Bytes(10, 'x');
  udp.protocol = kProtocolUdp;
  udp.payload = Bytes(22, 'x');
  udp.to.port = 5000;
  v6 = tcp;
  v6.from.address = "2001:db8::5";
  v6.to.address = "2001:db8:1::9";
  v6_udp = udp;
  v6_udp.from.address = v6.from.address;
  v6_udp.to.address = v6.to.address;
  qinq = tcp;
  qinq.from.port = 50'001;
  qinq.tags = {0x88a8, 0x8100};
  const Case cases[] = {{"TCP", tcp},
                        {"UDP", udp},
                        {"TCP over IPv6", v6},
                        {"UDP over IPv6", v6_udp},
                        {"TCP in two VLAN tags (QinQ)", qinq}};
  std::printf("| known flow | xdp_connection_tracker | tc_egress_tracker | tc_ingress_tracker |\n");
  std::printf("|---|---|---|---|\n");
  for (const Case& one : cases) {
    std::printf("| %s |", one.name);
    // Packets that may name the server are looked at first.
    Frame first = one.frame;
    for (std::uint32_t i = 0; i < 20; ++i) {
      first.sequence += 10;
      run(trackers.tc_ingress, first.bytes(), 1);
    }
    const Bytes frame = one.frame.bytes();
    const std::pair<int, int> hooks[] = {{empty_xdp, trackers.xdp_ingress},
                                         {empty_tc, trackers.tc_egress},
                                         {empty_tc, trackers.tc_ingress}};
    for (const auto& [empty, program] : hooks) {
      const Cost cost = measure(empty, program, frame);
      std::printf(" %d ns |", static_cast<int>(cost.program) - static_cast<int>(cost.empty));
      std::fflush(stdout);
    }
    std::printf("\n");
  }
  return 0;
}

}  // namespace
}  // namespace beaconry

int main() {
  return beaconry::main_program();
}
