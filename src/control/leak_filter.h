#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "control/probes.h"
#include "control/query.h"
#include "leak/leak.h"

namespace beaconry {

// Which leaks a request is about.
struct LeakFilter {
  std::string probe;  // name or id
  std::optional<Timestamp> since;
  std::optional<bool> open;
  std::optional<MethodId> method;
  std::string path;
  std::optional<ObservationClass> what;

  // From probe, since, state, method, path and class; the query keeps what is wrong.
  static LeakFilter read(Query& query, Timestamp now);
  bool fits(const KeptProbe& probe) const;
  std::vector<Leak> apply(std::vector<Leak> leaks, const Probes& probes) const;
  std::string words() const;  // "open, of probe hall"; empty: all
};

// "2026-12-01T00:00:00Z", or a length before now; the query keeps what is wrong.
std::optional<Timestamp> read_since(Query& query, Timestamp now, std::string_view name = "since");

}  // namespace beaconry
