#include "control/leak_json.h"

#include <algorithm>
#include <vector>

#include "ping/keys.h"

namespace beaconry {
namespace {

void write_address(JsonWriter& json, std::string_view name, const IpAddress& address) {
  json.name(name);
  address.is_unspecified() ? json.null() : json.plain(address.to_string());
}

void write_span(JsonWriter& json, Timestamp from, Timestamp to) {
  json.begin();
  json.plain("from", to_rfc3339(from));
  json.plain("to", to_rfc3339(to));
  json.number("seconds", to_seconds(to - from));
  json.end();
}

void write_places(JsonWriter& json, const Leak& leak) {
  write_address(json, "outer_source", leak.outer_source);
  write_address(json, "via", leak.via);
  write_address(json, "inside", leak.inside);
  json.begin_list("ports");
  for (const auto& [from, to] : leak.ports) {
    json.begin_list();
    json.whole(from);
    json.whole(to);
    json.end_list();
  }
  json.end_list();
  json.begin_list("variants");
  for (const std::uint8_t variant : leak.variants)
    json.whole(variant);
  json.end_list();
}

void write_times(JsonWriter& json, const Leak& leak) {
  json.plain("first", to_rfc3339(leak.first));
  json.plain("last", to_rfc3339(leak.last));
  json.plain("opened", to_rfc3339(leak.opened));
  json.name("closed");
  leak.closed ? json.plain(to_rfc3339(*leak.closed)) : json.null();
  json.number("open_seconds", to_seconds(open_for(leak)));
  json.whole("times_opened", leak.times_opened);
  json.begin_list("open_times");
  for (const auto& [from, to] : leak.open_times)
    write_span(json, from, to);
  write_span(json, leak.opened, leak.closed.value_or(leak.last));
  json.end_list();
}

void write_ping(JsonWriter& json, const Observation& seen, std::string_view probe) {
  const Ping& ping = seen.ping;
  json.plain("probe", ping.probe.to_string());
  json.text("probe_name", probe);
  json.plain("method", to_string(ping.method));
  json.whole("variant", ping.variant);
  json.plain("leg", ping.leg == Leg::outbound ? "outbound"
                    : ping.leg == Leg::reply  ? "reply"
                                              : "confirmed");
  json.plain("cycle_kind", ping.cycle_kind == CycleKind::short_cycle ? "short" : "long");
  json.whole("cycle", ping.cycle);
  json.whole("sequence", ping.sequence);
  json.plain("sent", to_rfc3339(ping.sent));
  json.number("delay_seconds", to_seconds(seen.received - ping.sent));
  write_address(json, "inside", ping.source);
  write_address(json, "intended", ping.destination);
  json.whole("intended_port", ping.port);
  write_address(json, "via", ping.via);
}

}  // namespace

std::string_view state_word(const Leak& leak) {
  return leak.closed ? "closed" : "open";
}

Duration open_for(const Leak& leak) {
  return std::max(Duration{0}, leak.closed.value_or(leak.last) - leak.opened);
}

std::string_view to_string(Carrier carrier) {
  switch (carrier) {
    case Carrier::payload:
      return "payload";
    case Carrier::quoted:
      return "quoted";
    case Carrier::echo_reply:
      return "echo-reply";
    case Carrier::syn_answer:
      return "syn-answer";
    case Carrier::dns_question:
      return "dns-question";
    case Carrier::server_name:
      return "server-name";
    case Carrier::http:
      return "http";
    case Carrier::text:
      return "text";
    case Carrier::injected:
      return "injected";
  }
  return "unknown";
}

std::string_view to_string(Authenticity authenticity) {
  switch (authenticity) {
    case Authenticity::authentic:
      return "authentic";
    case Authenticity::token:
      return "token";
    case Authenticity::unknown_key:
      return "unknown-key";
  }
  return "unknown";
}

void write_leak(JsonWriter& json, const Leak& leak, std::string_view probe,
                std::string_view decision) {
  const LeakWords words = describe(leak, probe);
  json.text("id", leak.id);
  json.plain("state", state_word(leak));
  json.text_or_null("triage", decision);
  json.plain("probe", leak.probe.to_string());
  json.text("probe_name", probe);
  json.plain("method", to_string(leak.method));
  json.plain("family", leak.ipv6 ? "ipv6" : "ipv4");
  json.plain("path", to_string(leak.path));
  json.begin_list("route");
  for (const std::string& hop : words.path)
    json.text(hop);
  json.end_list();
  json.flag("two_way", leak.two_way);
  json.text("title", words.title);
  json.text("explanation", words.explanation);
  json.text("fix", words.fix);
  write_places(json, leak);
  write_times(json, leak);
  json.whole("count", leak.count);
  json.whole("duplicates", leak.duplicates);
  json.whole("replayed", leak.replayed);
  json.whole("late", leak.late);
  json.plain("seen_in", leak.seen_in == CycleKind::short_cycle ? "short" : "long");
}

void write_observation(JsonWriter& json, const Observations::Kept& kept, std::string_view probe) {
  const Observation& seen = kept.judged.seen;
  json.begin();
  json.whole("number", kept.number);
  json.plain("received", to_rfc3339(seen.received));
  json.plain("class", to_string(kept.judged.what));
  json.plain("authenticity", to_string(seen.authenticity));
  json.plain("carrier", to_string(seen.carrier));
  json.text("receiver", seen.receiver);
  json.flag("retired", seen.retired);
  json.text_or_null("home", kept.edge);
  json.text_or_null("leak", kept.judged.leak);
  write_address(json, "source", seen.source);
  json.whole("source_port", seen.source_port);
  write_address(json, "destination", seen.destination);
  json.whole("destination_port", seen.destination_port);
  json.whole("protocol", seen.protocol);
  json.name("ttl");
  seen.ttl == 0 ? json.null() : json.whole(seen.ttl);
  if (seen.authenticity != Authenticity::unknown_key) write_ping(json, seen, probe);
  json.plain("raw", to_hex(as_bytes(seen.raw)));
  json.end();
}

}  // namespace beaconry
