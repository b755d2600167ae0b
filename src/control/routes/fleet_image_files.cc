#include "control/answer.h"
#include "control/byte_range.h"
#include "control/control.h"
#include "control/image_use.h"
#include "control/route.h"
#include "fleet/image_store.h"

namespace beaconry {
namespace {

HttpResponse fetch(Control& control, const RouteCall& call) {
  const std::string sha256(call.argument);
  const auto image = control.images().find(sha256);
  if (!image) return error_answer(image.error());
  auto file = control.images().file(sha256);
  if (!file) return error_answer(file.error());
  HttpResponse response = file_answer(call.request, std::move(*file), image->bytes, sha256);
  response.headers.emplace_back("content-disposition",
                                "attachment; filename=\"" + sha256 + ".instrument\"");
  return response;
}

HttpResponse fetch_signature(Control& control, const RouteCall& call) {
  return signature_answer(control.images(), std::string(call.argument));
}

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/fleet/images/{sha256}/file",
        .summary = "An image, to be carried to a sensor without a wire",
        .role = Role::operator_,
        .handle = fetch,
        .response = "its bytes; with Range 206 or 416, with If-Range by its ETag, the SHA-256",
    },
    {
        .method = "GET",
        .path = "/api/v1/fleet/images/{sha256}/signature",
        .summary = "Its signature",
        .role = Role::operator_,
        .handle = fetch_signature,
        .response = "text of the .minisig; 404 where it is not signed",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource fleet_image_files{"fleet_image_files", kRoutes};
}
}  // namespace beaconry
