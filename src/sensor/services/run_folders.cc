#include "sensor/services/run_folders.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "spool/disk.h"

namespace beaconry {

Result<void> make_folder_with_mode(const std::string& path, unsigned mode) {
  const auto made = make_folder(path);
  if (!made) return made;
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) return fail_errno("chmod", path);
  return {};
}

Result<void> RunFolders::open() const {
  // The host's other users may pass through to the API's socket, and to nothing of the instruments.
  for (const auto& [path, mode] :
       {std::pair{run_, 0711U}, {run_ + "/instances", 0700U}, {run_ + "/closed", 0700U}}) {
    const auto made = make_folder_with_mode(path, mode);
    if (!made) return made;
  }
  return {};
}

Result<void> RunFolders::write_identity(const std::string& instance, const std::string& sensor,
                                        const Manifest& manifest,
                                        const std::string& password) const {
  const auto made = make_folder_with_mode(of(instance), 0755);
  if (!made) return made;
  nlohmann::json interfaces = nlohmann::json::array();
  for (const auto& one : manifest.interfaces)
    interfaces.push_back(one.name);
  const nlohmann::json identity{
      {"instance", instance},
      {"sensor", sensor},
      {"instrument", manifest.name},
      {"version", manifest.version},
      {"bus", {{"socket", "/run/bus/bus.sock"}, {"user", instance}, {"password", password}}},
      {"interfaces", interfaces}};
  const std::string path = of(instance) + "/identity.json";
  const std::string next = path + ".next";
  const auto written = replace_file(next, identity.dump(2) + "\n");
  if (!written) return written;
  // An instrument that just starts may read it at any moment: it never has another mode.
  if (::chmod(next.c_str(), 0644) != 0) return fail_errno("chmod", next);
  if (::rename(next.c_str(), path.c_str()) != 0) return fail_errno("replace", path);
  return {};
}

Result<void> RunFolders::make_uplink(const std::string& instance) const {
  return make_folder_with_mode(uplink(instance), 0755);
}

void RunFolders::remove(const std::string& instance) const {
  std::error_code ignored;
  std::filesystem::remove_all(of(instance), ignored);
  std::filesystem::remove_all(uplink(instance), ignored);
}

}  // namespace beaconry
