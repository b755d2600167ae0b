#include <nlohmann/json.hpp>

#include "bus/message_parts.h"

namespace beaconry {
namespace {

using nlohmann::json;
using Need = JsonFields::Need;
using namespace to_instrument;

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
const std::vector<std::string_view> kUpdateStates{"PENDING", "DOWNLOADING", "INSTALLING",
                                                  "INSTALLED", "FAILED"};

json write(const Configure& message) {
  const InstrumentConfig& document = message.document;
  json out{{"kind", "configure"},
           {"target", document.target},
           {"version", document.version},
           {"uuid", document.uuid},
           {"timestamp", to_rfc3339(document.timestamp)},
           {"config", json_or_text(document.config_json)}};
  if (!document.source_instrument.empty()) out["source_instrument"] = document.source_instrument;
  return out;
}

json write(const AskHealth& message) {
  return {{"kind", "ask_health"}, {"uuid", message.uuid}};
}

json write(const Retain& message) {
  return {{"kind", "retain"}, {"uuid", message.uuid}, {"before", to_rfc3339(message.before)}};
}

json write(const Acknowledge& message) {
  return {{"kind", "acknowledge"}, {"events", message.events}};
}

json write(const Refuse& message) {
  return {{"kind", "refuse"}, {"events", message.events}, {"reason", message.reason}};
}

json write(const Found& message) {
  json list = json::array();
  for (const FoundInstrument& one : message.instruments) {
    list.push_back({{"instance", one.instance},
                    {"instrument", one.instrument},
                    {"version", one.version},
                    {"state", one.state},
                    {"event_types", one.event_types}});
  }
  return {{"kind", "found"}, {"context_uuid", message.context_uuid}, {"instruments", list}};
}

json write(const ResourceState& message) {
  return {{"kind", "resource"},
          {"name", message.name},
          {"state", message.state},
          {"reason", message.reason},
          {"sha256", message.sha256}};
}

json write(const Fetch& message) {
  const FetchOrder& order = message.order;
  return {{"kind", "fetch"},
          {"uuid", order.uuid},
          {"url", order.url},
          {"etag", order.etag},
          {"most_bytes", order.most_bytes},
          {"sha256", order.sha256}};
}

json write(const Stop&) {
  return {{"kind", "stop"}};
}

ToInstrument configure_of(JsonFields& fields) {
  Configure message;
  message.document.target = fields.text("target", bounds::kText);
  message.document.version = fields.number("version", UINT64_MAX);
  message.document.uuid = fields.uuid("uuid");
  message.document.timestamp = fields.time("timestamp");
  message.document.source_instrument =
      fields.text("source_instrument", bounds::kText, Need::optional);
  message.document.config_json = fields.json_value("config", bounds::kConfig);
  return message;
}

std::vector<std::string> uuids_of(JsonFields& fields) {
  std::vector<std::string> uuids;
  for (const json& one : fields.list("events", bounds::kUuids)) {
    const auto* text = one.get_ptr<const std::string*>();
    if (text == nullptr || !is_uuid(*text)) {
      fields.complain("events", "a UUID in lower case is another");
      break;
    }
    uuids.push_back(*text);
  }
  return uuids;
}

ToInstrument found_of(JsonFields& fields) {
  Found message;
  message.context_uuid = fields.uuid("context_uuid");
  for (const json& one : fields.list("instruments", bounds::kFound)) {
    JsonFields part(one, "instruments");
    FoundInstrument found;
    found.instance = part.instance("instance");
    found.instrument = part.word("instrument");
    found.version = part.text("version", bounds::kWord, Need::optional);
    found.state = part.word("state");
    for (const json& type : part.list("event_types", bounds::kEventTypes, Need::optional)) {
      const auto* text = type.get_ptr<const std::string*>();
      if (text == nullptr || text->size() > bounds::kWord) {
        part.complain("event_types", "one is no text");
        break;
      }
      found.event_types.push_back(*text);
    }
    fields.take_complaint(part);
    if (!fields.is_good()) break;
    message.instruments.push_back(std::move(found));
  }
  return message;
}

ToInstrument resource_of(JsonFields& fields) {
  ResourceState message;
  message.name = fields.word("name");
  message.state = kUpdateStates[fields.one_of("state", kUpdateStates)];
  message.reason = fields.text("reason", bounds::kText, Need::optional);
  message.sha256 = fields.sha256("sha256");
  return message;
}

ToInstrument fetch_of(JsonFields& fields) {
  Fetch message;
  message.order.uuid = fields.uuid("uuid");
  message.order.url = fields.url("url");
  message.order.etag = fields.text("etag", bounds::kUrl, Need::optional);
  message.order.most_bytes = fields.number("most_bytes", kMostBytes);
  message.order.sha256 = fields.sha256("sha256");
  return message;
}

ToInstrument message_of(JsonFields& fields) {
  const std::string kind = fields.word("kind");
  if (kind == "configure") return configure_of(fields);
  if (kind == "ask_health") return AskHealth{fields.uuid("uuid")};
  if (kind == "retain") {
    std::string uuid = fields.uuid("uuid");
    return Retain{std::move(uuid), fields.time("before")};
  }
  if (kind == "acknowledge") return Acknowledge{uuids_of(fields)};
  if (kind == "refuse") {
    auto uuids = uuids_of(fields);
    return Refuse{std::move(uuids), fields.text("reason", bounds::kText, Need::optional)};
  }
  if (kind == "found") return found_of(fields);
  if (kind == "resource") return resource_of(fields);
  if (kind == "fetch") return fetch_of(fields);
  if (kind != "stop") fields.complain("kind", "no instrument knows it");
  return Stop{};
}

}  // namespace

std::string encode(const ToInstrument& message) {
  return json_text(std::visit([](const auto& one) { return write(one); }, message));
}

Result<ToInstrument> decode_to_instrument(std::string_view text) {
  auto value = parse_json(text, bounds::kMessage);
  if (!value) return tl::unexpected<Error>(std::move(value.error()));
  JsonFields fields(*value, "message");
  ToInstrument message = message_of(fields);
  if (!fields.is_good()) return tl::unexpected<Error>(fields.error());
  return message;
}

}  // namespace beaconry
