#include "common/duration.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/time.h"

namespace beaconry {

Result<std::chrono::seconds> duration_of(const nlohmann::json& config, const char* key,
                                         std::chrono::seconds otherwise, std::chrono::seconds least,
                                         std::chrono::seconds most) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return otherwise;
  std::optional<double> seconds;
  if (found->is_number()) seconds = found->get<double>();
  if (found->is_string()) seconds = parse_duration_seconds(found->get_ref<const std::string&>());
  if (!seconds || !(*seconds >= static_cast<double>(least.count())) ||
      !(*seconds <= static_cast<double>(most.count()))) {
    return fail(ErrorKind::usage, "use", std::string("'") + key + '\'',
                "it is a time from " + to_words(least) + " to " + to_words(most) +
                    ": seconds, or such as 90s, 5m, 12h, 3d");
  }
  return std::chrono::seconds{static_cast<std::int64_t>(*seconds)};
}

}  // namespace beaconry
