#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "alert/alert.h"
#include "base/result.h"
#include "base/time.h"
#include "control/alerts.h"
#include "control/beacons.h"
#include "detect/allow_list.h"

namespace beaconry {

// What an allow-list would hide that the one that holds does not: of the beacons that are listed
// now, and of the alerts about beacons since a time.
struct AllowPreview {
  static constexpr std::size_t kMostShown = 50;        // of each
  static constexpr std::size_t kMostAlerts = 100'000;  // looked at, the newest

  std::size_t beacons = 0, alerts = 0;
  std::size_t alerts_looked_at = 0;
  std::vector<BeaconRow> first_beacons;  // best score first
  std::vector<Alert> first_alerts;       // newest first

  static Result<AllowPreview> make(const AllowList& holds, const AllowList& wanted,
                                   const Beacons& beacons, const Alerts& alerts, Timestamp since);
};

}  // namespace beaconry
