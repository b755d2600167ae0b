#include "fleet/identity.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fleet/document_text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr Duration kConflictLasts = std::chrono::hours{1};

}  // namespace

SensorIdentity::Heard SensorIdentity::hear(const std::string& machine, const std::string& boot,
                                           std::uint64_t sequence, const std::string& address,
                                           Timestamp now) {
  const auto known =
      std::find_if(boots_.begin(), boots_.end(), [&](const Boot& each) { return each.id == boot; });
  Heard heard = Heard::news;
  Boot entry{boot, machine, address, sequence};
  if (known != boots_.end()) {
    if (sequence <= known->sequence) return Heard::stale;
    if (boot != boot_) {
      // One that another had followed speaks again: both live.
      const Boot other = boots_.back();
      if (!conflict(now)) conflict_ = Conflict{now, now, {}, {}, {}};
      conflict_->last = now;
      conflict_->boots[0] = boot;
      conflict_->boots[1] = other.id;
      conflict_->machines[0] = machine;
      conflict_->machines[1] = other.machine;
      conflict_->addresses[0] = address;
      conflict_->addresses[1] = other.address;
    }
    boots_.erase(known);
  }
  boots_.push_back(std::move(entry));
  if (boots_.size() > kMostBoots) boots_.erase(boots_.begin());
  machine_ = machine;
  boot_ = boot;
  if (conflict(now)) heard = Heard::conflict;
  return heard;
}

std::optional<SensorIdentity::Conflict> SensorIdentity::conflict(Timestamp now) const {
  if (!conflict_ || now - conflict_->last >= kConflictLasts) return std::nullopt;
  return conflict_;
}

void SensorIdentity::set_back(Timestamp now) {
  if (!conflict_) return;
  conflict_->since = std::min(conflict_->since, now);
  conflict_->last = std::min(conflict_->last, now);
}

std::string SensorIdentity::to_json() const {
  Json boots = Json::array();
  for (const Boot& each : boots_)
    boots.push_back({each.id, each.machine, each.address, each.sequence});
  Json json = {{"boots", std::move(boots)}};
  if (conflict_) {
    const Conflict& c = *conflict_;
    json["conflict"] = {c.since.time_since_epoch().count(),
                        c.last.time_since_epoch().count(),
                        c.boots[0],
                        c.boots[1],
                        c.machines[0],
                        c.machines[1],
                        c.addresses[0],
                        c.addresses[1]};
  }
  return text_of(json);
}

SensorIdentity SensorIdentity::parse(const std::string& text) {
  SensorIdentity out;
  try {
    const Json json = Json::parse(text);
    for (const Json& each : json.at("boots"))
      out.boots_.push_back({each.at(0), each.at(1), each.at(2), each.at(3)});
    if (json.contains("conflict")) {
      const Json& c = json.at("conflict");
      out.conflict_ = Conflict{Timestamp{Duration{c.at(0).get<std::int64_t>()}},
                               Timestamp{Duration{c.at(1).get<std::int64_t>()}},
                               {c.at(2), c.at(3)},
                               {c.at(4), c.at(5)},
                               {c.at(6), c.at(7)}};
    }
  } catch (const Json::exception&) {
    return {};
  }
  if (!out.boots_.empty()) {
    out.machine_ = out.boots_.back().machine;
    out.boot_ = out.boots_.back().id;
  }
  return out;
}

}  // namespace beaconry
