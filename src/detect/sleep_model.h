#pragma once
#include "detect/evidence.h"
#include "detect/verdict.h"

namespace beaconry {

// The sleep loop or schedule that explains the measured rhythm best, with its parameters. Pure.
Rhythm fit_sleep_model(const Evidence& evidence);

// The rhythm in words: "sleep 60.0s, jitter 20 %, Cobalt-Strike-like".
std::string describe(const Rhythm& rhythm);

}  // namespace beaconry
