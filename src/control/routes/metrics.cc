#include "control/metrics.h"

#include "control/control.h"
#include "control/route.h"

namespace beaconry {
namespace {

HttpResponse show(Control& control, const RouteCall&) {
  HttpResponse response;
  response.content_type = "text/plain; version=0.0.4";
  response.body = control.metrics().text(control);
  return response;
}

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/api/v1/metrics",
    .summary = "Prometheus metrics",
    .handle = show,
    .response = "text format 0.0.4",
}};

}  // namespace

namespace resources {
extern constinit const Resource metrics{"metrics", kRoutes};
}
}  // namespace beaconry
