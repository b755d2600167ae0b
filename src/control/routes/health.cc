#include "control/answer.h"
#include "control/control.h"
#include "control/route.h"

namespace beaconry {
namespace {

constexpr double kBackpressure = 80;  // percent

HttpResponse show(Control& control, const RouteCall&) {
  const double fill = control.alert_queue().fill_percent();
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("status", "healthy");
    json.number("alert_queue_fill_percent", fill);
    json.flag("alert_queue_backpressure", fill > kBackpressure);
    json.whole("alert_queue_drops", control.alert_queue().drops());
    json.end();
  }));
}

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/api/v1/health",
    .summary = "Whether the server is well, and how full the alert queue is",
    .role = Role::none,
    .handle = show,
    .response = "`{status, alert_queue_fill_percent, alert_queue_backpressure, "
                "alert_queue_drops}`; backpressure is true past 80 % of `alerting.queue_size`",
}};

}  // namespace

namespace resources {
extern constinit const Resource health{"health", kRoutes};
}
}  // namespace beaconry
