#include <net/if.h>

#include <utility>

#include "base/log.h"
#include "capture/capture.h"
#include "capture/ebpf/interface_hooks.h"

namespace beaconry {

namespace {

// A collector that was killed while it captured by eBPF left filters that go on running. Its
// successor by socket needs no capability for them, so perhaps it cannot remove them.
Result<std::unique_ptr<Capture>> open_by_socket(const CaptureOptions& options, FlowSink& sink) {
  for (const std::string& interface : options.interfaces) {
    const unsigned index = ::if_nametoindex(interface.c_str());
    if (index == 0) continue;  // that it is missing is said by the capture
    if (const auto swept = remove_left_over_filters(static_cast<int>(index)); !swept) {
      log_info("On " + interface +
               " filters of an earlier collector may be left: " + swept.error().message());
    }
  }
  return open_af_packet(options, sink);
}

}  // namespace

Result<std::unique_ptr<Capture>> open_capture(const CaptureOptions& options, FlowSink& sink) {
  if (options.mode == CaptureMode::af_packet) return open_by_socket(options, sink);
  auto by_ebpf = open_ebpf(options, sink);
  if (by_ebpf || options.mode != CaptureMode::automatic) return by_ebpf;
  // Without the interface no way leads on.
  if (by_ebpf.error().kind == ErrorKind::not_found) return by_ebpf;
  log_warning("Without eBPF, by AF_PACKET, which costs more processor time: " +
              by_ebpf.error().message());
  auto by_socket = open_by_socket(options, sink);
  if (!by_socket) {
    by_socket.error().cause += "; nor by eBPF: " + by_ebpf.error().message();
  }
  return by_socket;
}

}  // namespace beaconry
