// Whatever is posted: it is taken as a whole, so that what is shown can be posted again and changes
// nothing, or it is refused with words and nothing changes.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "control/config_history.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace beaconry;
  static const auto file = ConfigDocument::parse(
      "detection: {alert_threshold: 0.8}\nalerting: {webhook_url: 'https://x.example'}\n",
      "a.yaml");
  const Timestamp now{std::chrono::seconds{1'800'000'000}};
  const auto database = Database::open("");
  if (!file || !database) std::abort();
  const auto history = ConfigHistory::open(**database, *file, now);
  if (!history) std::abort();
  const std::string before = (*history)->to_json();
  std::vector<Error> all;
  const auto done = (*history)->edit(std::string_view(reinterpret_cast<const char*>(data), size),
                                     "fuzz", now, &all);
  if (!done) {
    if (all.empty() || done.error().message().empty()) std::abort();
    if ((*history)->to_json() != before || (*history)->version() != 1) std::abort();
    return 0;
  }
  const auto again = (*history)->edit((*history)->to_json(), "fuzz", now, &all);
  if (!again || *again != *done) std::abort();
  const auto reopened = ConfigHistory::open(**database, *file, now);
  if (!reopened || (*reopened)->to_json() != (*history)->to_json()) std::abort();
  return 0;
}
