#pragma once

#include <exception>
#include <string>

#include "base/text.h"

namespace beaconry {

// At the boundary of a thread: what a call throws, in words; empty where it throws nothing.
template <class Call>
std::string thrown_by(const Call& call) {
  try {
    call();
    return {};
  } catch (const std::exception& error) {
    const std::string words = utf8_valid(error.what());
    return words.empty() ? "an exception without words" : words;
  } catch (...) {
    return "something that is no exception";
  }
}

}  // namespace beaconry
