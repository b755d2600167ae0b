#include <nlohmann/json.hpp>
#include <utility>

#include "escape/config.h"

namespace beaconry {
namespace {

template <class T>
nlohmann::ordered_json texts_of(const std::vector<T>& items) {
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const T& item : items)
    array.push_back(item.to_string());
  return array;
}

void put_texts(nlohmann::ordered_json& json, const char* key, nlohmann::ordered_json texts) {
  if (!texts.empty()) json[key] = std::move(texts);
}

}  // namespace

std::string ProbeConfig::to_line() const {
  using Json = nlohmann::ordered_json;
  const ProbeConfig usual;
  Json json;
  json["name"] = name;
  json["seed"] = to_hex(seed);
  json["home"]["addresses"] = texts_of(home.addresses);
  json["home"]["key"] = to_hex(home.key);
  if (!home.zone.empty()) json["home"]["zone"] = home.zone;
  if (profile != usual.profile) json["profile"] = std::string(to_string(profile));
  if (end) json["end"] = to_rfc3339(*end);
  if (short_period != usual.short_period) json["short_period"] = short_period.count();
  if (long_cycle != usual.long_cycle) json["long_cycle"] = long_cycle;
  if (dhcp != usual.dhcp) json["dhcp"] = dhcp;
  if (router_advertisements != usual.router_advertisements) {
    json["router_advertisements"] = router_advertisements;
  }
  Json own = Json::array();
  for (std::size_t i = 0; i < own_hosts.size(); ++i) {
    const std::string network = addresses[i].to_string();
    own.push_back(own_hosts[i].to_string() + network.substr(network.find('/')));
  }
  put_texts(json, "addresses", std::move(own));
  put_texts(json, "gateways", texts_of(gateways));
  put_texts(json, "resolvers", texts_of(resolvers));

  Json budget;
  if (packets_a_second != usual.packets_a_second) budget["packets_a_second"] = packets_a_second;
  if (bytes_a_second != usual.bytes_a_second) budget["bytes_a_second"] = bytes_a_second;
  if (broadcasts_a_minute != usual.broadcasts_a_minute) {
    budget["broadcasts_a_minute"] = broadcasts_a_minute;
  }
  Json forbidden;
  put_texts(forbidden, "addresses", texts_of(forbidden_addresses));
  put_texts(forbidden, "macs", texts_of(forbidden_macs));
  Json methods = Json::array();
  for (const MethodId method : forbidden_methods)
    methods.push_back(std::string(beaconry::to_string(method)));
  put_texts(forbidden, "methods", std::move(methods));
  put_texts(budget, "forbidden", std::move(forbidden));
  put_texts(json, "budget", std::move(budget));

  put_texts(json, "neighbours", texts_of(neighbours));
  put_texts(json, "ports", Json(ports));
  if (control) {
    json["control"] = {{"destination", control->destination.to_string()},
                       {"port", control->port},
                       {"transport", control->tcp ? "tcp" : "udp"},
                       {"every", control->every.count()}};
  }
  if (listen) json["listen"] = listen;
  Json others = Json::array();
  for (const Peer& peer : peers) {
    others.push_back({{"name", peer.name},
                      {"address", peer.address.to_string()},
                      {"key", to_hex(peer.key)},
                      {"may_reach", peer.may_reach}});
  }
  put_texts(json, "peers", std::move(others));
  if (!evidence.empty()) json["evidence"] = evidence;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace beaconry
