#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "config/document.h"
#include "control/config_json.h"
#include "hunt/hunt_config.h"
#include "store/database.h"

namespace beaconry {

// The server's configuration and its versions. What holds is the file with the edits over it that
// came by the API (sections `detection`, `weights`, `alerting` and `whitelist`). The latest edit of
// each key wins: where the file gives a key another value than it gave it before, the file's holds
// and the edit is gone; the four weights count as one. Each change is a version with time and who,
// on disk before it holds. Any thread may call.
class ConfigHistory {
 public:
  struct Version {
    std::uint64_t number = 0;
    Timestamp time{};
    std::string who;
    std::string how;  // "file", "api", "rollback"
    std::string words;
    std::vector<ConfigChange> changes;
  };
  // What else must hold for a configuration to be taken, such as sinks that can be made of it.
  using Check = std::function<Result<void>(const HuntConfig&)>;

  // Takes the file's content as it is now; if that differs from before, as a new version. Edits
  // that do not go with it any more are dropped and told in warnings().
  static Result<std::unique_ptr<ConfigHistory>> open(Database& database, ConfigDocument file,
                                                     Timestamp now, Check check = {});

  // What holds, with the origin of each value. Never changes; ask again for the next version.
  std::shared_ptr<const HuntConfig> current() const;
  std::uint64_t version() const;
  std::vector<std::string> warnings() const;  // since they were last asked for

  // A POST: all of it or, if anything is wrong, nothing; `all` gets every error. A key with null
  // goes back to its default; one that is as the file has it is no edit any more. "version", if
  // given, must be the one that holds. A body that changes nothing makes no version. Returns the
  // version that holds.
  Result<std::uint64_t> edit(std::string_view json, const std::string& who, Timestamp now,
                             std::vector<Error>* all = nullptr);
  // What would hold after such a POST, and nothing is changed.
  Result<std::shared_ptr<const HuntConfig>> preview(std::string_view json,
                                                    std::vector<Error>* all = nullptr) const;
  // Makes a version whose sections are those of an earlier one.
  Result<std::uint64_t> roll_back(std::uint64_t to, const std::string& who, Timestamp now);
  // The file as it is now (SIGHUP). An error changes nothing.
  Result<std::uint64_t> reload(ConfigDocument file, Timestamp now);

  // {"version", "detection": {...}, "weights": {cv, periodicity, jitter, size}, "alerting": {...},
  // "whitelist": {...}}: what holds, secrets hidden. Can be edited and posted.
  std::string to_json() const;
  // {"version", "values": [{"key", "value", "origin"}]}: every key of the file's schema.
  std::string origins_json() const;
  // Newest first, those before `before` (0: from the newest on).
  Result<std::vector<Version>> versions(std::size_t limit, std::uint64_t before = 0) const;

 private:
  struct State {
    std::uint64_t number = 0;
    ConfigDocument file;
    GivenValues given;  // by the file, as it was last looked at
    ConfigOverrides edits;
    std::shared_ptr<const HuntConfig> config;
  };

  ConfigHistory(Database& database, Check check);
  Result<void> load(State& state) const;
  // What an edit makes of what holds; the same number where it changes nothing. With changing_
  // held.
  Result<State> edited(std::string_view json, const std::string& who, Timestamp now,
                       std::vector<Error>* all, bool& any) const;
  // Puts edits over the file; fills `config`.
  Result<void> build(State& state) const;
  Result<std::uint64_t> take_file(State state, const GivenValues& given, Timestamp now);
  // Numbers it and keeps it on disk; then it holds.
  Result<std::uint64_t> keep(State state, Version version,
                             const std::vector<std::string>& warnings = {});
  std::uint64_t set(State state, const std::vector<std::string>& warnings);

  Database& database_;
  Check check_;
  mutable std::mutex changing_;  // one change at a time, with its wait for the disk; before mutex_
  mutable std::mutex mutex_;     // no reader waits for the disk
  State state_;                  // written with both
  mutable std::vector<std::string> warnings_;
};

}  // namespace beaconry
