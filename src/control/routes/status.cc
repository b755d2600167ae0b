#include "control/answer.h"
#include "control/control.h"
#include "control/route.h"
#include "control/status_json.h"

namespace beaconry {
namespace {

HttpResponse show(Control& control, const RouteCall&) {
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_status(json, control);
    json.end();
  }));
}

HttpResponse statistics(Control& control, const RouteCall&) {
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_storage(json, control);
    write_analyzer(json, control);
    write_alerter(json, control);
    json.end();
  }));
}

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/status",
        .summary = "Counters of everything that is received, kept, found, sent and dropped",
        .handle = show,
        .response = "`{status, uptime_seconds, start_time, requests_received, batches_processed, "
                    "events_received, alert_queue_drops, ebpf_drops_total, buffer_overflow_total, "
                    "storage{}, analyzer{}, alerter{}, system{cpu_percent, memory_mb, open_fds}}`",
    },
    {
        .method = "GET",
        .path = "/api/v1/statistics",
        .summary = "The parts of status that count",
        .handle = statistics,
        .response = "`{storage{}, analyzer{}, alerter{}}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource status{"status", kRoutes};
}
}  // namespace beaconry
