#include "capture/ebpf/interface_hooks.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/log.h"

namespace beaconry {
namespace {

const char* words_of(HookKind kind) {
  switch (kind) {
    case HookKind::xdp_native:
      return "";
    case HookKind::xdp_generic:
      return " (generic)";
    case HookKind::tcx:
      return " (tcx)";
    case HookKind::clsact:
      return " (clsact)";
  }
  return "";
}

}  // namespace

const std::string& lesser_mode(const std::string& a, const std::string& b) {
  static const std::array<std::string, 4> kOrder{"tc_ingress", "xdp", "tc_both", "xdp+tc_egress"};
  const auto rank = [](const std::string& mode) {
    return std::find(kOrder.begin(), kOrder.end(), mode);
  };
  return rank(a) < rank(b) ? a : b;
}

Result<InterfaceHooks> InterfaceHooks::attach(const std::string& name, int index,
                                              const TrackerPrograms& programs,
                                              const Options& options) {
  if (auto swept = remove_left_over_filters(index); !swept) {
    log_warning("On " + name +
                " filters of an earlier collector may be left: " + swept.error().message());
  }
  InterfaceHooks all;
  all.index_ = index;
  std::string failures;
  const auto note = [&](Result<Hook> hook, const char* what) -> std::optional<Hook> {
    if (!hook) {
      log_info("No " + std::string(what) + " hook on " + name + ": " + hook.error().message());
      failures +=
          (failures.empty() ? "" : "; ") + std::string(what) + ": " + hook.error().message();
      return std::nullopt;
    }
    log_info("Attached " + std::string(what) + " hook on " + name + words_of(hook->kind()));
    if (!hook->remark().empty()) log_warning("On " + name + ' ' + hook->remark());
    return std::move(*hook);
  };
  const auto xdp = [&](HookKind kind) {
    return note(Hook::attach_xdp(index, programs.xdp_ingress, kind), "XDP ingress");
  };
  const auto tc = [&](TrafficDirection direction) {
    const bool ingress = direction == TrafficDirection::ingress;
    return note(Hook::attach_tc(index, ingress ? programs.tc_ingress : programs.tc_egress,
                                direction, options.tcx),
                ingress ? "TC ingress" : "TC egress");
  };

  std::optional<Hook> ingress;
  bool by_xdp = false;
  if (options.mode != CaptureMode::tc) {
    ingress = xdp(options.mode == CaptureMode::xdp_generic ? HookKind::xdp_generic
                                                           : HookKind::xdp_native);
    by_xdp = ingress.has_value();
    if (!ingress && options.mode != CaptureMode::automatic) {
      return fail(ErrorKind::unsupported, "attach to", name, failures);
    }
  }
  std::optional<Hook> egress;
  if (!options.ingress_only) egress = tc(TrafficDirection::egress);
  const bool prefer_tc = egress || options.ingress_only || options.mode == CaptureMode::tc;
  if (!ingress && prefer_tc) {
    ingress = tc(TrafficDirection::ingress);
  }
  if (!ingress && options.mode == CaptureMode::automatic) {
    ingress = xdp(HookKind::xdp_generic);
    by_xdp = ingress.has_value();
    if (!ingress && !egress) ingress = tc(TrafficDirection::ingress);
  }
  if (!ingress) return fail(ErrorKind::unsupported, "attach to", name, failures);

  all.mode_ = by_xdp ? (egress ? "xdp+tc_egress" : "xdp") : (egress ? "tc_both" : "tc_ingress");
  if (!egress && !options.ingress_only) {
    log_warning("On " + name + " only incoming packets are seen (" + all.mode_ + "): " + failures);
  }
  all.egress_ = std::move(egress);
  all.ingress_ = std::move(ingress);
  return all;
}

}  // namespace beaconry
