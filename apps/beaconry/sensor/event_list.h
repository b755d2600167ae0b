#pragma once
#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace beaconry {

// The newest events of a sensor, or of one of its instances where `with_name`.
std::function<int()> define_event_list(CLI::App& app, bool with_name);

}  // namespace beaconry
