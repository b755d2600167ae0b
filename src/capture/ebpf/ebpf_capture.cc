#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/log.h"
#include "capture/capture.h"
#include "capture/ebpf/flow_programs.h"
#include "capture/ebpf/interface_hooks.h"
#include "capture/flow_records.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kWatchPause = 1'000'000'000;  // ns, between two looks for interfaces

struct Interface {
  int index = 0;
  bool loopback = false;
};

// The programs read Ethernet frames.
Result<Interface> ethernet_interface(const std::string& name) {
  const int index = static_cast<int>(if_nametoindex(name.c_str()));
  if (index == 0) return fail(ErrorKind::not_found, "attach to", name, "no such interface");
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::memcpy(request.ifr_name, name.c_str(), std::min(name.size(), sizeof request.ifr_name - 1));
  if (!socket || ::ioctl(socket.get(), SIOCGIFHWADDR, &request) != 0) {
    return fail_errno("look at interface", name);
  }
  const unsigned type = request.ifr_hwaddr.sa_family;
  if (type != ARPHRD_ETHER && type != ARPHRD_LOOPBACK) {
    return fail(ErrorKind::unsupported, "attach to", name,
                "its packets have no Ethernet header (type " + std::to_string(type) + ')');
  }
  return Interface{index, type == ARPHRD_LOOPBACK};
}

// One interface by its name: it may vanish and come back as another.
struct Watched {
  std::string name;
  std::optional<InterfaceHooks> hooks;
  PacketCounts start{};        // of the kernel's counters, when the hooks were attached
  PacketCounts before{};       // what earlier attachments gave
  std::string last_mode;       // while it is gone, too
  std::string last_complaint;  // so that it is said once
};

void add_difference(PacketCounts& sum, const PacketCounts& now, const PacketCounts& start) {
  for (std::size_t kind = 0; kind < kCountKinds; ++kind) {
    sum.count[kind] += now.count[kind] - start.count[kind];
  }
}

class EbpfCapture : public Capture {
 public:
  EbpfCapture(const CaptureOptions& options, FlowSink& sink, std::unique_ptr<FlowPrograms> programs)
      : hook_options_{options.mode},
        programs_(std::move(programs)),
        records_(record_options(options), sink) {
    for (const std::string& name : options.interfaces) {
      watched_.emplace_back();
      watched_.back().name = name;
    }
  }

  // At least one interface must be there; the others are waited for.
  Result<void> attach_all() {
    Result<void> missing;
    for (Watched& one : watched_) {
      auto attached = attach(one);
      if (attached) continue;
      if (attached.error().kind != ErrorKind::not_found) return attached;
      missing = std::move(attached);
    }
    update_mode();
    if (mode_.empty()) return missing;
    if (!missing) {
      log_warning(missing.error().message() + "; it is watched as soon as it is there");
    }
    log_info("eBPF attachment mode: " + mode_);
    return {};
  }

  std::string_view mode() const override { return mode_; }

  void drain(Timestamp now) override {
    auto clock = programs_->read_clock();
    if (clock) {
      records_.set_clock(*clock, now);
    } else if (!std::exchange(clock_failed_, true)) {
      log_warning(clock.error().message());
    }
    programs_->consume([this](std::string_view record) {
      records_.add(ByteView(reinterpret_cast<const std::uint8_t*>(record.data()), record.size()));
    });
    if (clock && clock->time_ns - watched_at_ >= kWatchPause) {
      watched_at_ = clock->time_ns;
      watch();
    }
  }

  void report(Timestamp now) override {
    drain(now);
    walk([this](const FlowEnds& ends, const FlowSaved& flow) { return records_.look(ends, flow); });
  }

  void finish(Timestamp now) override {
    for (Watched& one : watched_) {
      if (one.hooks) keep_counts(one);
      one.hooks.reset();
    }
    drain(now);
    walk([](const FlowEnds&, const FlowSaved&) { return true; });
  }

  CaptureCounters counters() const override {
    CaptureCounters all;
    for (const Watched& one : watched_) {
      PacketCounts sum = one.before;
      if (one.hooks) add_difference(sum, programs_->counts(one.hooks->index()), one.start);
      InterfaceCounters counts;
      counts.interface = one.name;
      counts.hooks = one.last_mode;
      counts.packets = sum.count[kCountPackets];
      counts.tcp = sum.count[kCountTcp];
      counts.udp = sum.count[kCountUdp];
      counts.icmp = sum.count[kCountIcmp];
      counts.other = sum.count[kCountOther];
      counts.not_ip = sum.count[kCountNotIp];
      counts.unparsable = sum.count[kCountUnparsable];
      counts.later_fragments = sum.count[kCountLaterFragments];
      counts.icmp_errors = sum.count[kCountIcmpErrors];
      counts.strays = sum.count[kCountStrays];
      counts.not_tracked = sum.count[kCountNotTracked];
      counts.table_full = sum.count[kCountTableFull];
      counts.ring_drops = sum.count[kCountRingDrops];
      all.interfaces.push_back(std::move(counts));
    }
    all.flows = records_.flow_count();
    all.flows_opened = records_.opened();
    all.flows_closed = records_.closed();
    all.names_given_up = records_.names_given_up();
    return all;
  }

 private:
  static FlowRecords::Options record_options(const CaptureOptions& options) {
    FlowRecords::Options records;
    records.networks = options.networks;
    records.burst_gap = options.burst_gap;
    records.idle_timeout = options.connection_timeout;
    return records;
  }

  Result<void> attach(Watched& one) {
    const auto found = ethernet_interface(one.name);
    if (!found) return tl::unexpected<Error>(found.error());
    InterfaceHooks::Options options = hook_options_;
    options.ingress_only = found->loopback;
    auto hooks = InterfaceHooks::attach(one.name, found->index, programs_->trackers(), options);
    if (!hooks) return tl::unexpected<Error>(std::move(hooks.error()));
    one.start = programs_->counts(found->index);
    one.hooks = std::move(*hooks);
    one.last_mode = one.hooks->mode();
    one.last_complaint.clear();
    return {};
  }

  void keep_counts(Watched& one) {
    add_difference(one.before, programs_->counts(one.hooks->index()), one.start);
  }

  // Interfaces come and go: a cable of a virtual machine, a VPN, a driver that is loaded again.
  void watch() {
    bool changed = false;
    for (Watched& one : watched_) {
      const int index = static_cast<int>(if_nametoindex(one.name.c_str()));
      if (one.hooks && index == one.hooks->index()) continue;
      if (one.hooks) {
        keep_counts(one);
        one.hooks.reset();
        changed = true;
        log_warning(one.name + " is gone; its flows end as they become idle");
      }
      if (index == 0) continue;
      if (auto attached = attach(one); attached) {
        changed = true;
        log_info(one.name + " is there: " + one.last_mode);
      } else if (one.last_complaint != attached.error().message()) {
        one.last_complaint = attached.error().message();
        log_error(one.last_complaint);
      }
    }
    if (changed) update_mode();
  }

  // While no interface is there at all, the last one stands.
  void update_mode() {
    std::string least;
    for (const Watched& one : watched_) {
      if (!one.hooks) continue;
      least = least.empty() ? one.hooks->mode() : lesser_mode(least, one.hooks->mode());
    }
    if (!least.empty()) mode_ = least;
  }

  void walk(const std::function<bool(const FlowEnds&, const FlowSaved&)>& take) {
    const auto left = programs_->walk(
        {take, [this](const FlowEnds& ends, const FlowSaved& flow) { records_.end(ends, flow); }});
    if (left) {
      records_.end_scan();
    } else {
      log_error(left.error().message());
    }
  }

  InterfaceHooks::Options hook_options_;
  std::unique_ptr<FlowPrograms> programs_;
  FlowRecords records_;
  std::vector<Watched> watched_;  // detached before the programs go
  std::string mode_;
  std::uint64_t watched_at_ = 0;
  bool clock_failed_ = false;
};

}  // namespace

Result<std::unique_ptr<Capture>> open_ebpf(const CaptureOptions& options, FlowSink& sink) {
  std::vector<int> present;
  for (const std::string& name : options.interfaces) {
    if (const unsigned index = if_nametoindex(name.c_str()); index != 0) {
      present.push_back(static_cast<int>(index));
    }
  }
  if (present.empty()) {
    return fail(ErrorKind::not_found, "attach to",
                options.interfaces.empty() ? "" : options.interfaces.front(),
                "no such interface; 'ip link' lists those that there are");
  }
  auto programs = FlowPrograms::load(options, present);
  if (!programs) return tl::unexpected<Error>(std::move(programs.error()));
  auto capture = std::make_unique<EbpfCapture>(options, sink, std::move(*programs));
  if (auto attached = capture->attach_all(); !attached) {
    return tl::unexpected<Error>(std::move(attached.error()));
  }
  return std::unique_ptr<Capture>(std::move(capture));
}

}  // namespace beaconry
