#include "control/events.h"

#include "control/answer.h"
#include "control/control.h"
#include "control/route.h"

namespace beaconry {
namespace {

HttpResponse listen(Control& control, const RouteCall&) {
  auto stream = control.events().listen();
  if (!stream) return error_answer(503, "too many listen already");
  HttpResponse response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("cache-control", "no-store");
  response.events = std::move(stream);
  return response;
}

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/api/v1/events",
    .summary = "Server-sent events, as long as the connection is open",
    .handle = listen,
    .response = "`text/event-stream` of `beacon` (one of /api/v1/beacons with `change`: "
                "`new`, `worse`, `gone`), `alert` (one of /api/v1/alerts), `leak` (one of "
                "/api/v1/leaks with `change`: `new`, `reopened`, `widened`, `two_way`, `closed`), "
                "`fleet` (`{what: sensor|rollout|desired|ask, name or id, state}`: it changed), "
                "`instrument_event` (one of /api/v1/instrument-events) and, after each analysis, "
                "`status` (/api/v1/status)",
}};

}  // namespace

namespace resources {
extern constinit const Resource events{"events", kRoutes};
}
}  // namespace beaconry
