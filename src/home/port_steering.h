#pragma once
#include <memory>

#include "base/result.h"
#include "home/used_ports.h"

namespace beaconry {

// The eBPF program bpf/home_lookup.bpf.c, attached to this process's network namespace until it is
// destroyed or the process ends, however it ends.
class PortSteering {
 public:
  // Sockets that take what comes: descriptors, -1 where there is none of that family.
  struct Sockets {
    int tcp4 = -1, tcp6 = -1, udp4 = -1, udp6 = -1;
  };
  // Needs CAP_BPF, CAP_PERFMON (or the verifier refuses it) and CAP_NET_ADMIN, and nothing later.
  // Linux 5.9 and later.
  static Result<std::unique_ptr<PortSteering>> attach(const Sockets& sockets,
                                                      const UsedPorts& used);
  virtual ~PortSteering() = default;
  // From now on these are left to their users.
  virtual void leave(const UsedPorts& ports) = 0;
};

}  // namespace beaconry
