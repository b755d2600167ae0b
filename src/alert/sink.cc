#include "alert/sink.h"

namespace beaconry {

Result<NamedSinks> make_sinks(const ConfigValues& config) {
  NamedSinks sinks;
  if (!config.boolean("alerting.enabled")) return sinks;
  for (const SinkKind* kind : sinks_table()) {
    auto sink = kind->make(config);
    if (!sink) return tl::unexpected<Error>(std::move(sink.error()));
    if (*sink) sinks.emplace_back(kind->name, std::move(*sink));
  }
  return sinks;
}

}  // namespace beaconry
