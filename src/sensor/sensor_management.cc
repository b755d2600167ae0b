// The sensor's own network, and its way to the server, which instruments leave alone.
#include <algorithm>
#include <utility>

#include "sensor/fleet/report_body.h"
#include "sensor/network/management_plan.h"
#include "sensor/network/tie_check.h"
#include "sensor/sensor_thread.h"

namespace beaconry {
namespace {

constexpr auto kResolveEvery = std::chrono::minutes{1};

}  // namespace

// Before all else: the sensor may have ended in the middle of a trial.
Result<void> SensorThread::open_management() {
  const auto& uplink = options_.services.uplink;
  way_ = std::make_unique<ServerWay>(uplink ? uplink->server.url : std::string());
  options_.network.reserved = [this] { return way_->reserved(); };
  Management::Options options;
  options.state_folder = options_.state_folder + "/management";
  options.dhcp_program = find_dhcp_client(options_.network.dhcp_client);
  options.resolv_conf = options_.resolv_conf;
  options.boot = read_report_head().boot;
  auto opened = Management::open(options, options_.clock());
  if (!opened) return tl::unexpected<Error>(std::move(opened.error()));
  management_ = std::move(*opened);
  way_->set_own(management_->interfaces());
  return {};
}

void SensorThread::follow_management(Timestamp now) {
  management_->work(desired_.state().management, desired_.version(), now);
  way_->set_own(management_->interfaces());
  const bool was_soon = now < next_way_ && next_way_ - now <= kResolveEvery;
  if (!way_->is_name() || was_soon) return;
  next_way_ = now + kResolveEvery;
  workers_->submit(
      [this]() -> std::function<void()> {
        way_->resolve();
        return [] {};
      },
      [](const std::string&) {});
}

Result<void> SensorThread::check_fits(const InstanceWish& wish, const Manifest& manifest) const {
  if (auto fits = check_wish(wish, manifest); !fits) return fits;
  for (const InterfaceWish& one : wish.interfaces) {
    if (auto free = check_way(one, way_->reserved()); !free) return free;
  }
  return {};
}

// A connection may as well lead over what was before, as where the server has several addresses.
Result<void> SensorThread::do_confirm(const std::optional<TrialProof>& proof) {
  const auto trial = management_->trial();
  if (!proof && !trial)
    return fail(ErrorKind::usage, "confirm", "the management network", "none is on trial");
  if (proof && trial) {
    const auto way = interfaces_towards(proof->peer, proof->local);
    if (std::find(way.begin(), way.end(), management_->device()) == way.end())
      return fail(ErrorKind::usage, "confirm", "the management network",
                  proof->peer.to_string() + " is reached " +
                      (way.empty() ? std::string("no more") : "by " + way.front()) +
                      ", not over it");
  }
  return management_->confirm(proof ? proof->version : *trial, options_.clock());
}

}  // namespace beaconry
