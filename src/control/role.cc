#include <array>
#include <utility>

#include "control/route.h"

namespace beaconry {
namespace {

constexpr std::array<std::pair<std::string_view, Role>, 5> kRoles = {{{"ingest", Role::ingest},
                                                                      {"viewer", Role::viewer},
                                                                      {"analyst", Role::analyst},
                                                                      {"operator", Role::operator_},
                                                                      {"admin", Role::admin}}};

}  // namespace

std::string_view to_string(Role role) {
  for (const auto& [word, known] : kRoles) {
    if (known == role) return word;
  }
  return "none";
}

std::optional<Role> parse_role(std::string_view word) {
  if (word == "read") return Role::viewer;
  for (const auto& [known, role] : kRoles) {
    if (known == word) return role;
  }
  return std::nullopt;
}

}  // namespace beaconry
