#pragma once
#include <string>

#include "server/json_rows.h"

namespace beaconry {

// A sensor's reported state on a terminal of 80 columns; docs/formats/sensor-api.md. What is
// missing is shown as "-". Texts are made harmless.
// Of health, parts that are healthy are one line, but with `all`.
std::string sensor_text(const Json& report, bool all);   // `beaconry sensor status`
std::string instances_text(const Json& report);          // `beaconry instrument list`
std::string instance_text(const Json& instance);         // `… show`
std::string health_text(const Json& health, bool all);   // nested, with cause, evidence and fix
std::string sensor_events_text(const Json& events);      // newest last, as logs are read
std::string document_versions_text(const Json& answer);  // of `versions`, newest first

std::string origin_text(const Json& answer);  // `beaconry sensor desired --origin`

// "RUNNING, healthy", "ERRORED: ended with status 1; again at 10:02:03": on one line.
std::string state_words(const Json& instance);
// "beaconry-escape FAILED, has version 0123456789ab: it is unsigned": the same of a resource.
std::string resource_words(const Json& resource);
// "version 3 FAILED: no such port; version 2 is in force": of `config`; empty where the wished one
// is applied.
std::string config_words(const Json& config);

}  // namespace beaconry
