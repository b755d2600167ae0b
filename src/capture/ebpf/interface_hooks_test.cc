#include "capture/ebpf/interface_hooks.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace beaconry {
namespace {

using ::testing::Contains;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Programs that do nothing but answer; in a network namespace of this process.
Fd make_program(bpf_prog_type type, std::int32_t answer) {
  bpf_insn code[2]{};
  code[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  code[0].imm = answer;
  code[1].code = BPF_JMP | BPF_EXIT;
  bpf_prog_load_opts options{};
  options.sz = sizeof options;
  if (type == BPF_PROG_TYPE_XDP) options.prog_flags = 1U << 5;  // with fragments: jumbo frames
  return Fd(bpf_prog_load(type, "tracker", "GPL", code, 2, &options));
}

bool run(const std::string& command) {
  return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

class InterfaceHooksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static const bool alone = ::unshare(CLONE_NEWNET) == 0;
    if (!alone) GTEST_SKIP() << "needs root: no network namespace can be made here";
    xdp_ = make_program(BPF_PROG_TYPE_XDP, 2);  // XDP_PASS
    tc_ = make_program(BPF_PROG_TYPE_SCHED_CLS, -1);
    if (!xdp_ || !tc_) GTEST_SKIP() << "needs CAP_BPF: no program can be loaded here";
    ASSERT_TRUE(run("ip link add hooked type veth peer name peer"));
    ASSERT_TRUE(run("ip link add name plain type bridge"));
    programs_ = {xdp_.get(), tc_.get(), tc_.get()};
  }
  void TearDown() override {
    run("ip link del hooked");
    run("ip link del plain");
  }

  Result<InterfaceHooks> attach(const char* name, InterfaceHooks::Options options = {}) {
    return InterfaceHooks::attach(name, index(name), programs_, options);
  }
  static int index(const char* name) { return static_cast<int>(if_nametoindex(name)); }
  static std::vector<TrafficFilter> filters(const char* name, TrafficDirection direction) {
    return TrafficControl::open()->filters(index(name), direction).value();
  }
  static TrafficControl::Discipline discipline(const char* name) {
    return TrafficControl::open()->discipline(index(name)).value();
  }
  static std::uint32_t xdp_of(const char* name) {
    bpf_xdp_query_opts found{};
    found.sz = sizeof found;
    EXPECT_EQ(bpf_xdp_query(index(name), 0, &found), 0);
    return found.prog_id;
  }

  Fd xdp_, tc_;
  TrackerPrograms programs_;
};

constexpr InterfaceHooks::Options kClsact{CaptureMode::automatic, false};

TEST_F(InterfaceHooksTest, native_xdp_and_tc_egress_where_the_driver_has_it) {
  {
    const auto hooks = attach("hooked");
    ASSERT_TRUE(hooks) << hooks.error().message();
    EXPECT_EQ(hooks->mode(), "xdp+tc_egress");
    EXPECT_NE(xdp_of("hooked"), 0U);
  }
  EXPECT_EQ(xdp_of("hooked"), 0U);
}

TEST_F(InterfaceHooksTest, tc_for_both_directions_where_the_driver_has_no_xdp) {
  for (const bool tcx : {true, false}) {
    const auto hooks = attach("plain", {CaptureMode::automatic, tcx});
    ASSERT_TRUE(hooks) << hooks.error().message();
    EXPECT_EQ(hooks->mode(), "tc_both");
  }
  EXPECT_EQ(discipline("plain"), TrafficControl::Discipline::none);
}

TEST_F(InterfaceHooksTest, a_forced_mode_is_that_or_an_error) {
  EXPECT_EQ(attach("hooked", {CaptureMode::tc, true})->mode(), "tc_both");
  EXPECT_EQ(attach("plain", {CaptureMode::xdp_generic, true})->mode(), "xdp+tc_egress");
  EXPECT_FALSE(attach("plain", {CaptureMode::xdp, true}));
}

TEST_F(InterfaceHooksTest, jumbo_frames_keep_native_xdp) {
  ASSERT_TRUE(run("ip link set hooked mtu 9000 && ip link set peer mtu 9000"));
  EXPECT_EQ(attach("hooked")->mode(), "xdp+tc_egress");
}

TEST_F(InterfaceHooksTest, a_foreign_xdp_program_stays_and_tc_is_taken) {
  const Fd foreign = make_program(BPF_PROG_TYPE_XDP, 2);
  ASSERT_EQ(bpf_xdp_attach(index("hooked"), foreign.get(), XDP_FLAGS_DRV_MODE, nullptr), 0);
  const std::uint32_t before = xdp_of("hooked");
  {
    const auto hooks = attach("hooked");
    ASSERT_TRUE(hooks) << hooks.error().message();
    EXPECT_EQ(hooks->mode(), "tc_both");
    EXPECT_EQ(xdp_of("hooked"), before);
  }
  EXPECT_EQ(xdp_of("hooked"), before);
  EXPECT_FALSE(attach("hooked", {CaptureMode::xdp, true}));
}

TEST_F(InterfaceHooksTest, foreign_filters_stay_and_ours_run_before_them) {
  for (const bool tcx : {true, false}) {
    auto control = TrafficControl::open();
    ASSERT_TRUE(control->add_clsact(index("hooked")));
    ASSERT_TRUE(
        control->add_filter(index("hooked"), TrafficDirection::egress, 100, tc_.get(), "shaper"));
    {
      const auto hooks = attach("hooked", {CaptureMode::automatic, tcx});
      ASSERT_TRUE(hooks) << hooks.error().message();
      EXPECT_EQ(hooks->mode(), "xdp+tc_egress");
      const auto present = filters("hooked", TrafficDirection::egress);
      EXPECT_THAT(present, SizeIs(tcx ? 1 : 2));
      EXPECT_THAT(present, Contains(Field(&TrafficFilter::name, "shaper")));
      EXPECT_EQ(present[0].priority, tcx ? 100U : 99U);
    }
    const auto left = filters("hooked", TrafficDirection::egress);
    ASSERT_THAT(left, SizeIs(1));
    EXPECT_EQ(left[0].name, "shaper");
    EXPECT_EQ(discipline("hooked"), TrafficControl::Discipline::clsact);
    ASSERT_TRUE(control->remove_clsact(index("hooked")));
  }
}

TEST_F(InterfaceHooksTest, a_foreign_filter_in_the_first_place_stays_there) {
  auto control = TrafficControl::open();
  ASSERT_TRUE(control->add_clsact(index("hooked")));
  ASSERT_TRUE(
      control->add_filter(index("hooked"), TrafficDirection::egress, 1, tc_.get(), "first"));
  const auto hooks = attach("hooked", kClsact);
  ASSERT_TRUE(hooks) << hooks.error().message();
  const auto present = filters("hooked", TrafficDirection::egress);
  ASSERT_THAT(present, SizeIs(2));
  EXPECT_EQ(present[0].name, "first");
  EXPECT_EQ(present[1].priority, 2U);
}

TEST_F(InterfaceHooksTest, what_a_killed_loader_left_is_replaced) {
  // What kill -9 leaves behind: the discipline and the filters, by their names.
  auto control = TrafficControl::open();
  ASSERT_TRUE(control->add_clsact(index("hooked")));
  for (const std::uint32_t priority : {49150U, 49151U}) {
    ASSERT_TRUE(control->add_filter(index("hooked"), TrafficDirection::egress, priority, tc_.get(),
                                    "beaconry:tc_egress_tracker"));
  }
  ASSERT_TRUE(
      control->add_filter(index("hooked"), TrafficDirection::egress, 7, tc_.get(), "shaper"));
  {
    const auto hooks = attach("hooked", kClsact);
    ASSERT_TRUE(hooks) << hooks.error().message();
    EXPECT_THAT(filters("hooked", TrafficDirection::egress), SizeIs(2));
  }
  const auto left = filters("hooked", TrafficDirection::egress);
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].name, "shaper");
}

TEST_F(InterfaceHooksTest, what_a_killed_loader_left_goes_whatever_is_attached_now) {
  auto control = TrafficControl::open();
  const auto leave = [&](TrafficDirection direction, const char* name) {
    ASSERT_TRUE(control->add_filter(index("hooked"), direction, 49151, tc_.get(), name));
  };
  ASSERT_TRUE(control->add_clsact(index("hooked")));
  leave(TrafficDirection::ingress, "beaconry:tc_ingress_tracker");
  leave(TrafficDirection::egress, "beaconry:tc_egress_tracker");
  {
    const auto hooks = attach("hooked");  // XDP for what comes in
    ASSERT_TRUE(hooks) << hooks.error().message();
    EXPECT_EQ(hooks->mode(), "xdp+tc_egress");
    EXPECT_THAT(filters("hooked", TrafficDirection::ingress), IsEmpty());
  }
  // The discipline held ours alone, so it was ours.
  EXPECT_EQ(discipline("hooked"), TrafficControl::Discipline::none);
  ASSERT_TRUE(control->add_clsact(index("hooked")));
  leave(TrafficDirection::ingress, "beaconry:tc_ingress_tracker");
  leave(TrafficDirection::egress, "shaper");
  ASSERT_TRUE(remove_left_over_filters(index("hooked")));
  EXPECT_THAT(filters("hooked", TrafficDirection::ingress), IsEmpty());
  EXPECT_THAT(filters("hooked", TrafficDirection::egress), SizeIs(1));
}

TEST_F(InterfaceHooksTest, a_discipline_made_for_us_goes_unless_somebody_uses_it) {
  { EXPECT_EQ(attach("hooked", {CaptureMode::tc, false})->mode(), "tc_both"); }
  EXPECT_EQ(discipline("hooked"), TrafficControl::Discipline::none);
  {
    const auto hooks = attach("hooked", {CaptureMode::tc, false});
    ASSERT_TRUE(TrafficControl::open()->add_filter(index("hooked"), TrafficDirection::ingress, 7,
                                                   tc_.get(), "later"));
  }
  EXPECT_THAT(filters("hooked", TrafficDirection::ingress), SizeIs(1));
  EXPECT_THAT(filters("hooked", TrafficDirection::egress), IsEmpty());
}

TEST_F(InterfaceHooksTest, without_egress_one_direction_is_seen) {
  // The older 'ingress' discipline takes the place of clsact and has no egress.
  auto ingress_only = [](const char* name) {
    return run(std::string("tc qdisc add dev ") + name + " ingress");
  };
  if (!ingress_only("hooked") || !ingress_only("plain")) GTEST_SKIP() << "needs tc(8)";
  EXPECT_EQ(attach("hooked", kClsact)->mode(), "xdp");
  EXPECT_EQ(attach("plain", kClsact)->mode(), "xdp");
  EXPECT_EQ(attach("hooked", {CaptureMode::tc, false})->mode(), "tc_ingress");
}

TEST(LesserMode, is_the_one_that_sees_less) {
  EXPECT_EQ(lesser_mode("xdp+tc_egress", "tc_both"), "tc_both");
  EXPECT_EQ(lesser_mode("xdp", "tc_both"), "xdp");
  EXPECT_EQ(lesser_mode("xdp", "tc_ingress"), "tc_ingress");
}

}  // namespace
}  // namespace beaconry
