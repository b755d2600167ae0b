#include "home/port_steering.h"

#include <bpf/bpf.h>
#include <bpf/home_lookup.skel.h>
#include <bpf/libbpf.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"

namespace beaconry {
namespace {

struct SkeletonDeleter {
  void operator()(home_lookup_bpf* skeleton) const { home_lookup_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<home_lookup_bpf, SkeletonDeleter>;

int log_libbpf(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  std::array<char, 1024> text{};
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  log_debug(trim(std::string_view(
      text.data(), std::min(text.size() - 1, static_cast<std::size_t>(std::max(length, 0))))));
  return length;
}

class AttachedSteering final : public PortSteering {
 public:
  explicit AttachedSteering(Skeleton skeleton) : skeleton_(std::move(skeleton)) {}

  Result<void> link(int network_namespace) {
    auto*& link = skeleton_->links.home_lookup;
    link = bpf_program__attach_netns(skeleton_->progs.home_lookup, network_namespace);
    if (link == nullptr) {
      return fail_errno("attach to this network namespace", "home's eBPF program");
    }
    return {};
  }

  // The map is shared memory: a processor sees each word old or new.
  void leave(const UsedPorts& ports) override {
    auto* const words = skeleton_->bss->used_ports;
    static_assert(sizeof skeleton_->bss->used_ports == sizeof ports.tcp + sizeof ports.udp);
    write(words, ports.tcp);
    write(words + UsedPorts::kWords, ports.udp);
  }

 private:
  template <class Word>
  static void write(Word* to, const std::array<std::uint64_t, UsedPorts::kWords>& from) {
    for (std::size_t i = 0; i < from.size(); ++i)
      __atomic_store_n(&to[i], static_cast<Word>(from[i]), __ATOMIC_RELAXED);
  }

  Skeleton skeleton_;
};

}  // namespace

Result<std::unique_ptr<PortSteering>> PortSteering::attach(const Sockets& sockets,
                                                           const UsedPorts& used) {
  libbpf_set_print(log_libbpf);
  Skeleton skeleton(home_lookup_bpf::open(nullptr));
  if (!skeleton) return fail_errno("open", "home's eBPF program");
  skeleton->data->first_client_port = first_client_port();
  if (const int failed = home_lookup_bpf::load(skeleton.get()); failed != 0) {
    errno = -failed;
    return fail_errno("load",
                      "home's eBPF program (Linux 5.9; CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)");
  }
  const int map = bpf_map__fd(skeleton->maps.sockets);
  const int descriptors[] = {sockets.tcp4, sockets.tcp6, sockets.udp4, sockets.udp6};
  for (std::uint32_t i = 0; i < std::size(descriptors); ++i) {
    if (descriptors[i] < 0) continue;
    const auto value = static_cast<std::uint64_t>(descriptors[i]);
    if (bpf_map_update_elem(map, &i, &value, BPF_ANY) != 0) {
      return fail_errno("put a socket into", "home's eBPF program");
    }
  }
  auto steering = std::make_unique<AttachedSteering>(std::move(skeleton));
  steering->leave(used);
  const Fd space(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!space) return fail_errno("open", "/proc/self/ns/net");
  if (auto done = steering->link(space.get()); !done) return tl::unexpected<Error>(done.error());
  return steering;
}

}  // namespace beaconry
