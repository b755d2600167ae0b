#pragma once
#include <functional>

namespace CLI {
class App;
}

namespace beaconry {

// `beaconry fleet start|stop|restart|approve beacon_0@sensor001`: `word` is the server's.
std::function<int()> define_fleet_order(CLI::App& app, const char* word, const char* done);

}  // namespace beaconry
