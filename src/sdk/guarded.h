#pragma once

#include <exception>
#include <string>

#include "base/log.h"
#include "base/text.h"

namespace beaconry::sdk {

// Calls an author's handler: what it throws is logged and handed back in words, and ends nothing.
template <class Call>
std::string guarded(const char* handler, const Call& call) {
  std::string thrown;
  try {
    call();
  } catch (const std::exception& error) {
    thrown = utf8_valid(error.what());
  } catch (...) {
    thrown = "something that is no exception";
  }
  if (!thrown.empty()) log_error(std::string("handler ") + handler + " threw: " + thrown);
  return thrown;
}

}  // namespace beaconry::sdk
