#include "capture/ebpf/flow_programs.h"

#include <bpf/bpf.h>
#include <bpf/flow.skel.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "capture/flow_records.h"

namespace beaconry {
namespace {

constexpr std::uint32_t kXdpHasFragments = 1U << 5;  // BPF_F_XDP_HAS_FRAGS, since 5.18
constexpr std::uint32_t kLeastSlots = 64, kMostSlots = 1U << 16;
constexpr std::uint32_t kSpareSlots = 64;  // for interfaces that come back with another number
constexpr std::uint32_t kBatch = 1024;

struct SkeletonDeleter {
  void operator()(flow_bpf* skeleton) const { flow_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<flow_bpf, SkeletonDeleter>;

struct RingDeleter {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};

int log_libbpf(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  std::array<char, 1024> text{};
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  log_debug(trim(std::string_view(
      text.data(), std::min(text.size() - 1, static_cast<std::size_t>(std::max(length, 0))))));
  return length;
}

struct Sizes {
  std::uint32_t flows, ring, slots;
};

Sizes sizes_of(const CaptureOptions& options, const std::vector<int>& interfaces) {
  const std::uint64_t page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  Sizes sizes{};
  sizes.flows =
      static_cast<std::uint32_t>(std::clamp<std::size_t>(options.most_flows, 1, 1U << 30));
  sizes.ring = static_cast<std::uint32_t>(
      std::bit_ceil(std::clamp<std::uint64_t>(options.ring_bytes, page, 1U << 30)));
  std::uint32_t highest = 0;
  for (const int number : interfaces) {
    highest = std::max(highest, static_cast<std::uint32_t>(std::max(number, 0)));
  }
  sizes.slots = std::clamp(highest + kSpareSlots, kLeastSlots, kMostSlots);
  return sizes;
}

// XDP programs by what they ask of the kernel, most first.
enum class Xdp : std::uint8_t { with_fragments, plain, none };

Result<Skeleton> load_skeleton(const CaptureOptions& options, const Sizes& sizes, Xdp xdp) {
  Skeleton skeleton(flow_bpf::open(nullptr));
  if (!skeleton) return fail_errno("open", "the eBPF programs");
  const KernelClock clock(KernelClock::kernel_ticks_per_second());
  const auto ticks = [&](Duration length) {
    return static_cast<std::uint64_t>(std::max<FlowTime>(clock.ticks(length), 1));
  };
  skeleton->rodata->ticks_per_second = static_cast<std::uint64_t>(clock.ticks_per_second());
  skeleton->rodata->burst_gap_ticks = ticks(options.burst_gap);
  skeleton->rodata->idle_ticks =
      options.connection_timeout > Duration{0} ? ticks(options.connection_timeout) : 0;
  skeleton->rodata->ring_bytes = sizes.ring;
  skeleton->rodata->counter_slots = sizes.slots;
  skeleton->rodata->track_tcp = options.track_tcp;
  skeleton->rodata->track_udp = options.track_udp;
  bpf_map__set_max_entries(skeleton->maps.flows, sizes.flows);
  bpf_map__set_max_entries(skeleton->maps.events, sizes.ring);
  bpf_map__set_max_entries(skeleton->maps.counters, sizes.slots);
  if (xdp == Xdp::with_fragments) {
    bpf_program__set_flags(
        skeleton->progs.xdp_connection_tracker,
        bpf_program__flags(skeleton->progs.xdp_connection_tracker) | kXdpHasFragments);
  }
  bpf_program__set_autoload(skeleton->progs.xdp_connection_tracker, xdp != Xdp::none);
  if (const int failed = flow_bpf::load(skeleton.get()); failed != 0) {
    errno = -failed;
    return fail_errno("load", "the eBPF programs");
  }
  return skeleton;
}

}  // namespace

struct FlowPrograms::Loaded {
  Skeleton skeleton;
  std::unique_ptr<ring_buffer, RingDeleter> ring;
  const Record* take = nullptr;  // during consume()
  Sizes sizes{};
  bool has_xdp = true;
  std::vector<FlowEnds> keys;
  std::vector<FlowSaved> values;
  std::vector<FlowEnds> over;

  int flows() const { return bpf_map__fd(skeleton->maps.flows); }
  static int on_record(void* context, void* data, std::size_t size) {
    const auto* loaded = static_cast<const Loaded*>(context);
    (*loaded->take)(std::string_view(static_cast<const char*>(data), size));
    return 0;
  }
};

FlowPrograms::FlowPrograms(std::unique_ptr<Loaded> loaded) : loaded_(std::move(loaded)) {}
FlowPrograms::~FlowPrograms() = default;

Result<std::unique_ptr<FlowPrograms>> FlowPrograms::load(const CaptureOptions& options,
                                                         const std::vector<int>& interfaces) {
  libbpf_set_print(log_libbpf);
  auto loaded = std::make_unique<Loaded>();
  loaded->sizes = sizes_of(options, interfaces);
  auto skeleton = load_skeleton(options, loaded->sizes, Xdp::with_fragments);
  if (!skeleton) {
    log_debug(skeleton.error().message() + "; trying without XDP fragments");
    skeleton = load_skeleton(options, loaded->sizes, Xdp::plain);
  }
  if (!skeleton) {
    log_debug(skeleton.error().message() + "; trying without XDP");
    skeleton = load_skeleton(options, loaded->sizes, Xdp::none);
    loaded->has_xdp = false;
  }
  if (!skeleton) return tl::unexpected<Error>(std::move(skeleton.error()));
  loaded->skeleton = std::move(*skeleton);
  loaded->ring.reset(ring_buffer__new(bpf_map__fd(loaded->skeleton->maps.events), Loaded::on_record,
                                      loaded.get(), nullptr));
  if (!loaded->ring) return fail_errno("open", "the event ring");
  return std::unique_ptr<FlowPrograms>(new FlowPrograms(std::move(loaded)));
}

TrackerPrograms FlowPrograms::trackers() const {
  const auto& programs = loaded_->skeleton->progs;
  return {loaded_->has_xdp ? bpf_program__fd(programs.xdp_connection_tracker) : -1,
          bpf_program__fd(programs.tc_ingress_tracker),
          bpf_program__fd(programs.tc_egress_tracker)};
}

Result<ClockSample> FlowPrograms::read_clock() {
  std::array<char, 64> frame{};  // any that the kernel takes for one
  bpf_test_run_opts options{};
  options.sz = sizeof options;
  options.data_in = frame.data();
  options.data_size_in = frame.size();
  const int failed =
      bpf_prog_test_run_opts(bpf_program__fd(loaded_->skeleton->progs.clock_sample), &options);
  ClockSample sample{};
  const std::uint32_t zero = 0;
  if (failed != 0 ||
      bpf_map_lookup_elem(bpf_map__fd(loaded_->skeleton->maps.clock), &zero, &sample) != 0) {
    return fail_errno("read", "the kernel's clock");
  }
  return sample;
}

void FlowPrograms::consume(const Record& take) {
  loaded_->take = &take;
  ring_buffer__consume(loaded_->ring.get());
  loaded_->take = nullptr;
}

Result<std::uint64_t> FlowPrograms::walk(const Walk& walk) {
  const int map = loaded_->flows();
  auto& keys = loaded_->keys;
  auto& values = loaded_->values;
  auto& over = loaded_->over;
  over.clear();
  std::uint64_t seen = 0;
  std::uint32_t capacity = kBatch;
  // Where a batch goes on, opaque: a bucket's number.
  std::array<std::uint32_t, 16> from{}, to{};
  bool first = true;
  bpf_map_batch_opts options{};
  options.sz = sizeof options;
  options.elem_flags = BPF_F_LOCK;
  for (bool more = true; more;) {
    keys.resize(capacity);
    values.resize(capacity);
    std::uint32_t count = capacity;
    const int failed = bpf_map_lookup_batch(map, first ? nullptr : from.data(), to.data(),
                                            keys.data(), values.data(), &count, &options);
    if (failed == -ENOSPC) {  // one bucket holds more than the batch
      capacity *= 2;
      if (capacity > 2 * loaded_->sizes.flows + kBatch) return fail_errno("walk", "the flow table");
      continue;
    }
    if (failed != 0 && failed != -ENOENT) {
      errno = -failed;
      return fail_errno("walk", "the flow table");
    }
    more = failed == 0;
    first = false;
    from = to;
    for (std::uint32_t i = 0; i < count; ++i) {
      ++seen;
      if (walk.take(keys[i], values[i])) over.push_back(keys[i]);
    }
  }
  for (const FlowEnds& ends : over) {
    FlowSaved last{};
    int failed = bpf_map_lookup_and_delete_elem_flags(map, &ends, &last, BPF_F_LOCK);
    if (failed == -EINVAL || failed == -ENOTSUP || failed == -524) {  // before 5.14
      failed = bpf_map_lookup_elem_flags(map, &ends, &last, BPF_F_LOCK);
      if (failed == 0) failed = bpf_map_delete_elem(map, &ends);
    }
    if (failed != 0) continue;  // it is gone already
    --seen;
    walk.remove(ends, last);
  }
  return seen;
}

PacketCounts FlowPrograms::counts(int interface) const {
  PacketCounts sum{};
  const int processors = libbpf_num_possible_cpus();
  if (processors <= 0) return sum;
  std::vector<PacketCounts> each(static_cast<std::size_t>(processors));
  const auto number = static_cast<std::uint32_t>(interface);
  const std::uint32_t slot = number < loaded_->sizes.slots ? number : 0;
  if (bpf_map_lookup_elem(bpf_map__fd(loaded_->skeleton->maps.counters), &slot, each.data()) != 0) {
    return sum;
  }
  for (const PacketCounts& one : each) {
    for (std::size_t kind = 0; kind < kCountKinds; ++kind)
      sum.count[kind] += one.count[kind];
  }
  return sum;
}

}  // namespace beaconry
