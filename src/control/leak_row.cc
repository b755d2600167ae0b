#include "control/leak_row.h"

#include <exception>
#include <nlohmann/json.hpp>

namespace beaconry {
namespace {

using Json = nlohmann::json;

std::int64_t number(Timestamp time) {
  return time.time_since_epoch().count();
}

Timestamp time_at(const Json& json, const char* name) {
  return Timestamp{Duration{json.at(name).get<std::int64_t>()}};
}

IpAddress address_at(const Json& json, const char* name) {
  const auto address = IpAddress::parse(json.at(name).get<std::string>());
  if (!address) throw std::runtime_error(std::string(name) + " is no address");
  return *address;
}

// Throws what the library throws.
Leak read(std::string_view text) {
  const Json json = Json::parse(text);
  Leak leak;
  leak.id = json.at("id").get<std::string>();
  const auto probe = ProbeId::parse(json.at("probe").get<std::string>());
  if (!probe) throw std::runtime_error("probe is no id");
  leak.probe = *probe;
  leak.method = static_cast<MethodId>(json.at("method").get<std::uint8_t>());
  leak.ipv6 = json.at("ipv6").get<bool>();
  leak.path = static_cast<PathKind>(json.at("path").get<std::uint8_t>());
  leak.outer_source = address_at(json, "outer_source");
  leak.via = address_at(json, "via");
  leak.inside = address_at(json, "inside");
  leak.two_way = json.at("two_way").get<bool>();
  leak.first = time_at(json, "first");
  leak.last = time_at(json, "last");
  leak.opened = time_at(json, "opened");
  if (json.contains("closed")) leak.closed = time_at(json, "closed");
  leak.count = json.at("count").get<std::uint64_t>();
  leak.duplicates = json.at("duplicates").get<std::uint64_t>();
  leak.replayed = json.at("replayed").get<std::uint64_t>();
  leak.late = json.at("late").get<std::uint64_t>();
  leak.times_opened = json.at("times_opened").get<std::uint32_t>();
  leak.seen_in = static_cast<CycleKind>(json.at("seen_in").get<std::uint8_t>());
  for (const Json& range : json.at("ports"))
    leak.ports.emplace_back(range.at(0).get<std::uint16_t>(), range.at(1).get<std::uint16_t>());
  for (const Json& variant : json.at("variants"))
    leak.variants.push_back(variant.get<std::uint8_t>());
  leak.ttl = json.at("ttl").get<std::uint8_t>();
  leak.widened_in = json.at("widened_in").get<std::array<std::uint32_t, 2>>();
  for (const Json& span : json.at("open_times")) {
    leak.open_times.emplace_back(Timestamp{Duration{span.at(0).get<std::int64_t>()}},
                                 Timestamp{Duration{span.at(1).get<std::int64_t>()}});
  }
  return leak;
}

}  // namespace

std::string leak_row(const Leak& leak) {
  Json json{{"id", leak.id},
            {"probe", leak.probe.to_string()},
            {"method", static_cast<int>(leak.method)},
            {"ipv6", leak.ipv6},
            {"path", static_cast<int>(leak.path)},
            {"outer_source", leak.outer_source.to_string()},
            {"via", leak.via.to_string()},
            {"inside", leak.inside.to_string()},
            {"two_way", leak.two_way},
            {"first", number(leak.first)},
            {"last", number(leak.last)},
            {"opened", number(leak.opened)},
            {"count", leak.count},
            {"duplicates", leak.duplicates},
            {"replayed", leak.replayed},
            {"late", leak.late},
            {"times_opened", leak.times_opened},
            {"seen_in", static_cast<int>(leak.seen_in)},
            {"ttl", leak.ttl},
            {"widened_in", leak.widened_in},
            {"ports", Json::array()},
            {"variants", Json::array()},
            {"open_times", Json::array()}};
  if (leak.closed) json["closed"] = number(*leak.closed);
  for (const auto& [from, to] : leak.ports)
    json["ports"].push_back(Json::array({from, to}));
  for (const std::uint8_t variant : leak.variants)
    json["variants"].push_back(variant);
  for (const auto& [from, to] : leak.open_times)
    json["open_times"].push_back(Json::array({number(from), number(to)}));
  return json.dump();
}

Result<Leak> leak_from_row(std::string_view text) {
  try {
    return read(text);
  } catch (const std::exception& error) {
    return fail(ErrorKind::malformed, "read", "a leak that was kept", error.what());
  }
}

}  // namespace beaconry
