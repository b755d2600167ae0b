#pragma once
#include <string>

#include "server/access.h"
#include "server/json_rows.h"

namespace beaconry {

// "beacon_0@sensor001" in its two parts; an error says how to write it.
struct InstanceName {
  std::string instance, sensor;
};
Result<InstanceName> parse_instance(const std::string& text);

// What a sensor says to a question that the server passes on: `asked` is the server's answer with
// the question's id. Waits until it is there, at most for as long as the server does. A refusal of
// the sensor is an error in its words.
Result<Json> wait_for_sensor(Server& server, const Result<std::string>& asked,
                             const std::string& sensor);

}  // namespace beaconry
