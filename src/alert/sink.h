#pragma once
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "alert/alert.h"
#include "base/result.h"
#include "config/values.h"

namespace beaconry {

// Where alerts go. One thread a sink; deliver() may block, at most for the sink's own timeout.
class Sink {
 public:
  virtual ~Sink() = default;
  // Once it returns without error the alert is delivered: on disk, sent, or answered by 2xx. An
  // error means: try again later. Errors of ErrorKind::malformed will never succeed.
  virtual Result<void> deliver(const Alert& alert) = 0;
  // From another thread, once: the sink is done with. A deliver() that waits for somebody else ends
  // soon, with an error.
  virtual void stop() {}
};

// sinks/WORD.cc defines beaconry::sinks::WORD. `make` gives nothing where the configuration does
// not enable it, and an error with the key's place where it cannot be what was asked for.
struct SinkKind {
  const char* name;  // "file", "syslog", "webhook"
  Result<std::unique_ptr<Sink>> (*make)(const ConfigValues& config);
};

std::span<const SinkKind* const> sinks_table();

using NamedSinks = std::vector<std::pair<std::string, std::unique_ptr<Sink>>>;
// All sinks that the section `alerting` enables; none where `alerting.enabled` is false.
Result<NamedSinks> make_sinks(const ConfigValues& config);

}  // namespace beaconry
