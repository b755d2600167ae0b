#include "fleet/fleet_images.h"

#include <utility>

#include "base/hex.h"
#include "base/text.h"
#include "store/columns.h"
#include "store/transaction.h"

namespace beaconry {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE fleet_image (sha256 TEXT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT NULL, "
    "bytes INTEGER NOT NULL, signer TEXT NOT NULL, added INTEGER NOT NULL, who TEXT NOT NULL)",
    "ALTER TABLE fleet_image ADD COLUMN manifest TEXT NOT NULL DEFAULT ''"};
constexpr const char* kColumns =
    "SELECT sha256, name, version, bytes, signer, added, who FROM fleet_image";
constexpr std::size_t kDigits = 64, kLongestWord = 128;

FleetImages::Image image_in(SQLite::Statement& read) {
  return {read.getColumn(0).getString(), read.getColumn(1).getString(),
          read.getColumn(2).getString(), count_in(read.getColumn(3)),
          read.getColumn(4).getString(), time_in(read.getColumn(5)),
          read.getColumn(6).getString()};
}

}  // namespace

Result<std::unique_ptr<FleetImages>> FleetImages::open(Database& database) {
  if (auto done = database.migrate("fleet_images", kMigrations); !done)
    return tl::unexpected<Error>(std::move(done.error()));
  return std::unique_ptr<FleetImages>(new FleetImages(database));
}

Result<void> FleetImages::add(const Image& image, const std::string& manifest) {
  const auto refuse = [&](ErrorKind kind, std::string cause) {
    return fail(kind, "add", "image " + terminal_safe(image.sha256.substr(0, kDigits)),
                std::move(cause));
  };
  // It becomes part of a file's name.
  if (!is_lower_hex(image.sha256, kDigits))
    return refuse(ErrorKind::usage, "its SHA-256 is not 64 hex digits in lower case");
  if (image.name.empty() || image.name.size() > kLongestWord ||
      image.version.size() > kLongestWord || image.signer.size() > kLongestWord)
    return refuse(ErrorKind::usage, "it needs a name, and words of at most 128 bytes");
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    if (count_in(tables.execAndGet("SELECT count(*) FROM fleet_image")) >= kMostImages)
      return refuse(ErrorKind::limit, "there are 10,000; remove some");
    SQLite::Statement insert(tables,
                             "INSERT OR IGNORE INTO fleet_image VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, image.sha256);
    insert.bind(2, image.name);
    insert.bind(3, image.version);
    insert.bind(4, to_column(image.bytes));
    insert.bind(5, image.signer);
    insert.bind(6, to_column(image.added));
    insert.bind(7, image.who);
    insert.bind(8, manifest);
    insert.exec();
    return {};
  });
}

Result<std::optional<FleetImages::Image>> FleetImages::find(const std::string& sha256) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::optional<Image>> {
    SQLite::Statement read(tables, std::string(kColumns) + " WHERE sha256 = ?");
    read.bind(1, sha256);
    if (!read.executeStep()) return std::optional<Image>{};
    return std::optional<Image>(image_in(read));
  });
}

Result<std::vector<FleetImages::Image>> FleetImages::list() const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::vector<Image>> {
    SQLite::Statement read(tables, std::string(kColumns) + " ORDER BY name, added DESC, sha256");
    std::vector<Image> all;
    while (read.executeStep())
      all.push_back(image_in(read));
    return all;
  });
}

Result<void> FleetImages::set_signer(const std::string& sha256, const std::string& signer) {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement update(tables, "UPDATE fleet_image SET signer = ? WHERE sha256 = ?");
    update.bind(1, signer);
    update.bind(2, sha256);
    update.exec();
    return {};
  });
}

Result<std::string> FleetImages::manifest(const std::string& sha256) const {
  return database_.transact([&](SQLite::Database& tables) -> Result<std::string> {
    SQLite::Statement read(tables, "SELECT manifest FROM fleet_image WHERE sha256 = ?");
    read.bind(1, sha256);
    if (read.executeStep()) return read.getColumn(0).getString();
    return fail(ErrorKind::not_found, "find", "image " + terminal_safe(sha256.substr(0, kDigits)),
                "there is none of this SHA-256");
  });
}

Result<void> FleetImages::remove(const std::string& sha256) {
  return database_.transact([&](SQLite::Database& tables) -> Result<void> {
    SQLite::Statement remove(tables, "DELETE FROM fleet_image WHERE sha256 = ?");
    remove.bind(1, sha256);
    if (remove.exec() > 0) return {};
    return fail(ErrorKind::not_found, "remove", "image " + terminal_safe(sha256.substr(0, kDigits)),
                "there is none of this SHA-256");
  });
}

}  // namespace beaconry
