#include <algorithm>

#include "image/manifest.h"

namespace beaconry {
namespace {

void compare(const char* what, std::uint64_t before, std::uint64_t after,
             std::vector<std::string>& out) {
  if (after > before)
    out.push_back(std::string(what) + " " + std::to_string(before) + " -> " +
                  std::to_string(after));
}

bool allows(Direction before, Direction after) {
  return before == Direction::both || before == after;
}

const char* to_string(Direction direction) {
  switch (direction) {
    case Direction::receive:
      return "rx";
    case Direction::transmit:
      return "tx";
    case Direction::both:
      return "both";
  }
  return "both";
}

}  // namespace

std::vector<std::string> widened(const Manifest& before, const Manifest& wider) {
  std::vector<std::string> out;
  for (const std::string& capability : wider.capabilities) {
    if (std::find(before.capabilities.begin(), before.capabilities.end(), capability) ==
        before.capabilities.end())
      out.push_back("capability " + capability);
  }
  for (const Manifest::Interface& now : wider.interfaces) {
    const auto was = std::find_if(before.interfaces.begin(), before.interfaces.end(),
                                  [&](const auto& one) { return one.name == now.name; });
    if (was == before.interfaces.end()) {
      out.push_back("interface " + now.name + " (" + to_string(now.contract) + ")");
    } else if (!allows(was->contract, now.contract)) {
      out.push_back("interface " + now.name + ": " + to_string(was->contract) + " -> " +
                    to_string(now.contract));
    }
  }
  for (const Manifest::Relation& now : wider.relations) {
    const auto was =
        std::find_if(before.relations.begin(), before.relations.end(),
                     [&](const auto& one) { return one.instrument == now.instrument; });
    const Manifest::Relation had = was == before.relations.end() ? Manifest::Relation{} : *was;
    if (now.find && !had.find) out.push_back("find " + now.instrument);
    if (now.direct_message && !had.direct_message)
      out.push_back("direct messages to " + now.instrument);
    if (now.events && !had.events) out.push_back("events of " + now.instrument);
  }
  if (wider.uplink && !before.uplink) out.push_back("the uplink socket");
  if (wider.downloads && !before.downloads) out.push_back("downloads for others");
  if (wider.resources && !before.resources) out.push_back("resources from outside");
  const Manifest::Limits &had = before.limits, &has = wider.limits;
  compare("memory in bytes", had.memory, has.memory, out);
  compare("CPU in % of a core", had.cpu_percent, has.cpu_percent, out);
  compare("processes", had.processes, has.processes, out);
  compare("/tmp in bytes", had.temporary, has.temporary, out);
  compare("/persistent-data in bytes", had.persistent, has.persistent, out);
  compare("/transient-data in bytes", had.transient, has.transient, out);
  compare("events a second", had.events_per_second, has.events_per_second, out);
  return out;
}

std::vector<std::string> dangerous_wishes(const Manifest& manifest) {
  const auto known = known_capabilities();
  std::vector<std::string> out;
  for (const std::string& capability : manifest.capabilities) {
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const auto& one) { return one.name == capability; });
    if (found == known.end() || found->dangerous) out.push_back("capability " + capability);
  }
  return out;
}

}  // namespace beaconry
