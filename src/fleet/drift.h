#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fleet/document_instances.h"
#include "fleet/reported.h"

namespace beaconry {

struct Difference {
  enum class Kind : std::uint8_t {
    changed,
    missing,  // wished, not there
    added,    // there, not wished
  };
  Kind kind = Kind::changed;
  std::string place;          // a JSON pointer: /instances/beacon_0/image
  std::string wished, found;  // as JSON; empty where there is none

  // "/instances/beacon_0/image: \"aa\" -> \"bb\"": wished, then found.
  std::string words() const;
};

// What a sensor is, against what it shall be: `wished` of a merged document. Empty: no drift.
std::vector<Difference> drift(const std::vector<DocumentInstance>& wished,
                              const Reported& reported);

}  // namespace beaconry
