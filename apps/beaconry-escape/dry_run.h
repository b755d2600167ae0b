#pragma once
#include <string>

#include "escape/config.h"

namespace beaconry {

// What a probe would do, without doing it.

// A network like the one that the probe will find, so that what depends on an address, a gateway or
// a resolver can be shown: static ones stay, missing ones become addresses of the documentation
// blocks, and `words` says which.
struct AssumedNetwork {
  ProbeConfig config;
  std::string words;
};
AssumedNetwork assume_network(const ProbeConfig& config);

// The page that people approve: what, to whom, how often, with which risk, at most how much, and
// what is not tried and why.
std::string plan_page(const ProbeConfig& config, const std::string& interface);

// One short cycle against the assumed network, as frames in a capture file, and what it took.
Result<std::string> dry_run(const ProbeConfig& config, const std::string& interface,
                            const std::string& capture);

// --list-methods: a line each.
std::string methods_text();

}  // namespace beaconry
