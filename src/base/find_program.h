#pragma once
#include <string>

namespace beaconry {

// Where Debian's packages and administrators put programs: for a child whose PATH is ours to say.
inline constexpr const char* kUsualPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// The path of a program: as it is with a slash in it, else looked for in PATH, kUsualPath and
// Incus's own folder; empty if it is nowhere.
std::string find_program(const std::string& name);

}  // namespace beaconry
