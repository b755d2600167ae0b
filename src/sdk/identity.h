#pragma once

#include "bus/mqtt_client.h"
#include "sdk/instrument.h"

namespace beaconry::sdk {

// RUN/identity.json, as the platform wrote it.
struct OwnIdentity {
  Identity identity;
  std::string version;
  MqttClient::Options bus;
};
// `socket` where the bus is, whatever the file says: a test's may be elsewhere.
Result<OwnIdentity> read_identity(const std::string& run_folder, const std::string& socket);

}  // namespace beaconry::sdk
