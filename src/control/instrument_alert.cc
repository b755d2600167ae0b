#include "control/instrument_alert.h"

#include "control/answer.h"
#include "http/certificates.h"

namespace beaconry {
namespace {

constexpr std::size_t kIdDigits = 32;

}  // namespace

Alert instrument_alert(const InstrumentEvents::Kept& kept, Severity severity, bool last,
                       Timestamp now) {
  const InstrumentEvent& event = kept.event;
  Alert alert;
  alert.kind = event.type;
  alert.id = sha256_hex("instrument_event\n" + kept.edge + '\n' + event.uuid).substr(0, kIdDigits);
  alert.severity = severity;
  alert.source = "instruments";
  alert.subject = kept.source();
  alert.title = alert.subject + ": " + (event.message.empty() ? event.type : event.message);
  alert.description = event.message;
  if (last) {
    alert.description += std::string(event.message.empty() ? "" : "\n") + "It told so " +
                         std::to_string(InstrumentEvents::kMostAlertsAnHour) +
                         " times within the hour: what follows is kept as events, without alerts.";
  }
  alert.time = now;
  alert.tags = {"instrument"};
  const auto dot = event.type.rfind('.');
  alert.tags.push_back(dot == std::string::npos ? event.type : event.type.substr(dot + 1));
  alert.details = instrument_event_json(kept);
  return alert;
}

std::string instrument_event_json(const InstrumentEvents::Kept& kept) {
  const InstrumentEvent& event = kept.event;
  return json_text([&](JsonWriter& json) {
    json.begin();
    if (kept.number != 0) json.whole("number", kept.number);
    json.text("source", kept.source());
    json.text_or_null("instance", event.instance);
    json.text("sensor", kept.sensor);
    json.plain("edge", kept.edge);
    json.plain("uuid", event.uuid);
    json.text_or_null("context_uuid", event.context_uuid);
    json.plain("time", to_rfc3339(event.time));
    json.plain("accepted", to_rfc3339(kept.accepted));
    json.text("type", event.type);
    json.text("message", event.message);
    json.name("data");
    json.raw(event.data_json);
    json.text_or_null("alert", kept.alert);
    json.end();
  });
}

}  // namespace beaconry
