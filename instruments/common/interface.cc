#include "common/interface.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include "base/fd.h"

namespace beaconry {

Health interface_health(const std::string& name) {
  Health part;
  part.name = "interface " + name;
  part.state = HealthState::healthy;
  ifreq asked{};
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  std::strncpy(asked.ifr_name, name.c_str(), sizeof asked.ifr_name - 1);
  if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &asked) != 0) {
    part.state = HealthState::failed;
    part.cause = part.name + " lost";
    part.evidence = "the instrument has no interface '" + name + "'";
    part.fix = "give it one in the instance's 'interfaces', or plug it in again";
  } else if ((asked.ifr_flags & IFF_UP) == 0) {
    part.state = HealthState::failed;
    part.cause = part.name + " is down";
    part.evidence = "'" + name + "' is there and not up";
    part.fix = "restart the instrument: the platform brings its interfaces up";
  } else if ((asked.ifr_flags & IFF_RUNNING) == 0) {
    part.state = HealthState::degraded;
    part.cause = part.name + " has no carrier";
    part.evidence = "'" + name + "' is up and has no carrier";
    part.fix = "look at the cable and the port at its other end";
  }
  return part;
}

}  // namespace beaconry
