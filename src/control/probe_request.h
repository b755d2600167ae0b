#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "control/homes.h"
#include "control/probes.h"

namespace beaconry {

// What POST /api/v1/probes asks for, without keys: name, profile, periods, control, neighbours,
// peers, notes, end. `home` is what was asked for: a name, a fingerprint or nothing. The first
// thing that is wrong is the error, in words that name the field.
Result<KeptProbe> read_probe_request(std::string_view json, Timestamp now);

// "none", "home", "path:ADDRESS:PORT" with "/tcp" or "/udp" behind; an IPv6 address in brackets.
Result<void> read_control(std::string_view text, KeptProbe& probe);

// The home that `wanted` names, by name or fingerprint; empty: the only one.
Result<KeptHome> choose_home(const std::vector<KeptHome>& homes, const std::string& wanted);

// The one line that makes a device this probe: it holds `seed` and is shown once. ErrorKind::usage
// where a peer is not known.
Result<std::string> probe_line(const KeptProbe& probe, const Key32& seed, const KeptHome& home,
                               const Probes& known);

}  // namespace beaconry
