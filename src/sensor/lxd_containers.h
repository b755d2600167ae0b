#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sensor/lxd_connection.h"
#include "sensor/lxd_usage.h"
#include "sensor/runtime.h"

namespace beaconry::lxd {

// Containers of ours, as Runtime says. Any thread.
class Containers {
 public:
  Containers(const Connection& lxd, const LxdOptions& options)
      : lxd_(lxd), pool_(options.pool), profile_(options.profile), usage_(lxd) {}

  Result<void> create(const ContainerSpec& spec);
  Result<void> set_nics(const std::string& name, const std::vector<ContainerSpec::Nic>& nics);
  Result<void> start(const std::string& name);
  Result<void> stop(const std::string& name, unsigned seconds);
  Result<void> rename(const std::string& from, const std::string& to);
  Result<void> remove(const std::string& name);
  Result<std::vector<ContainerState>> list();
  Result<std::optional<ContainerState>> find(const std::string& name);

  // LXD's description of one of ours; an error where there is none or another's.
  Result<Json> one(const std::string& name) const;

 private:
  Result<std::optional<Json>> look(const std::string& name) const;
  Result<void> wait_for_others(const std::string& name) const;
  Result<std::string> first_id_of(const ContainerSpec& spec) const;
  template <class Edit>
  Result<void> edit(const std::string& name, bool must_be_stopped, const Edit& how);
  std::string why_not_started(const std::string& name) const;

  const Connection& lxd_;
  const std::string pool_, profile_;
  Usage usage_;
};

}  // namespace beaconry::lxd
