#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "server/json_rows.h"

namespace CLI {
class App;
}

namespace beaconry {

// Where the sensor's local socket is: --socket, else BEACONRY_SENSOR_SOCKET, else
// /run/beaconry-sensor/sensor.sock; and whether answers are shown as they came, --json.
struct SensorOptions {
  std::string socket;
  bool json = false;

  static std::shared_ptr<SensorOptions> add_to(CLI::App& app);
};

// A sensor as its command line sees it: docs/formats/sensor-api.md. Any status but 2xx is an error
// in the sensor's words.
class SensorClient {
 public:
  explicit SensorClient(const SensorOptions& options);

  Result<std::string> ask(const std::string& method, const std::string& path,
                          const std::string& body = {},
                          std::chrono::seconds patience = std::chrono::seconds{120});
  Result<Json> get(const std::string& path);
  // The sensor's and an instance's part of the reported state.
  Result<Json> report() { return get("/v1/sensor"); }
  Result<Json> instance(const std::string& name);

 private:
  std::string url_;
};

// Runs `work` and says on standard error what failed. Returns the exit status.
int with_sensor(const SensorOptions& options,
                const std::function<Result<int>(SensorClient&)>& work);

// "/v1/instances/NAME" with what follows; the name is percent-encoded.
std::string instance_path(const std::string& name, const std::string& rest = {});
// To standard output, with a line's end. False: it could not be written.
bool say(const std::string& text);
std::string json_line(const Json& json);  // indented, for people and programs

}  // namespace beaconry
