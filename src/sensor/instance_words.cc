// Words, names and pauses of an instance's life.
#include <algorithm>

#include "bus/topics.h"
#include "sensor/instance.h"

namespace beaconry {
namespace {

constexpr auto kLongestBackoff = std::chrono::minutes{5};
constexpr std::string_view kAside = "-old";

}  // namespace

std::string_view to_string(Step step) {
  constexpr std::string_view kWords[] = {"do nothing",
                                         "import the image",
                                         "make the volumes",
                                         "make the container",
                                         "set up the interfaces",
                                         "start it",
                                         "complete the interfaces",
                                         "stop it",
                                         "collect its log",
                                         "release the interfaces",
                                         "set the container aside",
                                         "put the old container back",
                                         "remove the container",
                                         "remove the rollback copy",
                                         "remove the volumes",
                                         "forget it"};
  return kWords[static_cast<std::size_t>(step)];
}

Duration backoff(std::uint64_t failures) {
  const auto shift = std::min<std::uint64_t>(failures == 0 ? 0 : failures - 1, 16);
  return std::min<Duration>(std::chrono::seconds{1} * (std::int64_t{1} << shift), kLongestBackoff);
}

std::string container_name(std::string_view instance) {
  std::string name(instance);
  if (const std::size_t at = name.rfind('_'); at != std::string::npos) name[at] = '-';
  return name;
}

std::string aside_name(std::string_view instance) {
  return container_name(instance) + std::string(kAside);
}

std::string instance_of_container(std::string_view container, bool& aside) {
  aside = container.ends_with(kAside);
  if (aside) container.remove_suffix(kAside.size());
  std::string name(container);
  const std::size_t at = name.rfind('-');
  if (at == std::string::npos) return {};
  name[at] = '_';
  return InstanceName::parse(name) ? name : std::string();
}

}  // namespace beaconry
