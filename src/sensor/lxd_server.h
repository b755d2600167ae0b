#pragma once

#include <string>

#include "sensor/lxd_connection.h"

namespace beaconry::lxd {

// The daemon itself.

// "LXD 5.0.2"; an answer later than `patience` is none.
Result<std::string> version(const Connection& lxd,
                            std::chrono::seconds patience = std::chrono::seconds{5});

// Starts an LXD that is installed and not running, without systemd: a process of its own, which the
// caller's end does not end. Waits until it answers at `socket`.
Result<void> start_server(const std::string& program, const std::string& socket);

}  // namespace beaconry::lxd
