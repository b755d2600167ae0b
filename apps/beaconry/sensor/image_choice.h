#pragma once
#include <optional>
#include <string>

#include "sensor/client.h"

namespace beaconry {

// An image as a person names it: a file, which the sensor takes in, or NAME[:VERSION] of those that
// it has.
struct ChosenImage {
  std::string name, version, fingerprint;
  std::string signed_by, signature_fault;
};
Result<ChosenImage> choose_image(SensorClient& sensor, const std::string& file_or_name);

// beacon_0 of "beacon": the first number that is free in the reported state.
std::string free_instance(const Json& report, const std::string& instrument);

// NAME=KIND:PARENT[,address=dhcp|A/P][,gateway=G][,resolver=R] as an interface of the API.
Result<Json> parse_interface(const std::string& text);

}  // namespace beaconry
