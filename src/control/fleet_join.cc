#include "control/fleet_join.h"

#include <optional>

#include "base/log.h"
#include "http/certificates.h"

namespace beaconry {
namespace {

// What redeemed this token (its SHA-256) takes over, if anything.
Result<void> replace(Fleet& fleet, Edges& edges, const std::string& token,
                     const std::string& machine, Timestamp now) {
  const auto replaced = fleet.replace(token, machine, now);
  if (!replaced) return tl::unexpected<Error>(replaced.error());
  if (*replaced && edges.is_enrolled((*replaced)->sensor)) {
    if (auto gone = edges.revoke((*replaced)->sensor, now); !gone) return gone;
  }
  return fleet.replaced(token);
}

Result<std::string> enrol(Fleet& fleet, Edges& edges, const std::string& key,
                          const std::string& name, Timestamp now) {
  auto called = fleet.enrol(key, name, now);
  if (!called) return called;
  // What it sends is told under the name that it has here.
  if (auto same = edges.rename(key, *called); !same)
    return tl::unexpected<Error>(std::move(same.error()));
  return called;
}

}  // namespace

Result<std::string> join_fleet(Fleet& fleet, Edges& edges, const Edges::Edge& sensor,
                               std::string_view token, Timestamp now) {
  if (auto done = replace(fleet, edges, sha256_hex(token), sensor.id, now); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  const Fleet::Found known = fleet.find(sensor.id);
  return enrol(fleet, edges, sensor.id, known ? known->name : sensor.name, now);
}

Result<void> settle_fleet(Fleet& fleet, Edges& edges, Timestamp now) {
  const auto begun = fleet.replacements_begun();
  if (!begun) return tl::unexpected<Error>(begun.error());
  for (const FleetReplacements::Replacement& each : *begun) {
    if (auto done = replace(fleet, edges, each.token, each.machine, now); !done) return done;
  }
  for (const Edges::Edge& edge : edges.list()) {
    if (edge.kind != "sensor" || !edge.enrolled || edge.revoked) continue;
    if (const Fleet::Found known = fleet.find(edge.id)) {
      if (auto same = edges.rename(edge.id, known->name); !same) return same;
      continue;
    }
    // It still sends what it saw; only the fleet does without it.
    if (auto name = enrol(fleet, edges, edge.id, edge.name, now); !name)
      log_warning(name.error().message());
  }
  return forget_revoked(fleet, edges, now);
}

Result<void> forget_revoked(Fleet& fleet, const Edges& edges, Timestamp now) {
  for (const Fleet::Found& sensor : fleet.sensors()) {
    if (edges.is_enrolled(sensor->fingerprint)) continue;
    if (auto gone = fleet.forget(sensor->fingerprint, now); !gone) return gone;
  }
  return {};
}

}  // namespace beaconry
