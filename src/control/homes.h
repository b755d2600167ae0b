#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "base/time.h"
#include "control/probes.h"
#include "ping/keys.h"
#include "store/database.h"

namespace beaconry {

// What a home says of itself: where probes reach it and by which key.
struct KeptHome {
  std::string edge;  // its fingerprint
  std::string name;  // as it was enrolled
  Key32 box_public{};
  std::string zone;  // lower case, without the final dot; empty: it answers no DNS
  std::vector<IpAddress> addresses;
  std::string version;  // of its program
  Timestamp first{}, announced{};
  std::optional<Timestamp> key_changed;  // its probes need new lines since
};

// Homes, by the edge that they are. Kept in the database and in memory. Any thread may call.
class Homes {
 public:
  static constexpr std::size_t kMostHomes = 256, kMostAddresses = 8;

  static Result<std::unique_ptr<Homes>> open(Database& database);

  // Reads {box_public, zone, addresses, version}. The first thing that is wrong is the error.
  static Result<KeptHome> parse(std::string_view json);

  // What it says takes the place of what it said before, which comes back where key, zone or
  // addresses differ: whatever goes to them counts as ours.
  Result<std::optional<KeptHome>> announce(const KeptHome& home, Timestamp now);
  // Of an edge that was revoked. True: there was one.
  Result<bool> forget(const std::string& edge);
  std::vector<KeptHome> list() const;  // by name
  std::optional<KeptHome> find(const std::string& edge) const;

  // Which home an address, or the name of a server, is: empty where it is none's.
  std::string with_address(const IpAddress& address) const;
  std::string with_name(std::string_view name) const;  // lower case: the zone, or below it

 private:
  explicit Homes(Database& database) : database_(database) {}

  Database& database_;
  mutable std::mutex mutex_;
  std::map<std::string, KeptHome> homes_;
};

// That a home says something else than before, of where it is or by which key.
Alert home_alert(const KeptHome& before, const KeptHome& home, Timestamp now);

// What a home polls for: {version, probes: [{id, name, box_public, sign_public, retired}],
// controls: [{probe, every_seconds}]}; {version} alone where `after` is that version. The version
// is a number that differs whenever anything else does.
std::string probe_list_json(const std::vector<KeptProbe>& probes, const std::string& home,
                            std::string_view after, Timestamp now);

}  // namespace beaconry
