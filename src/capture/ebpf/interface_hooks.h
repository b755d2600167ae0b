#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/fd.h"
#include "base/result.h"
#include "capture/capture.h"
#include "capture/ebpf/traffic_control.h"

namespace beaconry {

// The loaded programs, of which hooks take what they need. Descriptors of somebody else.
struct TrackerPrograms {
  int xdp_ingress = -1;
  int tc_ingress = -1;
  int tc_egress = -1;
};

// Removes the TC filters that an earlier collector left on the interface when it was killed, of
// both directions, and the clsact discipline if it held nothing else. Filters of others stay. Needs
// CAP_NET_ADMIN where there is something to remove.
Result<void> remove_left_over_filters(int interface);

// How a hook hangs on an interface.
enum class HookKind : std::uint8_t { xdp_native, xdp_generic, tcx, clsact };

// One attached program. Links vanish with their descriptor, however the process ends; a clsact
// filter outlives its loader and is found by its name at the next start. Destroying a hook detaches
// it, and removes a clsact discipline only if it was made for this hook and holds nothing else.
class Hook {
 public:
  // An XDP program that is there already stays: an error that says so.
  static Result<Hook> attach_xdp(int interface, int program, HookKind kind);
  // Beside the filters of others, and before them: a foreign filter may swallow what it sees, ours
  // passes everything on.
  static Result<Hook> attach_tc(int interface, int program, TrafficDirection direction,
                                bool tcx_allowed);

  Hook(Hook&& other) noexcept { *this = std::move(other); }
  Hook& operator=(Hook&& other) noexcept;
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;
  ~Hook() { detach(); }

  HookKind kind() const { return kind_; }
  // What the operator should know of the neighbours: "the filter 'shaper' stays"; or empty.
  const std::string& remark() const { return remark_; }

 private:
  Hook() = default;
  void detach();

  HookKind kind_ = HookKind::xdp_native;
  int interface_ = 0;
  Fd link_;
  TrafficDirection direction_ = TrafficDirection::ingress;
  std::uint32_t priority_ = 0;  // of the clsact filter; 0: none
  bool made_discipline_ = false;
  std::string remark_;
};

// All hooks of one interface.
class InterfaceHooks {
 public:
  struct Options {
    CaptureMode mode = CaptureMode::automatic;  // not af_packet
    bool tcx = true;                            // where the kernel has it
    bool ingress_only = false;                  // of loopback, where what goes out comes in again
  };

  // Native XDP for what comes in and TC for what goes out; else TC for both; else one direction
  // alone, with a warning. What a killed collector left there is removed first. Every attachment is
  // logged, and why a better one was not to be had. Needs CAP_NET_ADMIN and CAP_BPF.
  static Result<InterfaceHooks> attach(const std::string& name, int index,
                                       const TrackerPrograms& programs, const Options& options);

  // "xdp+tc_egress", "tc_both", "xdp", "tc_ingress"
  const std::string& mode() const { return mode_; }
  int index() const { return index_; }

 private:
  std::string mode_;
  int index_ = 0;
  // The first may have made the clsact discipline: it goes last.
  std::optional<Hook> egress_, ingress_;
};

// The worse of two modes by what they see: tc_ingress, then xdp, tc_both, xdp+tc_egress.
const std::string& lesser_mode(const std::string& a, const std::string& b);

}  // namespace beaconry
