#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace beaconry {

// `beaconry audit` and `beaconry fleet audit`: who changed what.
std::function<int()> define_audit_list(CLI::App& app);
// `beaconry events` and `beaconry fleet events`: what sensors and their instruments told.
std::function<int()> define_fleet_event_list(CLI::App& app);

}  // namespace beaconry
