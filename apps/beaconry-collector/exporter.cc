#include "exporter.h"

#include <utility>

#include "base/log.h"

namespace beaconry {

Exporter::Exporter(Spool& spool, AllowList allow, std::size_t most_events,
                   std::function<std::vector<EdgeCounter>()> running)
    : spool_(spool),
      allow_(std::move(allow)),
      most_events_(most_events),
      running_(std::move(running)) {}

bool Exporter::is_allowed(const FlowEvent& event) const {
  if (allow_.empty()) return false;
  // A flow that was reported before it had a name goes on to be reported: the server must learn the
  // name, by which it applies its own allow-list, and must see the end of what it saw begin.
  const bool goes_on = event.kind == FlowEventKind::named ||
                       (event.kind == FlowEventKind::close && !event.begins_check_in);
  return allow_.match(event.pair, goes_on ? std::string_view() : event.server_name) != nullptr;
}

void Exporter::add(const FlowEvent& event) {
  if (is_allowed(event)) {
    ++counters_.allow_listed;
    return;
  }
  builder_.add(event);
  ++counters_.events;
  if (!cuts_within_calls_ || !is_full()) return;
  if (auto done = cut(now_); !done) {
    log_error("A batch is lost: " + done.error().message());
  }
}

void Exporter::add_host_name(const IpAddress& host, std::string_view name, Timestamp time) {
  builder_.add_host_name(host, name, time);
}

void Exporter::add_address_name(const IpAddress& address, std::string_view name, Timestamp time) {
  builder_.add_address_name(address, name, time);
}

Result<void> Exporter::cut(Timestamp now) {
  const std::size_t events = builder_.events();
  if (before_) before_(spool_.next());
  const std::string content = builder_.finish(now, running_());
  auto number = spool_.append(content, now);
  if (!number) {
    counters_.events -= events;
    counters_.events_lost += events;
    return tl::unexpected<Error>(std::move(number.error()));
  }
  ++counters_.batches;
  return spool_.sync(*number);
}

}  // namespace beaconry
