#include "leak/leak.h"

#include <iterator>

namespace beaconry {
namespace {

constexpr std::string_view kClasses[] = {"fresh",       "duplicate", "late",       "replayed",
                                         "unknown-key", "retired",   "unconfirmed"};
constexpr std::string_view kPaths[] = {
    "direct", "nat",       "un-natted", "resolver", "neighbour-forwards", "neighbour-bounces",
    "proxy",  "reflector", "control"};
constexpr std::string_view kChanges[] = {"opened", "reopened", "closed", "widened", "two-way"};

template <std::size_t N>
std::string_view word(const std::string_view (&words)[N], std::size_t at) {
  return at < N ? words[at] : "unknown";
}

}  // namespace

std::string_view to_string(ObservationClass c) {
  return word(kClasses, static_cast<std::size_t>(c));
}

std::string_view to_string(PathKind kind) {
  return word(kPaths, static_cast<std::size_t>(kind));
}

std::string_view to_string(LeakChange change) {
  return word(kChanges, static_cast<std::size_t>(change));
}

std::optional<PathKind> parse_path_kind(std::string_view text) {
  for (std::size_t at = 0; at < std::size(kPaths); ++at)
    if (kPaths[at] == text) return static_cast<PathKind>(at);
  return std::nullopt;
}

}  // namespace beaconry
