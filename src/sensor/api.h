#pragma once

#include <atomic>

#include "http/server.h"
#include "sensor/fleet/fleet_link.h"
#include "sensor/sensor.h"

namespace beaconry {

// The sensor's local API over its Unix socket: docs/formats/sensor-api.md. Bodies are strict: what
// is unknown, missing or of the wrong type is refused with its name. Who asks is taken from the
// header beaconry-user, for the histories only: whoever can connect may do everything.
class SensorApi : public HttpHandler {
 public:
  // Both outlive this. Without a link nothing is known of a server.
  explicit SensorApi(Sensor& sensor, FleetLink* fleet = nullptr) : sensor_(sensor), fleet_(fleet) {}

  Admission admit(const HttpRequest& head) override;
  HttpResponse handle(HttpRequest request) override;

 private:
  Sensor& sensor_;
  FleetLink* fleet_;
  std::atomic<unsigned> commands_{0};  // inside containers, that run now
};

}  // namespace beaconry
