#pragma once

#include <functional>
#include <span>

#include "subcommand.h"

namespace beaconry {

// A command whose own commands are a table: adds them to `app`, one of which must be given. Returns
// what runs the one that was.
std::function<int()> define_group(CLI::App& app, std::span<const Subcommand* const> commands);

}  // namespace beaconry
