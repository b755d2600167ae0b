#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ping/key_ring.h"

namespace beaconry {

// What the server tells a home of its probes, GET /api/v1/homes/self/probes:
//   {"version": "...", "probes": [{"id", "name", "box_public", "sign_public", "retired"}],
//    "controls": [{"probe", "every_seconds"}]}
// or the version alone: nothing changed since that.
struct ProbeList {
  struct Control {  // the positive control that home is to inject for this probe
    ProbeId probe;
    std::chrono::seconds every{};
  };
  std::string version;
  bool has_probes = false;
  std::vector<KnownProbe> probes;
  std::vector<Control> controls;
  std::vector<std::string> refused;  // why entries were left out; KeyRing::make takes the rest
};
// A bad entry is left out; anything else bad refuses the whole list. At most KeyRing::kMostProbes
// of each.
Result<ProbeList> parse_probe_list(std::string_view json);

}  // namespace beaconry
