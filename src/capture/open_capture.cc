#include <utility>

#include "base/log.h"
#include "capture/capture.h"

namespace beaconry {

Result<std::unique_ptr<Capture>> open_capture(const CaptureOptions& options, FlowSink& sink) {
  if (options.mode == CaptureMode::af_packet) return open_af_packet(options, sink);
  auto by_ebpf = open_ebpf(options, sink);
  if (by_ebpf || options.mode != CaptureMode::automatic) return by_ebpf;
  // Without the interface no way leads on.
  if (by_ebpf.error().kind == ErrorKind::not_found) return by_ebpf;
  log_warning("Without eBPF, by AF_PACKET, which costs more processor time: " +
              by_ebpf.error().message());
  auto by_socket = open_af_packet(options, sink);
  if (!by_socket) {
    by_socket.error().cause += "; nor by eBPF: " + by_ebpf.error().message();
  }
  return by_socket;
}

}  // namespace beaconry
