#pragma once
#include <string>
#include <vector>

#include "source/simulate/network.h"

namespace beaconry::simulate {

enum class Crowd : std::uint8_t { workstations, devices, servers };

// A kind of harmless program that calls on a schedule.
struct MachinePlan {
  std::string group;          // "telemetry"
  double clients_at_800 = 0;  // how many run it in a network of 800 hosts
  Crowd crowd = Crowd::workstations;
  SleepModel model;
  std::uint16_t port = 443;
  Protocol protocol = Protocol::tcp;
  Service service = Service::tls;
  bool internal = false;
  int servers = 1;    // that the clients are spread over
  int addresses = 1;  // of each server
  double bytes_out = 900;
  double bytes_in = 600;
  double size_sigma = 0.05;
  double busy_seconds = 0.2;
  bool only_while_on = true;  // else the machine never sleeps
  double sitting_hours = 0;   // > 0: runs for a few such sittings a day (a page left open)
  double least_clients = 1;
};

std::vector<MachinePlan> usual_machines();

// Runs the plans' clients and records every pair in the truth as benign_periodic.
void machines(SimulatedNetwork& network, const std::vector<MachinePlan>& plans, int hosts,
              Random random);

// Central monitors that poll `targets_at_800` hosts each.
struct MonitorPlan {
  double targets_at_800 = 100;
  double period_seconds = 60;
  std::uint16_t port = 9100;
  Protocol protocol = Protocol::tcp;
};
void monitors(SimulatedNetwork& network, const std::vector<MonitorPlan>& plans, int hosts,
              Random random);

}  // namespace beaconry::simulate
