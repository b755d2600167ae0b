#include "server/confirm_lost.h"

#include <string>

#include "sensor/confirm.h"
#include "server/words.h"

namespace beaconry {

Result<void> confirm_lost(const Json& trial, bool yes) {
  const Json& lost = list_at(trial, "lost");
  if (lost.empty()) return {};
  const std::string names = names_text(lost, 12);
  const auto meant =
      is_meant("With their data go: " + names + ". Do it?", "with their data go: " + names, yes);
  if (!meant) return tl::unexpected<Error>(meant.error());
  if (!*meant) return fail(ErrorKind::io, "", "", "nothing was changed");
  return {};
}

}  // namespace beaconry
