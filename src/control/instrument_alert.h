#pragma once
#include <string>

#include "alert/alert.h"
#include "control/instrument_events.h"

namespace beaconry {

// An event as an alert: the same id whenever it is made. `last`: those that follow within the hour
// are kept as events only, and the words say so.
Alert instrument_alert(const InstrumentEvents::Kept& kept, Severity severity, bool last,
                       Timestamp now);

// {number, source, instance, sensor, edge, uuid, context_uuid, time, accepted, type, message, data,
// alert}
std::string instrument_event_json(const InstrumentEvents::Kept& kept);

}  // namespace beaconry
