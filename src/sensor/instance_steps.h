#pragma once

#include <string>
#include <vector>

#include "image/image.h"
#include "sensor/instance.h"
#include "sensor/network.h"
#include "sensor/runtime.h"

namespace beaconry {

// What a step is done with: copied, since it is done on a worker's thread.
struct StepPlan {
  Step step = Step::none;
  std::string instance;
  ImageInfo image;  // the target's
  std::vector<InterfaceWish> interfaces;
  std::vector<ContainerSpec::Folder> folders;  // of the services
  int process = 0;                             // of the running container
  unsigned stop_seconds = 10;
};

// Carries one step out and looks afterwards. Blocks; one at a time an instance.
StepOutcome carry_out(const StepPlan& plan, Runtime& runtime, Network& network);

// What the container of an image is made of, without interfaces.
ContainerSpec container_spec(const StepPlan& plan);
// Of a spec: another one is another container.
std::string spec_digest(const ContainerSpec& spec);
std::string persistent_volume(std::string_view instance);  // beacon-0-persistent
std::string transient_volume(std::string_view instance);
std::string instance_of_volume(std::string_view volume);  // empty: none of ours
std::optional<InstanceFacts::Container> facts_of(const std::optional<ContainerState>& state);
std::string label(const ContainerState& state, std::string_view key);

}  // namespace beaconry
