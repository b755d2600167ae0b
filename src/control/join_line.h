#pragma once
#include <string>
#include <string_view>

#include "base/time.h"

namespace beaconry {

class Control;

// A token that enrols an edge, and how it is used.
struct JoinLine {
  std::string kind, name, token, url;
  Timestamp expires{};
};
// {kind, name, token, expires, ca_fingerprint, url, join}
std::string join_line_json(const Control& control, const JoinLine& line);

// Where no edge could join.
constexpr std::string_view kNoTls =
    "edges join by https, and this server has no TLS listener: run 'beaconry-control init', which "
    "makes certificate and token, set control_plane.listen_address (0.0.0.0 or an address that "
    "edges reach) and control_plane.names (what they call this server), leave "
    "control_plane.tls.mode at auto, and restart";

}  // namespace beaconry
