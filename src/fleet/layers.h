#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "fleet/document_instances.h"

namespace beaconry {

// A part of what a sensor shall be, as a document of its own: {"instances": {NAME: {KEY: VALUE}}}
// with the keys of the sensor's desired state, as many of them as this layer has a say in.
struct Layer {
  std::string name;  // "fleet", "group:ot", "sensor": what origins say
  std::string json;
};

// Whether a layer may be kept: keys that a sensor knows, of the right type. Errors name the layer
// and the place: "group:ot /instances/beacon_0/runing: no key of an instance; did you mean ...".
// Ranges and schemas are the sensor's to check.
Result<void> check_layer(const Layer& layer);

struct MergedLayers {
  std::string json;                           // the desired state
  std::string origin_json;                    // JSON pointer of each leaf -> its layer
  std::vector<DocumentInstance> instances{};  // of `json`
};

// Later layers over earlier ones, key by key, also inside of `config`: a key replaces, null
// removes, lists and plain values are replaced as wholes (RFC 7396). A leaf is what is no object,
// or an empty one. An instance that no layer gives an image is an error that names the layer which
// mentions it.
Result<MergedLayers> merge_layers(const std::vector<Layer>& layers);

}  // namespace beaconry
