#pragma once
#include "config/schema.h"

namespace beaconry {

// A schema with a key of every type, for this folder's tests.
inline constexpr ConfigKey kTestKeys[] = {
    {"net.enabled", ConfigType::boolean, "Whether.", "true"},
    {"net.port", ConfigType::count, "Which port.", "9090", 1, 65535},
    {"net.share", ConfigType::number, "How much.", "0.5", 0, 1},
    {"net.wait", ConfigType::duration, "How long.", "5m", 1, 86'400},
    {"net.limit", ConfigType::count, "Unset: none.", "", 1, 1000},
    {"net.name", ConfigType::text, "Its name."},
    {"net.hosts", ConfigType::texts, "Who."},
    {"rules.deep.level", ConfigType::number, "Any."},
    {"rules.list", ConfigType::records, "Rules."},
    {"rules.list[].port", ConfigType::count, "Its port.", "", 0, 65535, true},
    {"rules.list[].label", ConfigType::text, "Its label.", "none"},
    {"other", ConfigType::foreign, "Somebody else's."},
};

}  // namespace beaconry
