#pragma once

#include <string>

#include "base/log.h"
#include "base/thrown_by.h"

namespace beaconry::sdk {

// Calls an author's handler: what it throws is logged and handed back in words, and ends nothing.
template <class Call>
std::string guarded(const char* handler, const Call& call) {
  const std::string thrown = thrown_by(call);
  if (!thrown.empty()) log_error(std::string("handler ") + handler + " threw: " + thrown);
  return thrown;
}

}  // namespace beaconry::sdk
