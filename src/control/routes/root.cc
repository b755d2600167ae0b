#include <set>

#include "beaconry_version.h"
#include "control/answer.h"
#include "control/route.h"
#include "web/page.h"

namespace beaconry {
namespace {

HttpResponse show(Control&, const RouteCall& call) {
  if (wants_page(call.request)) {  // a browser's address line
    HttpResponse response;
    response.status = 302;
    response.headers.emplace_back("location", "/ui/");
    response.headers.emplace_back("cache-control", "no-store");
    response.headers.emplace_back("vary", "Accept");
    return response;
  }
  return json_answer(json_text([](JsonWriter& json) {
    json.begin();
    json.plain("name", "beaconry-control");
    json.plain("service", "Beacon Detection Control Plane");
    json.plain("version", BEACONRY_VERSION);
    json.plain("status", "running");
    json.plain("api", "/api/v1");
    json.plain("openapi", "/api/v1/openapi.json");
    json.begin_list("endpoints");
    for (const Resource* resource : resources_table()) {
      for (const Route& route : resource->routes)
        json.text(std::string(route.method) + ' ' + std::string(route.path));
    }
    json.end_list();
    json.end();
  }));
}

constexpr Route kRoutes[] = {{
    .method = "GET",
    .path = "/",
    .summary = "What this is and what can be asked",
    .role = Role::none,
    .handle = show,
    .response = "`{name, service, version, status, api, openapi, endpoints}`; a browser (Accept: "
                "text/html) is led to /ui/",
}};

}  // namespace

namespace resources {
extern constinit const Resource root{"root", kRoutes};
}
}  // namespace beaconry
