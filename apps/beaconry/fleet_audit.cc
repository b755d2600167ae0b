#include "server/log_lists.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {

extern const Subcommand fleet_audit;
constinit const Subcommand fleet_audit{
    "audit", "List who changed what, who logged in, and who failed to; newest last",
    define_audit_list};

}  // namespace beaconry::fleet_commands
