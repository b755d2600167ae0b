#include "control/route.h"
#include "web/page.h"

namespace beaconry {
namespace {

HttpResponse show(Control&, const RouteCall& call) {
  return WebPage().answer(call.request, call.argument);
}

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/ui",
        .summary = "The web page",
        .role = Role::none,
        .handle = show,
        .response = "`text/html`",
    },
    {
        .method = "GET",
        .path = "/ui/{path}",
        .summary = "Its files; what is none of them is a view of the page",
        .role = Role::none,
        .handle = show,
        .response = "the file, or the page as at /ui",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource web{"web", kRoutes};
}
}  // namespace beaconry
