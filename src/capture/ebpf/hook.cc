#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "capture/ebpf/interface_hooks.h"

namespace beaconry {
namespace {

// Of linux/bpf.h since 6.6; the system's headers may be older than its kernel.
constexpr std::uint32_t kTcxIngress = 46, kTcxEgress = 47;
constexpr std::uint32_t kBeforeOthers = 1U << 3;

constexpr std::uint32_t kHighestPriority = 0xbfff;  // tc(8) gives its own from 0xc000 down
constexpr const char* kIngressName = "beaconry:tc_ingress_tracker";
constexpr const char* kEgressName = "beaconry:tc_egress_tracker";

const char* name_of(TrafficDirection direction) {
  return direction == TrafficDirection::ingress ? kIngressName : kEgressName;
}

std::string described(const TrafficFilter& filter) {
  return '\'' + (filter.name.empty() ? filter.kind : filter.name) + "' (priority " +
         std::to_string(filter.priority) + ')';
}

// A TCX link before all other programs of the hook. libbpf 1.1 has no call for it.
Result<Fd> link_tcx(int interface, int program, TrafficDirection direction) {
  bpf_attr attributes;
  std::memset(&attributes, 0, sizeof attributes);
  attributes.link_create.prog_fd = static_cast<std::uint32_t>(program);
  attributes.link_create.target_ifindex = static_cast<std::uint32_t>(interface);
  attributes.link_create.attach_type =
      direction == TrafficDirection::ingress ? kTcxIngress : kTcxEgress;
  attributes.link_create.flags = kBeforeOthers;
  const long fd = ::syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof attributes);
  if (fd < 0) return fail_errno("attach a TCX link", "");
  return Fd(static_cast<int>(fd));
}

}  // namespace

Result<void> remove_left_over_filters(int interface) {
  auto control = TrafficControl::open();
  if (!control) return tl::unexpected<Error>(std::move(control.error()));
  const auto discipline = control->discipline(interface);
  if (!discipline) return tl::unexpected<Error>(discipline.error());
  if (*discipline == TrafficControl::Discipline::none) return {};
  std::size_t removed = 0, others = 0;
  for (const TrafficDirection direction : {TrafficDirection::ingress, TrafficDirection::egress}) {
    if (*discipline == TrafficControl::Discipline::ingress_only &&
        direction == TrafficDirection::egress) {
      continue;
    }
    const auto filters = control->filters(interface, direction);
    if (!filters) return tl::unexpected<Error>(filters.error());
    for (const TrafficFilter& filter : *filters) {
      if (filter.name != name_of(direction)) {
        ++others;
        continue;
      }
      if (auto done = control->remove_filter(interface, direction, filter); !done) return done;
      log_info("Removed the filter " + described(filter) + " that an earlier collector left");
      ++removed;
    }
  }
  if (removed == 0 || others != 0 || *discipline != TrafficControl::Discipline::clsact) return {};
  return control->remove_clsact(interface);
}

Result<Hook> Hook::attach_xdp(int interface, int program, HookKind kind) {
  bpf_xdp_query_opts present{};
  present.sz = sizeof present;
  if (bpf_xdp_query(interface, 0, &present) == 0 &&
      (present.drv_prog_id | present.skb_prog_id | present.hw_prog_id) != 0) {
    return fail(ErrorKind::unsupported, "attach XDP", "",
                "another XDP program is there, and stays; what it drops or redirects is not seen");
  }
  bpf_link_create_opts options{};
  options.sz = sizeof options;
  options.flags = kind == HookKind::xdp_native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
  const int fd = bpf_link_create(program, interface, BPF_XDP, &options);
  if (fd < 0) {
    errno = -fd;
    return fail_errno(kind == HookKind::xdp_native ? "attach native XDP" : "attach generic XDP",
                      "");
  }
  Hook hook;
  hook.kind_ = kind;
  hook.interface_ = interface;
  hook.link_ = Fd(fd);
  return hook;
}

Result<Hook> Hook::attach_tc(int interface, int program, TrafficDirection direction,
                             bool tcx_allowed) {
  auto control = TrafficControl::open();
  if (!control) return tl::unexpected<Error>(std::move(control.error()));
  auto discipline = control->discipline(interface);
  if (!discipline) return tl::unexpected<Error>(std::move(discipline.error()));
  std::vector<TrafficFilter> others;
  if (*discipline != TrafficControl::Discipline::none) {
    auto filters = control->filters(interface, direction);
    if (!filters) return tl::unexpected<Error>(std::move(filters.error()));
    others = std::move(*filters);
  }

  Hook hook;
  hook.interface_ = interface;
  hook.direction_ = direction;
  for (const TrafficFilter& other : others) {
    hook.remark_ += (hook.remark_.empty() ? "the filter " : ", ") + described(other);
  }
  if (!others.empty()) hook.remark_ += others.size() == 1 ? " stays" : " stay";
  if (tcx_allowed) {
    auto link = link_tcx(interface, program, direction);
    if (link) {
      hook.kind_ = HookKind::tcx;
      hook.link_ = std::move(*link);
      return hook;
    }
    log_debug(link.error().message() + "; trying a clsact filter");
  }

  hook.kind_ = HookKind::clsact;
  if (*discipline == TrafficControl::Discipline::ingress_only &&
      direction == TrafficDirection::egress) {
    return fail(ErrorKind::unsupported, "attach a TC filter", "",
                "an 'ingress' queueing discipline is there, and stays; it has no egress");
  }
  if (*discipline == TrafficControl::Discipline::none) {
    auto made = control->add_clsact(interface);
    if (!made) return tl::unexpected<Error>(std::move(made.error()));
    hook.made_discipline_ = true;
  }
  std::uint32_t priority = kHighestPriority;
  for (const TrafficFilter& other : others)
    priority = std::min(priority, other.priority - 1);
  if (priority == 0) {
    // No number is left before the first of the others: behind them, then.
    std::uint32_t last = 0;
    for (const TrafficFilter& other : others)
      last = std::max(last, other.priority);
    priority = last + 1;
    hook.remark_ += "; ours runs after, so what the others end or redirect is not seen";
    if (priority > 0xffff) {
      return fail(ErrorKind::unsupported, "attach a TC filter", "",
                  "the filters of others leave no priority free");
    }
  }
  if (auto added = control->add_filter(interface, direction, priority, program, name_of(direction));
      !added) {
    return tl::unexpected<Error>(std::move(added.error()));
  }
  hook.priority_ = priority;
  return hook;
}

Hook& Hook::operator=(Hook&& other) noexcept {
  if (this != &other) {
    detach();
    kind_ = other.kind_;
    interface_ = other.interface_;
    link_ = std::move(other.link_);
    direction_ = other.direction_;
    priority_ = std::exchange(other.priority_, 0);
    made_discipline_ = std::exchange(other.made_discipline_, false);
    remark_ = std::move(other.remark_);
  }
  return *this;
}

void Hook::detach() {
  link_.reset();
  if (priority_ == 0 && !made_discipline_) return;
  // Only what is still ours: the interface may be gone, and its number taken by another.
  auto control = TrafficControl::open();
  if (!control) {
    log_warning("The TC filter could not be removed: " + control.error().message());
    return;
  }
  if (auto filters = control->filters(interface_, direction_)) {
    for (const TrafficFilter& filter : *filters) {
      if (filter.name != name_of(direction_) || filter.priority != priority_) continue;
      if (auto removed = control->remove_filter(interface_, direction_, filter); !removed) {
        log_warning("The TC filter could not be removed: " + removed.error().message());
      }
    }
  }
  priority_ = 0;
  if (!std::exchange(made_discipline_, false)) return;
  const auto discipline = control->discipline(interface_);
  if (!discipline || *discipline != TrafficControl::Discipline::clsact) return;
  for (const TrafficDirection direction : {TrafficDirection::ingress, TrafficDirection::egress}) {
    const auto left = control->filters(interface_, direction);
    if (!left || !left->empty()) return;  // somebody uses it now
  }
  if (auto removed = control->remove_clsact(interface_); !removed) {
    log_warning("The clsact discipline could not be removed: " + removed.error().message());
  }
}

}  // namespace beaconry
