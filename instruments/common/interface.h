#pragma once
#include <string>

#include "bus/messages.h"

namespace beaconry {

// Whether an interface is there and up, as a part of an instrument's health. Its cause is the one
// that the platform gives for the same fault ("interface probe lost"), so that both are told once.
Health interface_health(const std::string& name);

}  // namespace beaconry
