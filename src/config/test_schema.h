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
    {"other.space", ConfigType::size, "How much.", "64M", 1024, 1 << 30},
    {"other.color", ConfigType::text, "Which.", "red", 0, 0, false, false, "red|green"},
    {"other.key", ConfigType::text, "Hidden.", "", 0, 0, false, true},
    {"other.tags", ConfigType::entries, "Anything.", "", 0, 0, false, true},
    {"other.colour", ConfigType::text, "", "", 0, 0, false, false, "", "other.color"},
};

}  // namespace beaconry
