#include "server/log_lists.h"
#include "subcommand.h"

namespace beaconry::subcommands {

extern const Subcommand events;
constinit const Subcommand events{"events",
                                  "List what sensors and their instruments told, newest first",
                                  define_fleet_event_list};

}  // namespace beaconry::subcommands
