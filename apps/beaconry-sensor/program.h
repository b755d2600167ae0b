#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "http/server.h"
#include "sensor/api.h"
#include "sensor/fleet/fleet_link.h"
#include "sensor/runtime.h"
#include "sensor/sensor.h"
#include "settings.h"
#include "uplink/edge_identity.h"
#include "uplink/sender.h"

namespace beaconry {

// A running sensor: LXD's client, the platform on the main thread, its API on threads of its own,
// signals on another.
class SensorProgram {
 public:
  // Opens everything, then gives up what a sensor does not need. An LXD that is away is no error:
  // it is followed once it is there.
  static Result<std::unique_ptr<SensorProgram>> start(SensorArguments arguments,
                                                      SensorSettings settings);
  ~SensorProgram();
  void run();  // until SIGINT or SIGTERM; instruments run on

 private:
  SensorProgram(SensorArguments arguments, SensorSettings settings)
      : arguments_(std::move(arguments)), settings_(std::move(settings)) {}
  Result<void> open();
  Result<void> open_sensor();
  Result<std::optional<Sender::Options>> uplink();
  Result<void> open_fleet();
  void handle_signals();
  void reload();

  SensorArguments arguments_;
  SensorSettings settings_;
  Fd signals_;
  EdgeIdentity identity_;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<Sensor> sensor_;
  std::unique_ptr<FleetLink> fleet_;
  std::unique_ptr<SensorApi> api_;
  std::unique_ptr<HttpServer> server_;
  bool has_run_ = false;
};

}  // namespace beaconry
