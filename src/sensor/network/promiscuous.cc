#include "sensor/network/promiscuous.h"

#include <filesystem>
#include <fstream>

namespace beaconry {

bool Promiscuous::is_ours(const std::string& captured) const {
  std::error_code error;
  for (const auto& one : std::filesystem::directory_iterator(folder_, error)) {
    if (one.path().filename().string().rfind(prefix(captured), 0) == 0) return true;
  }
  return false;
}

Result<void> Promiscuous::turn_on(Links& host, const Link& captured, const std::string& id) const {
  if (!captured.promiscuous || is_ours(captured.name)) {
    // First the note: a setting that nobody knows of would never be turned off.
    std::ofstream file(folder_ + "/" + prefix(captured.name) + id);
    if (!file) return fail_errno("write", folder_);
  }
  return host.set_promiscuous(captured.index, true);
}

void Promiscuous::turn_off(Links& host, const std::string& captured, const std::string& id) const {
  std::error_code error;
  if (!std::filesystem::remove(folder_ + "/" + prefix(captured) + id, error)) return;
  if (is_ours(captured)) return;
  const auto link = host.find(captured);
  if (link && *link) (void)host.set_promiscuous((*link)->index, false);
}

}  // namespace beaconry
