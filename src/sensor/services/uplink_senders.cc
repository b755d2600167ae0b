#include "sensor/services/uplink_senders.h"

#include <utility>

namespace beaconry {

Result<std::unique_ptr<UplinkSenders>> UplinkSenders::start(
    const std::optional<Sender::Options>& options, Spool& events, Spool& relayed,
    const std::string& folder, const std::function<Timestamp()>& clock) {
  std::unique_ptr<UplinkSenders> senders(new UplinkSenders(events, relayed));
  if (!options) return senders;
  senders->server_ = options->server.url;
  Sender::Options mine = *options;
  mine.content_kind = ContentKind::instrument_events;
  mine.refused_folder = folder + "/refused-events";
  auto sender = Sender::start(mine, events, clock);
  if (!sender) return tl::unexpected<Error>(sender.error());
  senders->events_ = std::move(*sender);
  mine.content_kind = ContentKind::relayed;
  mine.refused_folder = folder + "/refused-relayed";
  sender = Sender::start(mine, relayed, clock);
  if (!sender) return tl::unexpected<Error>(sender.error());
  senders->relayed_ = std::move(*sender);
  return senders;
}

void UplinkSenders::wake_events() const {
  if (events_) events_->wake();
}

void UplinkSenders::wake_relayed() const {
  if (relayed_) relayed_->wake();
}

SensorReport::Uplink UplinkSenders::report() const {
  SensorReport::Uplink report;
  report.server = server_;
  report.waiting =
      events_spool_.next() - events_spool_.first() + relayed_spool_.next() - relayed_spool_.first();
  report.dropped = events_spool_.dropped() + relayed_spool_.dropped();
  if (!events_) return report;
  const Sender::Status events = events_->status(), relayed = relayed_->status();
  // A way that has sent nothing yet says nothing.
  report.connected = events.connected || relayed.connected;
  for (const auto& status : {events, relayed}) {
    if (!status.connected && !status.last_error.empty()) {
      report.error = status.last_error;
      report.connected = false;
    }
  }
  return report;
}

}  // namespace beaconry
