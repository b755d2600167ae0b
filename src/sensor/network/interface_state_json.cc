// A state of the network on disk: records of the kernel as hexadecimal digits.
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "sensor/network/interface_state.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kDigits = "0123456789abcdef";

std::string to_digits(const std::string& bytes) {
  std::string text;
  for (const char one : bytes) {
    text += kDigits[static_cast<unsigned char>(one) >> 4];
    text += kDigits[static_cast<unsigned char>(one) & 15];
  }
  return text;
}
std::string from_digits(const Json& json) {
  const std::string text = json.get<std::string>();
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    const std::size_t high = kDigits.find(text[i]), low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return {};
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

Json records_json(const std::vector<KernelRecord>& records) {
  Json all = Json::array();
  for (const KernelRecord& one : records) {
    Json attributes = Json::object();
    for (const auto& [type, value] : one.attributes)
      attributes[std::to_string(type)] = to_digits(value);
    all.push_back(
        {{"device", one.device}, {"fixed", to_digits(one.fixed)}, {"attributes", attributes}});
  }
  return all;
}

std::vector<KernelRecord> records_of(const Json& json) {
  std::vector<KernelRecord> all;
  for (const Json& each : json) {
    KernelRecord one{each.at("device").get<std::string>(), from_digits(each.at("fixed")), {}};
    for (const auto& [type, value] : each.at("attributes").items())
      one.attributes[static_cast<std::uint16_t>(parse_unsigned(type).value_or(0))] =
          from_digits(value);
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

Json NetworkState::to_json() const {
  Json all = Json::array();
  for (const InterfaceState& one : interfaces) {
    all.push_back({{"name", one.name},
                   {"there", one.there},
                   {"up", one.up},
                   {"mtu", one.mtu},
                   {"addresses", records_json(one.addresses)}});
  }
  return {{"interfaces", std::move(all)}, {"routes", records_json(routes)}};
}

std::optional<NetworkState> NetworkState::from_json(const Json& json) {
  try {
    NetworkState state;
    for (const Json& each : json.at("interfaces")) {
      InterfaceState one;
      one.name = each.at("name").get<std::string>();
      one.there = each.at("there").get<bool>();
      one.up = each.at("up").get<bool>();
      one.mtu = each.at("mtu").get<std::uint32_t>();
      one.addresses = records_of(each.at("addresses"));
      state.interfaces.push_back(std::move(one));
    }
    state.routes = records_of(json.at("routes"));
    return state;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace beaconry
