#include "sensor/reported_state.h"

namespace beaconry {

std::string_view to_string(InstanceState state) {
  switch (state) {
    case InstanceState::created:
      return "NEW";
    case InstanceState::installed:
      return "INSTALLED";
    case InstanceState::starting:
      return "STARTING";
    case InstanceState::running:
      return "RUNNING";
    case InstanceState::stopping:
      return "STOPPING";
    case InstanceState::errored:
      return "ERRORED";
    case InstanceState::broken:
      return "BROKEN";
    case InstanceState::finished:
      return "FINISHED";
  }
  return "NEW";
}

std::string_view to_string(UpdateState state) {
  switch (state) {
    case UpdateState::none:
      return "NONE";
    case UpdateState::pending:
      return "PENDING";
    case UpdateState::downloading:
      return "DOWNLOADING";
    case UpdateState::installing:
      return "INSTALLING";
    case UpdateState::installed:
      return "INSTALLED";
    case UpdateState::failed:
      return "FAILED";
  }
  return "NONE";
}

}  // namespace beaconry
