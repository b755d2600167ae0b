// Many simulated sensors against one real server on this machine: bench/fleet runs it.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "fleet_storm/storm.h"

int main(int argc, char** argv) {
  beaconry::bench::StormPlan plan;
  CLI::App app("Enrols simulated sensors at a beaconry-control and measures how it bears them");
  app.add_option("control", plan.program, "The program beaconry-control")->required();
  app.add_option("folder", plan.folder, "An empty folder for its state")->required();
  app.add_option("--sensors", plan.sensors)->capture_default_str();
  app.add_option("--changes", plan.changes, "Of what the fleet is wished")->capture_default_str();
  app.add_option("--seconds", plan.paced_seconds, "That events are told for")
      ->capture_default_str();
  app.add_option("--batch", plan.events_a_batch, "Events of a sensor each second")
      ->capture_default_str();
  app.add_option("--away", plan.away_minutes, "Minutes that half of them are away")
      ->capture_default_str();
  app.add_option("--beacons", plan.beacons, "Pairs that call home, for lists of them")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  beaconry::bench::Storm storm(plan);
  const auto done = storm.run();
  if (!done) {
    std::fprintf(stderr, "fleet_storm: %s\n", done.error().message().c_str());
    return 1;
  }
  std::printf("%s", storm.table().c_str());
  for (const std::string& fault : storm.faults())
    std::fprintf(stderr, "fleet_storm: %s\n", fault.c_str());
  return storm.faults().empty() ? 0 : 1;
}
