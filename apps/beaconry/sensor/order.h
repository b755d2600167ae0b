#pragma once
#include <functional>
#include <memory>
#include <string>

#include "sensor/client.h"
#include "sensor/waiting.h"

namespace CLI {
class App;
}

namespace beaconry {

// What all commands about one instance take: NAME, --no-wait, --timeout.
struct InstanceOptions {
  std::string name;
  bool no_wait = false;
  unsigned seconds = 120;

  static std::shared_ptr<InstanceOptions> add_to(CLI::App& app, bool waits = true);
  std::chrono::seconds patience() const { return std::chrono::seconds{seconds}; }
};

// The instance as it is in the end: as JSON, or one line.
Result<int> tell_instance(SensorClient& sensor, const SensorOptions& options,
                          const std::string& name);

// A command that posts /v1/instances/NAME/WORD and waits until `look` is content.
std::function<int()> define_order(CLI::App& app, const char* word,
                                  Waited (*look)(const Json& before, const Json& now));

}  // namespace beaconry
