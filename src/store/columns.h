#pragma once
#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"

namespace beaconry {

// Values as SQLite keeps them: times as microseconds since the epoch, in UTC; what is not there as
// NULL.
inline std::int64_t to_column(Timestamp time) {
  return time.time_since_epoch().count();
}
inline void bind_time(SQLite::Statement& statement, int at, const std::optional<Timestamp>& time) {
  time ? statement.bind(at, to_column(*time)) : statement.bind(at);
}
inline Timestamp time_in(const SQLite::Column& column) {
  return Timestamp{Duration{column.getInt64()}};
}
inline std::optional<Timestamp> maybe_time_in(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional(time_in(column));
}
inline std::uint64_t count_in(const SQLite::Column& column) {
  return static_cast<std::uint64_t>(column.getInt64());
}
// SQLite's whole numbers have a sign; counts here stay far below it.
inline std::int64_t to_column(std::uint64_t count) {
  return static_cast<std::int64_t>(count);
}

}  // namespace beaconry
