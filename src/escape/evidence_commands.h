#pragma once
#include <string>
#include <vector>

namespace beaconry {

// The subcommands `verify` and `report` of two programs: they print to standard output, errors to
// standard error, and give the exit status: 0; 1 a file was changed or cannot be read; 2 a bad
// argument; 4 (verify) true as far as it is signed, but its end is not that of a probe that was
// stopped.
struct EvidenceArguments {
  std::vector<std::string> files;
  std::vector<std::string> keys;  // hex: one of them must have signed each; empty: any
  bool json = false, matrix = false;
};
int verify_command(const EvidenceArguments& arguments);
int report_command(const EvidenceArguments& arguments);

}  // namespace beaconry
