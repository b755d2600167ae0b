#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "control/batch_cursor.h"

namespace SQLite {
class Database;
}

namespace beaconry {

// Which batches were taken, by edge and incarnation, as a table keeps it:
//   (edge TEXT, incarnation TEXT, batches TEXT, changed INTEGER, PRIMARY KEY (edge, incarnation)).
// The newest kMostIncarnations of an edge. Throws what the library throws: for use inside of
// transact().
struct BatchCursorRows {
  static constexpr std::size_t kMostIncarnations = 8;
  const char* table;  // a literal

  BatchCursor read(SQLite::Database& tables, const std::string& edge,
                   const std::string& incarnation) const;
  void add(SQLite::Database& tables, const std::string& edge, const std::string& incarnation,
           const std::vector<std::uint64_t>& sequences) const;
};

}  // namespace beaconry
