#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "fleet/identity.h"
#include "fleet/layers.h"
#include "fleet/reported.h"
#include "fleet/selector.h"
#include "fleet/sensor_state.h"
#include "store/database.h"

namespace beaconry {

// What the server keeps of its fleet, in its own tables: sensors by their keys' fingerprints, what
// each was wished last, and what it reported last. Any thread may call. Reports are in memory until
// save(): each comes again within a minute; all else is on disk when the call returns. Whoever
// reads gets a sensor as it was at one moment, which nobody changes.
class FleetStore {
 public:
  static constexpr std::size_t kMostSensors = 10'000;
  static constexpr std::size_t kLongestName = 64;
  // A version that no server counts up to, and that every reader of JSON can tell from the next.
  static constexpr std::uint64_t kMostVersion = std::uint64_t{1} << 52;

  struct Wish {
    std::uint64_t version = 0;  // 0: none yet
    Timestamp since{};
    std::shared_ptr<const MergedLayers> merged;  // null: none yet; shared by sensors of equal ones

    const std::string& document() const;  // empty: none yet
    const std::string& origin() const;
    const std::vector<DocumentInstance>& instances() const;
    SensorWish newest() const { return {version, since}; }
  };
  struct Sensor {
    std::string fingerprint, name;
    Labels labels;
    Timestamp enrolled{};
    std::string version, address;        // of its last report
    std::optional<Duration> clock_skew;  // its clock minus the server's
    SensorIdentity identity;
    SensorMemory memory;
    Wish wish;
    std::shared_ptr<const Reported> said;  // without health and state_json; null: nothing yet
    std::size_t drift = 0, unwell = 0;     // differences; instances that are not well
  };
  using Found = std::shared_ptr<const Sensor>;

  static Result<std::unique_ptr<FleetStore>> open(Database& database);

  // The same key again is the same sensor; a name that another one has is refused.
  Result<void> enrol(const std::string& fingerprint, const std::string& name, Timestamp now);
  Result<void> rename(const std::string& fingerprint, const std::string& name);
  Result<void> set_labels(const std::string& fingerprint, const Labels& labels);
  Result<void> forget(const std::string& fingerprint);  // of a key that was revoked
  // Another machine is this sensor from now on: it has its name, labels and wish, and reported
  // nothing yet.
  Result<void> hand_over(const std::string& from, const std::string& to, Timestamp now);
  Found find(const std::string& fingerprint_or_name) const;  // null: none
  std::vector<Found> sensors() const;                        // by name
  std::size_t size() const;
  static Result<bool> has_sensors(Database& database);
  bool has_name(const std::string& name) const;
  // Whether this sensor may have it: a right one, that no other has.
  Result<void> name_is_free(const std::string& name, const std::string& fingerprint) const;

  // `carried`: by a file, of the time that it names.
  Result<SensorIdentity::Heard> hear(const std::string& fingerprint, const Reported& report,
                                     const std::string& address, Timestamp now,
                                     bool carried = false);
  // The sensor has this version of what it shall be: what is made for it next is above.
  void has(const std::string& fingerprint, std::uint64_t version);
  // The server's clock was set back: nothing was heard later than now. On disk stays what was: the
  // clock may be right again after the next start.
  void set_back(Timestamp now);
  // The last reported state as it was sent; empty: none yet.
  Result<std::string> reported(const std::string& fingerprint) const;
  Result<void> save();

  // What sensors shall be from now on, in one transaction. Another document than the one before
  // makes a version above all that the sensor has ever reported, also after a back-up was restored.
  // Returns those that got one. Sensors that are not there (any more) are left out.
  struct Wanted {
    std::string fingerprint;
    std::shared_ptr<const MergedLayers> merged;
  };
  Result<std::vector<std::string>> wish(const std::vector<Wanted>& wanted, Timestamp now);

  ~FleetStore();

 private:
  struct Live;
  explicit FleetStore(Database& database);
  Result<void> load();
  Result<Found> known(const std::string& fingerprint) const;
  template <class Change>
  void change(const std::string& fingerprint, const Change& change);

  Database& database_;
  std::mutex changing_;  // one change on disk at a time; taken before mutex_
  mutable std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Live>, std::less<>> sensors_;
  std::map<std::string, std::string, std::less<>> names_;  // -> fingerprint
};

}  // namespace beaconry
