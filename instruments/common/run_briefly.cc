#include "common/run_briefly.h"

#include <poll.h>

#include <chrono>

#include "base/text.h"
#include "sdk/child.h"

namespace beaconry {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr int kBetweenLooks = 5;  // ms
constexpr std::size_t kMostOutput = 64 << 10;

}  // namespace

Result<std::string> run_briefly(const std::vector<std::string>& command) {
  std::string said, first;
  sdk::Child::Options options;
  options.command = command;
  options.restart = false;
  sdk::Child child(options, [&](std::string_view line) {
    if (first.empty()) first = terminal_safe(line);
    if (said.size() + line.size() < kMostOutput) said.append(line).push_back('\n');
  });
  if (auto started = child.start(); !started) return tl::unexpected<Error>(started.error());
  const auto until = sdk::Child::Clock::now() + kPatience;
  while (child.is_running() && sdk::Child::Clock::now() < until) {
    ::poll(nullptr, 0, kBetweenLooks);
    child.work();
  }
  if (child.is_running()) return fail(ErrorKind::io, "run", command.front(), "it does not end");
  if (child.last_end() != "status 0") {
    return fail(ErrorKind::usage, "run", command.front(),
                first.empty() ? "it ended with " + child.last_end() : first);
  }
  return said;
}

}  // namespace beaconry
