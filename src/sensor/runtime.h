#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace beaconry {

// What a container is made of. Paths are the host's unless said otherwise.
struct ContainerSpec {
  std::string name;                                         // beacon-0: letters, digits, hyphens
  std::string fingerprint;                                  // image
  std::vector<std::pair<std::string, std::string>> labels;  // kept with it: user.beaconry.KEY
  std::vector<std::string> capabilities;                    // all that is kept: "net_raw"
  std::uint64_t memory = 64 << 20;
  unsigned cpu_percent = 50;
  unsigned processes = 64;
  std::uint64_t temporary = 16 << 20;  // tmpfs on /tmp
  struct Volume {
    std::string name, path;
  };
  std::vector<Volume> volumes;  // storage volumes of our pool
  struct Folder {
    std::string source, path;
    bool writable = false;
  };
  std::vector<Folder> folders;  // of the host, shared in
  struct Nic {
    std::string parent, name;  // a host interface that moves in, and what it is called there
  };
  std::vector<Nic> nics;
};

struct ContainerState {
  std::string name, fingerprint;
  enum class Run : std::uint8_t { stopped, running, other } run = Run::stopped;
  int process = 0;  // PID 1's, on the host
  std::vector<std::pair<std::string, std::string>> labels;
  std::uint64_t memory = 0, processes = 0;
  std::uint64_t cpu_ns = 0;
};

struct PoolSpace {
  std::uint64_t total = 0, used = 0;
};

// Runs containers. All calls block (for seconds at most: each has a deadline); any thread, several
// at a time. Everything is idempotent: what is so already is no error. Only what has our label is
// ever touched. Errors say what the daemon said; of kind `limit`: it is away, busy or slow by now.
class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual Result<std::string> version() = 0;  // "LXD 5.0.2"; an error: it is away

  virtual Result<void> import_image(const std::string& file, const std::string& fingerprint) = 0;
  virtual Result<void> remove_image(const std::string& fingerprint) = 0;
  virtual Result<std::vector<std::string>> images() = 0;  // fingerprints, ours

  virtual Result<void> create(const ContainerSpec& spec) = 0;  // stopped
  virtual Result<void> set_nics(
      const std::string& name,
      const std::vector<ContainerSpec::Nic>& nics) = 0;  // of a stopped one
  virtual Result<void> start(const std::string& name) = 0;
  // SIGTERM, after `seconds` SIGKILL.
  virtual Result<void> stop(const std::string& name, unsigned seconds) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;  // stopped
  virtual Result<void> remove(const std::string& name) = 0;  // stops it first
  virtual Result<std::vector<ContainerState>> list() = 0;    // ours
  virtual Result<std::optional<ContainerState>> find(const std::string& name) = 0;
  // The end of what PID 1 and its children wrote, also of one that has stopped.
  virtual Result<std::string> log(const std::string& name, std::size_t most_bytes) = 0;
  struct Executed {
    int status = 0;
    std::string output, errors;  // bounded
  };
  virtual Result<Executed> execute(const std::string& name, const std::vector<std::string>& command,
                                   unsigned seconds) = 0;
  // A file of a running container, at most so long, to a file of the host.
  virtual Result<void> pull(const std::string& name, const std::string& path, const std::string& to,
                            std::uint64_t most_bytes) = 0;

  virtual Result<void> make_volume(const std::string& name, std::uint64_t bytes) = 0;  // or resizes
  virtual Result<void> remove_volume(const std::string& name) = 0;
  virtual Result<std::vector<std::string>> volumes() = 0;  // ours
  virtual Result<std::uint64_t> volume_used(const std::string& name) = 0;
  virtual Result<PoolSpace> space() = 0;
};

struct LxdOptions {
  std::string socket;  // empty: the first that answers of LXD's, the snap's, Incus's
  std::string pool = "beaconry";
  std::string profile = "beaconry";
};
// The REST API of LXD 5 and Incus.
Result<std::unique_ptr<Runtime>> open_lxd(const LxdOptions& options);

// `beaconry sensor setup`: makes pool (btrfs, since only there quotas hold) and profile where they
// are missing, starts an LXD that is installed but not running (also without systemd), and tells in
// words what was done, what was there and what is missing with its remedy.
struct SetupOptions {
  LxdOptions lxd;
  std::uint64_t pool_bytes = 8ULL << 30;
  bool change = true;  // else it only looks
};
struct SetupStep {
  std::string what;  // "storage pool beaconry"
  enum class State : std::uint8_t { there, made, missing } state = State::there;
  std::string words;  // details, or the remedy
};
Result<std::vector<SetupStep>> set_up(const SetupOptions& options);

}  // namespace beaconry
