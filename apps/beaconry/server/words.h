#pragma once
#include <string>
#include <string_view>

#include "base/time.h"
#include "server/json_rows.h"

namespace beaconry {

// Pieces that views are made of.

// "2026-11-22 08:00:01" of "2026-11-22T08:00:01.5Z"; what is no time stays as it is.
std::string short_time(std::string text);
// "2h 5m", "3d": since a time that an answer tells, in its greatest units; empty where it tells
// none.
std::string age_of(const Json& json, const char* path, Timestamp now);
// "2026-11-22 08:00:01 (2h 5m)".
std::string since_text(const Json& json, const char* path, Timestamp now);

// "  name          value", broken at 80 columns; nothing without a value.
std::string field_line(std::string_view name, std::string_view value, std::size_t width = 14);
// "a, b, c and 11 more".
std::string names_text(const Json& list, std::size_t most);
// "role=ot,site=oulu", as `fleet sensors --labels` takes it.
std::string labels_text(const Json& labels);
// "1 sensor", "14 sensors".
std::string counted(std::uint64_t count, const char* one, const char* many);

}  // namespace beaconry
