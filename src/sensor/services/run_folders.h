#pragma once
#include <string>
#include <string_view>

#include "base/result.h"
#include "image/manifest.h"

namespace beaconry {

// The folders that containers get to see, under RUN (a tmpfs: made anew after a reboot):
//   closed/bus/               bus.sock, the broker's
//   instances/NAME/           identity.json
//   instances/NAME.up/        uplink.sock
// A container's root is an unprivileged user of the host, so what it reads is readable for all; the
// folder above it is root's alone.
class RunFolders {
 public:
  explicit RunFolders(std::string run) : run_(std::move(run)) {}
  Result<void> open() const;

  std::string bus() const { return run_ + "/closed/bus"; }
  std::string of(const std::string& instance) const { return run_ + "/instances/" + instance; }
  std::string uplink(const std::string& instance) const { return of(instance) + ".up"; }

  Result<void> write_identity(const std::string& instance, const std::string& sensor,
                              const Manifest& manifest, const std::string& password) const;
  Result<void> make_uplink(const std::string& instance) const;
  void remove(const std::string& instance) const;

 private:
  std::string run_;
};

// A folder with exactly this mode, whatever the umask; those above it 0700.
Result<void> make_folder_with_mode(const std::string& path, unsigned mode);

}  // namespace beaconry
