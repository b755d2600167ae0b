#include "control/own_sensor.h"

#include "control/answer.h"
#include "control/control.h"

namespace beaconry {

std::optional<HttpResponse> refuse_others(const Control& control, const RouteCall& call) {
  if (call.edge) {
    const auto edge = control.enrolled().find(std::string(call.who));
    if (edge && edge->enrolled && !edge->revoked && edge->kind == "sensor") return std::nullopt;
  }
  return error_answer(403, "only an enrolled sensor, which shows its key in TLS, has this");
}

}  // namespace beaconry
