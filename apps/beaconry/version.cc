#include <cstdio>

#include "beaconry_version.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

std::function<int()> define(CLI::App&) {
  return [] {
    std::puts("beaconry " BEACONRY_VERSION " " BEACONRY_REVISION);
    return kExitDone;
  };
}

}  // namespace

extern const Subcommand version;
constinit const Subcommand version{"version", "Print the version and the git revision", define};

}  // namespace beaconry::subcommands
