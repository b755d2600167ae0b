#pragma once

#include <atomic>

#include "http/server.h"
#include "sensor/sensor.h"

namespace beaconry {

// The sensor's local API over its Unix socket: docs/formats/sensor-api.md. Bodies are strict: what
// is unknown, missing or of the wrong type is refused with its name. Who asks is taken from the
// header beaconry-user, for the histories only: whoever can connect may do everything.
class SensorApi : public HttpHandler {
 public:
  explicit SensorApi(Sensor& sensor) : sensor_(sensor) {}  // outlives this

  Admission admit(const HttpRequest& head) override;
  HttpResponse handle(HttpRequest request) override;

 private:
  Sensor& sensor_;
  std::atomic<unsigned> commands_{0};  // inside containers, that run now
};

}  // namespace beaconry
