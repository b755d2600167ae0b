#include "server/log_lists.h"
#include "subcommand.h"

namespace beaconry::subcommands {

extern const Subcommand audit;
constinit const Subcommand audit{
    "audit", "List who changed what, who logged in, and who failed to; newest last",
    define_audit_list};

}  // namespace beaconry::subcommands
