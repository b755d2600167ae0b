#pragma once

#include <map>
#include <string>

#include "base/time.h"
#include "sensor/reported_state.h"

namespace beaconry {

// How an image comes that is wished for and not here.
struct ImageFetch {
  UpdateState state = UpdateState::downloading;  // or failed
  std::string words;  // "image 9f2c… is being fetched, 3 of 9 MB"; of a failure with its remedy
  Timestamp since{};
};
using ImageFetches = std::map<std::string, ImageFetch>;  // by fingerprint

}  // namespace beaconry
