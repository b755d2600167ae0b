#include "fleet/fleet_groups.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/text.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE fleet_group (name TEXT PRIMARY KEY, selector TEXT NOT NULL, priority INTEGER NOT "
    "NULL)"};
constexpr std::size_t kLongestName = 63;

}  // namespace

Result<void> check_group_name(const std::string& name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (!name.empty() && name.size() <= kLongestName &&
      name.find_first_not_of(kAllowed) == std::string::npos)
    return {};
  return fail(ErrorKind::usage, "name",
              "group '" + terminal_safe(name.substr(0, kLongestName)) + '\'',
              "give it a name of 1 to 63 letters, digits, '.', '_' or '-'");
}

Result<std::unique_ptr<FleetGroups>> FleetGroups::open(Database& database) {
  if (auto done = database.migrate("fleet_groups", kMigrations); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  return std::unique_ptr<FleetGroups>(new FleetGroups(database));
}

Result<void> FleetGroups::put(const Group& group) {
  if (auto right = check_group_name(group.name); !right) return right;
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement others(tables, "SELECT count(*) FROM fleet_group WHERE name != ?");
    others.bind(1, group.name);
    others.executeStep();
    if (count_in(others.getColumn(0)) >= kMostGroups)
      return fail(ErrorKind::limit, "make", "group " + group.name, "there are 500; remove some");
    SQLite::Statement write(tables, "INSERT OR REPLACE INTO fleet_group VALUES (?, ?, ?)");
    write.bind(1, group.name);
    write.bind(2, group.selector.to_string());
    write.bind(3, group.priority);
    write.exec();
    return {};
  });
}

Result<void> FleetGroups::remove(const std::string& name) {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement remove(tables, "DELETE FROM fleet_group WHERE name = ?");
    remove.bind(1, name);
    if (remove.exec() > 0) return {};
    return fail(ErrorKind::not_found, "remove", "group " + terminal_safe(name), "there is none");
  });
}

Result<std::vector<FleetGroups::Group>> FleetGroups::list() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Group>> {
    SQLite::Statement read(tables, "SELECT name, selector, priority FROM fleet_group");
    std::vector<Group> all;
    while (read.executeStep()) {
      auto selector = Selector::parse(read.getColumn(1).getString());
      if (!selector) return tl::unexpected<Error>(std::move(selector.error()));
      all.push_back(
          {read.getColumn(0).getString(), std::move(*selector), read.getColumn(2).getInt64()});
    }
    std::sort(all.begin(), all.end(), [](const Group& a, const Group& b) {
      return std::tie(a.priority, a.name) < std::tie(b.priority, b.name);
    });
    return all;
  });
}

}  // namespace beaconry
