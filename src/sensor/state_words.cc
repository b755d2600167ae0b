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

std::string_view to_string(ManagementReport::State state) {
  switch (state) {
    case ManagementReport::State::none:
      return "none";
    case ManagementReport::State::trial:
      return "trial";
    case ManagementReport::State::confirmed:
      return "confirmed";
    case ManagementReport::State::reverted:
      return "reverted";
  }
  return "none";
}

}  // namespace beaconry
