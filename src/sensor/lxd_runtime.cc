#include <nlohmann/json.hpp>

#include "sensor/lxd_connection.h"
#include "sensor/lxd_containers.h"
#include "sensor/lxd_exec.h"
#include "sensor/lxd_files.h"
#include "sensor/lxd_images.h"
#include "sensor/lxd_server.h"
#include "sensor/lxd_volumes.h"
#include "sensor/runtime.h"

namespace beaconry {
namespace {

class Lxd final : public Runtime {
 public:
  explicit Lxd(const LxdOptions& options)
      : lxd_(options.socket),
        images_(lxd_),
        containers_(lxd_, options),
        volumes_(lxd_, options.pool) {}

  Result<std::string> version() override { return lxd::version(lxd_); }

  Result<void> import_image(const std::string& file, const std::string& fingerprint) override {
    return images_.import(file, fingerprint);
  }
  Result<void> remove_image(const std::string& fingerprint) override {
    return images_.remove(fingerprint);
  }
  Result<std::vector<std::string>> images() override { return images_.list(); }

  Result<void> create(const ContainerSpec& spec) override { return containers_.create(spec); }
  Result<void> set_nics(const std::string& name,
                        const std::vector<ContainerSpec::Nic>& nics) override {
    return containers_.set_nics(name, nics);
  }
  Result<void> start(const std::string& name) override { return containers_.start(name); }
  Result<void> stop(const std::string& name, unsigned seconds) override {
    return containers_.stop(name, seconds);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return containers_.rename(from, to);
  }
  Result<void> remove(const std::string& name) override { return containers_.remove(name); }
  Result<std::vector<ContainerState>> list() override { return containers_.list(); }
  Result<std::optional<ContainerState>> find(const std::string& name) override {
    return containers_.find(name);
  }

  Result<std::string> log(const std::string& name, std::size_t most_bytes) override {
    return lxd::console_log(lxd_, containers_, name, most_bytes);
  }
  Result<Executed> execute(const std::string& name, const std::vector<std::string>& command,
                           unsigned seconds) override {
    return lxd::execute(lxd_, containers_, name, command, seconds);
  }
  Result<void> pull(const std::string& name, const std::string& path, const std::string& to,
                    std::uint64_t most_bytes) override {
    return lxd::pull(lxd_, containers_, name, path, to, most_bytes);
  }

  Result<void> make_volume(const std::string& name, std::uint64_t bytes) override {
    return volumes_.make(name, bytes);
  }
  Result<void> remove_volume(const std::string& name) override { return volumes_.remove(name); }
  Result<std::vector<std::string>> volumes() override { return volumes_.list(); }
  Result<std::uint64_t> volume_used(const std::string& name) override {
    return volumes_.used(name);
  }
  Result<PoolSpace> space() override { return volumes_.space(); }

 private:
  const lxd::Connection lxd_;
  const lxd::Images images_;
  lxd::Containers containers_;
  const lxd::Volumes volumes_;
};

}  // namespace

Result<std::unique_ptr<Runtime>> open_lxd(const LxdOptions& options) {
  return Result<std::unique_ptr<Runtime>>(std::make_unique<Lxd>(options));
}

}  // namespace beaconry
