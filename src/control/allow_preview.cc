#include "control/allow_preview.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "flow/pair_key.h"

namespace beaconry {
namespace {

// A pair as the lists see it: one key an address that it went to.
struct Pair {
  std::vector<PairKey> keys;
  std::string server_name;
};

std::optional<Pair> pair_of(const std::string& source, std::vector<std::string> destinations,
                            std::uint64_t port, const std::string& protocol,
                            std::string server_name) {
  const auto from = IpAddress::parse(source);
  const auto by = parse_protocol(protocol);
  if (!from || !by || port > 65'535) return std::nullopt;
  Pair pair;
  pair.server_name = std::move(server_name);
  for (const std::string& destination : destinations) {
    const auto to = IpAddress::parse(destination);
    if (to) pair.keys.push_back({*from, *to, static_cast<std::uint16_t>(port), *by});
  }
  if (pair.keys.empty()) return std::nullopt;
  return pair;
}

// A beacon whose addresses are not all covered goes on by the others.
bool covers(const AllowList& list, const Pair& pair) {
  return std::all_of(pair.keys.begin(), pair.keys.end(), [&](const PairKey& key) {
    return list.match(key, pair.server_name) != nullptr;
  });
}

std::optional<Pair> pair_of(const BeaconRow& row) {
  std::vector<std::string> destinations;
  for (const std::string_view one : split(row.dst_ips, ' ')) {
    if (!one.empty()) destinations.emplace_back(one);
  }
  if (destinations.empty()) destinations.push_back(row.dst_ip);
  return pair_of(row.src_ip, std::move(destinations), row.dst_port, row.protocol, row.server_name);
}

std::optional<Pair> pair_of(const Alert& alert) {
  if (alert.kind.rfind("beacon.", 0) != 0) return std::nullopt;
  const auto details = nlohmann::json::parse(alert.details, nullptr, false);
  if (!details.is_object()) return std::nullopt;
  const auto text = [&](const char* key) {
    const auto at = details.find(key);
    return at != details.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  std::vector<std::string> destinations;
  if (const auto all = details.find("dst_ips"); all != details.end() && all->is_array()) {
    for (const auto& one : *all) {
      if (one.is_string()) destinations.push_back(one.get<std::string>());
    }
  }
  if (destinations.empty()) destinations.push_back(text("dst_ip"));
  const auto port = details.find("dst_port");
  const bool has_port = port != details.end() && port->is_number_unsigned();
  return pair_of(text("src_ip"), std::move(destinations), has_port ? port->get<std::uint64_t>() : 0,
                 text("protocol"), text("server_name"));
}

}  // namespace

Result<AllowPreview> AllowPreview::make(const AllowList& holds, const AllowList& wanted,
                                        const Beacons& beacons, const Alerts& alerts,
                                        Timestamp since) {
  AllowPreview preview;
  const auto is_hidden = [&](const std::optional<Pair>& pair) {
    return pair && covers(wanted, *pair) && !covers(holds, *pair);
  };
  BeaconList::Query all;
  all.limit = SIZE_MAX;
  for (BeaconRow& row : beacons.list(all).rows) {
    if (!is_hidden(pair_of(row))) continue;
    if (++preview.beacons <= kMostShown) preview.first_beacons.push_back(std::move(row));
  }
  Alerts::Query query;
  query.limit = 1000;
  while (preview.alerts_looked_at < kMostAlerts) {
    auto page = alerts.page(query);
    if (!page) return tl::unexpected<Error>(std::move(page.error()));
    bool is_over = page->next == 0;
    for (Alerts::Kept& kept : page->alerts) {
      if (kept.alert.time < since) {
        is_over = true;
        break;
      }
      ++preview.alerts_looked_at;
      if (!is_hidden(pair_of(kept.alert))) continue;
      if (++preview.alerts <= kMostShown) preview.first_alerts.push_back(std::move(kept.alert));
    }
    if (is_over) break;
    query.before = page->next;
  }
  return preview;
}

}  // namespace beaconry
