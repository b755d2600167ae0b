#include "escape/probe.h"
#include <iostream>
#include <fstream>
#include <sstream>
#include <cstring>
using namespace beaconry;
int main(int c, char** v) {
  std::string conf, ifc;
  for (int i = 1; i < c; ++i) { if (!strcmp(v[i], "--config")) conf = v[++i]; else if (!strcmp(v[i], "--interface")) ifc = v[++i]; }
  std::stringstream text; text << std::ifstream(conf).rdbuf();
  auto config = ProbeConfig::parse(text.str(), conf);
  if (!config) { std::cerr << config.error().message() << "\n"; return 2; }
  auto link = open_packet_link(ifc);
  if (!link) { std::cerr << link.error().message() << "\n"; return 1; }
  auto clock = [] { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); };
  PartyKeys keys(config->seed);
  auto ev = Evidence::open({"", 32 << 20, "hall"}, keys, clock());
  if (!ev) { std::cerr << ev.error().message() << "\n"; return 1; }
  auto probe = Probe::make({*config, true, clock, [](const std::string& l) { std::cout << l << std::endl; }, [] { return false; }}, **link, **ev);
  if (!probe) { std::cerr << probe.error().message() << "\n"; return 1; }
  auto r = (*probe)->run();
  if (!r) { std::cerr << r.error().message() << "\n"; return 1; }
}
