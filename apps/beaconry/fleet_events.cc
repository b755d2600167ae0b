#include "server/log_lists.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {

extern const Subcommand fleet_events;
constinit const Subcommand fleet_events{
    "events", "Search what instruments told: by type, instrument, time and context",
    define_fleet_event_list};

}  // namespace beaconry::fleet_commands
