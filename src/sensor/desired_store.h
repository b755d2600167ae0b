#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/document_history.h"
#include "sensor/desired_state.h"
#include "sensor/fleet/fleet_wish.h"

namespace beaconry {

// What became of a file of the desired folder.
struct ReadFile {
  std::string path;
  Result<DesiredFile> content;
};

// What merging the files into a desired state needs to know of images.
struct MergeParts {
  // An image as a file names it -> fingerprint; nothing: not yet, ask again.
  std::function<Result<std::optional<std::string>>(const std::string& words)> resolve;
  std::function<Result<void>(const InstanceWish& wish)> check;
};

// The state with what the files say put over it. What a file defined and defines no more goes; what
// a file that cannot be taken, or is empty by now, defined, stays as it was, as does an instance
// that two files define or whose image or configuration is not right: those are named in
// `problems`. What the server defines gives way to a file.
DesiredState merge_files(const DesiredState& before, const std::vector<ReadFile>& files,
                         const MergeParts& parts, std::vector<std::string>& problems);

// The desired state, versioned on disk, and the folder of files that goes over it. One thread.
class DesiredStore {
 public:
  // An unreadable document is an error: nothing is run by guess.
  static Result<DesiredStore> open(const std::string& state_folder,
                                   const std::string& desired_folder);

  const DesiredState& state() const { return state_; }
  const DocumentHistory& history() const { return history_; }
  std::uint64_t version() const { return history_.current() ? history_.current()->number : 0; }
  // What is the server's in it does not count: that is as the server's wish has it, once known. An
  // error: it could not be kept, or the next start could not read it; all stays as it was.
  Result<std::uint64_t> set(const DesiredState& state, const std::string& who,
                            const std::string& how, Timestamp now);
  // Holds until the next one, below what files and commands say. `check`: whether a wish fits its
  // image, if that is here.
  Result<std::uint64_t> set_fleet(FleetWish fleet, CheckWish check, Timestamp now);
  const std::map<std::string, FleetFault>& fleet_faults() const { return fleet_faults_; }
  std::string server() const { return fleet_ ? fleet_->server : std::string(); }

  // Whether the files are to be read: others than those that were read last (by names, times or
  // sizes), and two looks two seconds apart saw the same, so that none is taken half written; or
  // the same again, since some have problems, which may have gone, or look_again() was called.
  bool files_changed(Timestamp now);
  void look_again() { again_ = true; }
  // Reads the files and puts them over the state. Returns whether the state is another one.
  bool read_files(const MergeParts& parts, Timestamp now);
  std::vector<std::string> problems() const;

 private:
  explicit DesiredStore(DocumentHistory history) : history_(std::move(history)) {}
  std::vector<std::string> list_files(bool& readable) const;
  void say_problems();
  struct Merged {
    DesiredState state;
    std::map<std::string, FleetFault> faults;
    std::vector<std::string> problems;
  };
  Merged with_fleet(const DesiredState& state) const;
  Result<std::uint64_t> keep(Merged merged, const std::string& who, const std::string& how,
                             Timestamp now);

  DocumentHistory history_;
  std::string desired_folder_;
  DesiredState state_;
  std::optional<std::string> seen_, waiting_;  // what was read; what is to stay so for a while
  Timestamp waiting_since_{};
  bool again_ = false;
  std::vector<std::string> problems_, said_;
  std::optional<FleetWish> fleet_;  // once known
  CheckWish check_;
  std::map<std::string, FleetFault> fleet_faults_;
  std::vector<std::string> fleet_problems_;
};

}  // namespace beaconry
