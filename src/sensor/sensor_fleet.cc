// What the server wishes of the sensor.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "sensor/sensor_thread.h"

namespace beaconry {

// Where whoever brings a change to many sensors looks for what became of it.
void SensorThread::add_fleet_faults(SensorReport& report) const {
  for (const auto& [name, fault] : desired_.fleet_faults()) {
    auto found = std::find_if(report.instances.begin(), report.instances.end(),
                              [&name = name](const auto& one) { return one.name == name; });
    if (found == report.instances.end()) {
      if (report.instances.size() >= kMostInstances) continue;
      found = report.instances.insert(found, InstanceReport{});
      found->name = name;
      found->since = started_;
    }
    if (found->cause.empty())
      found->cause = "of what the server wishes this is not taken: " + fault.reason;
    if (fault.of_config) {
      found->config.state = ConfigState::failed;
      found->config.reason = fault.reason;
    } else {
      found->update.state = UpdateState::failed;
      found->update.what = "the server's wish";
      found->update.reason = fault.reason;
      found->update.since =
          desired_.history().current() ? desired_.history().current()->time : started_;
    }
  }
}

Result<std::uint64_t> SensorThread::do_set_fleet(const FleetWish& fleet) {
  const std::uint64_t before = desired_.version();
  auto version = desired_.set_fleet(
      fleet, [this](const InstanceWish& wish) { return check_fit(wish); }, options_.clock());
  if (!version) return version;
  if (*version != before) {
    log_info("The document of " + terminal_safe(fleet.server) + " makes version " +
             std::to_string(*version) + " of the desired state");
  }
  reconciler_->take_wishes(desired_.state(), fleet.server, std::string(kFleetSource));
  desired_.look_again();
  return version;
}

// If its image is here.
Result<void> SensorThread::check_fit(const InstanceWish& wish) const {
  const ImageInfo* image = images_.find(wish.image);
  return image == nullptr ? Result<void>() : check_fits(wish, image->manifest);
}

void SensorThread::set_image_fetches(const ImageFetches& fetches) {
  mailbox_.post([this, fetches] { reconciler_->set_image_fetches(fetches); });
}

// Who is to be asked for a change of it.
std::string SensorThread::definer_of(const InstanceWish& wish) const {
  if (wish.source != kFleetSource) return "the file " + wish.source + " defines it: ";
  const std::string server = desired_.server();
  return "the server " + (server.empty() ? "that this sensor joined" : server) +
         " defines it, on its page Fleet or by 'beaconry fleet': ";
}

}  // namespace beaconry
