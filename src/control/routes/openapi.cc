#include "control/openapi.h"

#include "control/answer.h"

namespace beaconry {
namespace {

HttpResponse show(Control&, const RouteCall&) {
  return json_answer(openapi_json(resources_table()));
}

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/api/v1/openapi.json",
    .summary = "This API as an OpenAPI 3 document",
    .role = Role::none,
    .handle = show,
    .response = "OpenAPI 3.0",
}};

}  // namespace

namespace resources {
extern constinit const Resource openapi{"openapi", kRoutes};
}
}  // namespace beaconry
