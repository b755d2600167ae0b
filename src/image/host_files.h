#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/elf.h"

namespace beaconry {

struct HostOutput {
  int status = 0;  // exit status, or 128 and the signal
  std::string output;
};
// Runs a program of the host with a clean environment and waits for it; at most 16 MiB of output.
Result<HostOutput> run_host_program(const std::vector<std::string>& command);

// The libraries that a dynamic program or library of the host needs, with those that they need, and
// its loader: paths as the loader finds them, sorted.
Result<std::vector<std::string>> needed_libraries(const std::string& file, const ElfFile& elf);

struct DebianPackage {
  std::string name, version, architecture;
};
// Which installed Debian package each of these files of the host is of. Those of none are left out;
// all, where there is no dpkg.
Result<std::map<std::string, DebianPackage>> packages_of(const std::vector<std::string>& files);
// The files of an installed Debian package that it needs to run: no documentation.
Result<std::vector<std::string>> files_of_package(const std::string& package);

}  // namespace beaconry
