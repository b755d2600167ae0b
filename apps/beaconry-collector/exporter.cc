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
  if (cuts_within_calls_ && is_full()) cut_and_log(now_);
}

void Exporter::add_host_name(const IpAddress& host, std::string_view name, Timestamp time) {
  builder_.add_host_name(host, name, time);
}

void Exporter::add_address_name(const IpAddress& address, std::string_view name, Timestamp time) {
  builder_.add_address_name(address, name, time);
}

Result<void> Exporter::cut(Timestamp now) {
  if (kept_) {
    if (auto done = append_kept(now); !done) {
      if (kept_ && is_full()) {
        counters_.events -= builder_.events();
        counters_.events_lost += builder_.events();
        builder_.finish(now, {});
      }
      return done;
    }
  }
  const std::size_t events = builder_.events();
  kept_ = Batch{builder_.finish(now, running_()), events};
  return append_kept(now);
}

Result<void> Exporter::append_kept(Timestamp now) {
  if (before_) before_(spool_.next());
  auto number = spool_.append(kept_->content, now);
  if (!number) return tl::unexpected<Error>(std::move(number.error()));
  kept_.reset();
  ++counters_.batches;
  return spool_.sync(*number);
}

void Exporter::cut_and_log(Timestamp now) {
  const std::uint64_t lost = counters_.events_lost;
  const auto done = cut(now);
  if (done) return;
  if (counters_.events_lost != lost) {
    log_error(std::to_string(counters_.events_lost - lost) +
              " events are lost: " + done.error().message());
  } else {
    log_error((is_waiting() ? "A batch waits in memory and is tried again: "
                            : "A batch is not surely on disk yet: ") +
              done.error().message());
  }
}

}  // namespace beaconry
