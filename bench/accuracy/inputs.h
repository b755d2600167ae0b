#pragma once
#include <string>
#include <vector>

#include "accuracy/connection_list.h"
#include "accuracy/score_card.h"
#include "base/result.h"
#include "source/simulate/recipe.h"

namespace beaconry::accuracy {

// Something to try detectors on: files for those that read files, connections for the rest.
struct Input {
  std::string name;
  std::vector<std::string> paths;
  ConnectionList connections;
  Labels labels;
};

// A simulated day's labels. A DNS conversation shows the rhythm of what is looked up: of an
// implant's names it counts nowhere, of a harmless schedule's it is periodic, class "dns-lookups".
Labels labels_of(const simulate::Traffic& traffic);

// Writes `traffic` as Zeek logs into `folder`.
Result<Input> simulated_input(std::string name, const simulate::Traffic& traffic,
                              const std::string& folder);

// The traffic without what each implant does after its first `check_ins` check-ins.
simulate::Traffic truncated(const simulate::Traffic& traffic, std::size_t check_ins);

// Every capture of `folder`/manifest.json: {"name": {"files": [...], "c2": [pair keys], "ignore":
// [pair keys]}, ...}, where a key may have * for its port.
Result<std::vector<Input>> read_captures(const std::string& folder);

}  // namespace beaconry::accuracy
