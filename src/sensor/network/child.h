#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace beaconry {

// A child may want the first few for itself.
constexpr int kKeptAs = 9;

struct Child {
  std::vector<std::string> command;      // a full path first
  std::vector<std::string> environment;  // "KEY=value"; all that it gets besides PATH
  int name_space = -1;                   // of the network that it runs in; -1: ours
  int input = -1, errors = -1;           // -1: /dev/null
  int kept = -1;                         // inherited as descriptor kKeptAs
  bool capture_rights_only = false;      // raw sockets and low ports are all that root may there
};
// Starts one; the caller waits for it.
Result<pid_t> start_child(const Child& child);

// Runs a short program with `input` at its standard input. An error holds what it said; one that
// takes longer than ten seconds is ended.
Result<void> run_program(const std::vector<std::string>& command, std::string_view input,
                         int name_space);

}  // namespace beaconry
