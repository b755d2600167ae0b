// What is asked of the sensor from other threads.
#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "bus/topics.h"
#include "sensor/platform_health.h"
#include "sensor/sensor_thread.h"

namespace beaconry {
namespace {

constexpr auto kLookForTheEnd = std::chrono::milliseconds{100};

tl::unexpected<Error> unknown(const std::string& instance) {
  return fail(ErrorKind::not_found, "find", "instance " + terminal_safe(instance),
              "there is none of that name");
}

tl::unexpected<Error> ended() {
  return fail(ErrorKind::io, "ask", "the sensor", "it is ending");
}

// The runtime speaks of the container, which its user does not know.
template <class T>
Result<T> of_instance(Result<T> result, const std::string& instance) {
  if (!result) result.error().subject = instance;
  return result;
}

std::vector<DocumentHistory::Version> versions_of(const DocumentHistory& history) {
  std::vector<DocumentHistory::Version> all;
  for (const std::uint64_t number : history.numbers()) {
    if (auto version = history.version(number)) all.push_back(std::move(*version));
  }
  return all;
}

}  // namespace

// Carries the question out on run()'s thread and waits for the answer; `otherwise` is the answer of
// a sensor that has ended.
template <class T, class Ask>
T SensorThread::ask(T otherwise, Ask question) {
  const auto answer = std::make_shared<std::promise<T>>();
  auto future = answer->get_future();
  mailbox_.post([answer, question = std::move(question)]() mutable {
    try {
      answer->set_value(question());
    } catch (...) {  // is whose question it was
      answer->set_exception(std::current_exception());
    }
  });
  while (future.wait_for(kLookForTheEnd) != std::future_status::ready) {
    if (ended_) return otherwise;
  }
  return future.get();
}

SensorReport SensorThread::report() {
  return ask(SensorReport{}, [this] { return make_report(); });
}

SensorReport SensorThread::make_report() {
  SensorReport report;
  report.name = options_.name;
  report.version = options_.version;
  report.started = started_;
  report.now = options_.clock();
  report.desired_version = desired_.version();
  report.problems = image_problems_;
  for (std::string& problem : desired_.problems())
    report.problems.push_back(std::move(problem));
  report.bus_fault = services_->bus_fault();
  report.bus_restarts = services_->bus_restarts();
  report.health = services_->health();
  report.uplink = services_->uplink();
  reconciler_->fill(report);
  add_fleet_faults(report);
  report.management = management_->report();
  if (const auto health = management_->health()) put_first(report.health, *health);
  return report;
}

DocumentHistory::Version SensorThread::desired() {
  return ask(DocumentHistory::Version{}, [this] {
    DocumentHistory::Version none;
    none.json = DesiredState{}.to_json();
    return desired_.history().current().value_or(none);
  });
}

std::vector<DocumentHistory::Version> SensorThread::desired_versions() {
  return ask(std::vector<DocumentHistory::Version>{},
             [this] { return versions_of(desired_.history()); });
}

Result<std::uint64_t> SensorThread::take(const DesiredState& state, const std::string& who,
                                         const std::string& how) {
  auto version = desired_.set(state, who, how, options_.clock());
  if (!version) return version;
  reconciler_->take_wishes(desired_.state(), who, how);
  desired_.look_again();
  return version;
}

Result<std::uint64_t> SensorThread::set_fleet(const FleetWish& fleet) {
  return ask(Result<std::uint64_t>(ended()), [this, fleet] { return do_set_fleet(fleet); });
}

// What files and the server define stays theirs, whatever the document says of it.
Result<std::uint64_t> SensorThread::take_foreign(DesiredState state, const std::string& who,
                                                 const std::string& how) {
  std::erase_if(state.instances,
                [](const auto& entry) { return entry.second.source == kFleetSource; });
  for (auto& [name, wish] : state.instances) {
    wish.source.clear();
    if (auto image = images_.resolve(wish.image)) wish.image = std::move(*image);
    if (const ImageInfo* image = images_.find(wish.image)) {
      if (auto fits = check_fits(wish, image->manifest); !fits) {
        return tl::unexpected<Error>(std::move(fits.error()));
      }
    }
  }
  const DesiredState& is = desired_.state();
  for (const auto& [name, wish] : is.instances) {
    if (!wish.source.empty()) state.instances[name] = wish;
  }
  if (state.management_source == kFleetSource) state.management.reset();
  state.management_source.clear();
  if (!state.management && is.management_source == kFleetSource) {
    state.management = is.management;
    state.management_source = is.management_source;
  }
  return take(state, who, how);
}

Result<std::uint64_t> SensorThread::set_desired(const std::string& json, const std::string& who) {
  auto state = DesiredState::parse(json);
  if (!state) return tl::unexpected<Error>(std::move(state.error()));
  return ask(Result<std::uint64_t>(ended()),
             [this, state = std::move(*state), who] { return take_foreign(state, who, "api"); });
}

Result<std::uint64_t> SensorThread::roll_back_desired(std::uint64_t to, const std::string& who) {
  return ask(Result<std::uint64_t>(ended()), [this, to, who]() -> Result<std::uint64_t> {
    const auto version = desired_.history().version(to);
    if (!version) return tl::unexpected<Error>(version.error());
    auto state = DesiredState::parse(version->json);
    if (!state) return tl::unexpected<Error>(std::move(state.error()));
    return take_foreign(std::move(*state), who, "rollback");
  });
}

std::optional<std::uint64_t> SensorThread::management_trial() {
  return ask(std::optional<std::uint64_t>(), [this] { return management_->trial(); });
}

Result<void> SensorThread::confirm_management(const std::optional<TrialProof>& proof) {
  return ask(Result<void>(ended()), [this, proof] { return do_confirm(proof); });
}

Result<ImageInfo> SensorThread::add_image(const std::string& file) {
  auto image = ImageFolder::take(images_.options(), file);
  if (!image) return image;
  return ask(Result<ImageInfo>(ended()), [this, image = std::move(*image)]() -> Result<ImageInfo> {
    images_.add(image);
    reconciler_->images_changed();
    desired_.look_again();
    return image;
  });
}

std::vector<ImageInfo> SensorThread::images() {
  return ask(std::vector<ImageInfo>{}, [this] { return images_.all(); });
}

Result<std::uint64_t> SensorThread::change(const std::string& instance, const Change& change,
                                           const std::string& who, bool create) {
  return ask(Result<std::uint64_t>(ended()), [this, instance, change, who, create] {
    return do_change(instance, change, who, create);
  });
}

Result<InstanceWish> SensorThread::changed_wish(const std::string& instance, const Change& change,
                                                const InstanceWish* had) {
  InstanceWish wish = had != nullptr ? *had : InstanceWish{};
  wish.name = instance;
  if (change.image) {
    auto image = images_.resolve(*change.image);
    if (!image) return tl::unexpected<Error>(std::move(image.error()));
    wish.image = std::move(*image);
  }
  if (change.running) {
    // `start` of one that broke or finished, which is wished to run already.
    if (*change.running && wish.running && reconciler_->has_ended(instance)) ++wish.restarts;
    wish.running = *change.running;
  }
  if (change.interfaces) wish.interfaces = *change.interfaces;
  if (change.config_json) wish.config_json = *change.config_json;
  if (change.retention) wish.retention = *change.retention;
  if (change.allow_unsigned) wish.allow_unsigned = *change.allow_unsigned;
  if (change.restart) {
    ++wish.restarts;
    wish.running = true;
  }
  if (change.approve) {
    const ImageInfo* image = images_.find(wish.image);
    if (image == nullptr) {
      return fail(ErrorKind::not_found, "approve", instance, "its image is not here");
    }
    wish.approved = permission_digest(image->manifest);
  }
  return wish;
}

// All that can be said before anything is done.
Result<void> SensorThread::check_change(const InstanceWish& wish) {
  const ImageInfo* image = images_.find(wish.image);
  if (image == nullptr) {
    return fail(ErrorKind::not_found, "find image", wish.image.substr(0, 12), "install its file");
  }
  if (auto fits = check_fits(wish, image->manifest); !fits) return fits;
  const Verdict verdict = judge(*image, reconciler_->current_manifest(wish.name), wish);
  if (!verdict.permitted && verdict.wants_approval.empty()) {
    return fail(ErrorKind::usage, "install", wish.name, verdict.cause);
  }
  if (reconciler_->has_container(wish.name)) {
    const auto had = desired_.state().instances.find(wish.name);
    if (had != desired_.state().instances.end() && had->second.image == wish.image) return {};
  }
  return reconciler_->has_room(wish.name, *image);
}

Result<std::uint64_t> SensorThread::do_change(const std::string& instance, const Change& change,
                                              const std::string& who, bool create) {
  const auto name = InstanceName::parse(instance);
  if (!name || name->to_string() != instance) {
    return fail(ErrorKind::malformed, "take", terminal_safe(instance),
                "it is no instance's name; write the instrument's and a number: beacon_0");
  }
  const auto found = desired_.state().instances.find(instance);
  const bool exists = found != desired_.state().instances.end();
  if (create && exists) {
    return fail(ErrorKind::usage, "make", instance, "it is there already");
  }
  if (!create && !exists) return unknown(instance);
  const bool of_files = change.image || change.running || change.interfaces || change.config_json ||
                        change.retention || change.allow_unsigned;
  const bool of_fleet = exists && found->second.source == kFleetSource;
  if (exists && !found->second.source.empty() && (of_files || (of_fleet && change.approve))) {
    return fail(ErrorKind::usage, "change", instance,
                definer_of(found->second) + "change it there");
  }
  // Its document counts restarts, too: whoever stands before the machine shall not be at odds with
  // it.
  if (of_fleet && change.restart) {
    reconciler_->revive(instance, "a restart was asked for");
    return desired_.version();
  }
  if (change.expected_config_version) {
    const DocumentHistory* configs = reconciler_->configs(instance);
    const std::uint64_t is =
        configs != nullptr && configs->current() ? configs->current()->number : 0;
    if (is != *change.expected_config_version) {
      return fail(ErrorKind::usage, "change", instance,
                  "its configuration is at version " + std::to_string(is) + " by now");
    }
  }
  auto wish = changed_wish(instance, change, exists ? &found->second : nullptr);
  if (!wish) return tl::unexpected<Error>(std::move(wish.error()));
  if (auto checked = check_change(*wish); !checked) {
    return tl::unexpected<Error>(std::move(checked.error()));
  }
  // Named again, an image that was taken back is tried again.
  if (change.image || change.approve) reconciler_->retry_update(instance);
  DesiredState state = desired_.state();
  state.instances[instance] = std::move(*wish);
  return take(state, who, "cli");
}

Result<std::uint64_t> SensorThread::remove(const std::string& instance, const std::string& who) {
  return ask(Result<std::uint64_t>(ended()), [this, instance, who]() -> Result<std::uint64_t> {
    DesiredState state = desired_.state();
    const auto found = state.instances.find(instance);
    if (found == state.instances.end()) {
      if (!reconciler_->drop_data(instance)) return unknown(instance);
      return desired_.version();
    }
    if (!found->second.source.empty()) {
      return fail(ErrorKind::usage, "remove", instance,
                  definer_of(found->second) + "remove it there");
    }
    state.instances.erase(found);
    return take(state, who, "cli");
  });
}

Result<std::vector<DocumentHistory::Version>> SensorThread::config_versions(
    const std::string& instance) {
  using Versions = std::vector<DocumentHistory::Version>;
  return ask(Result<Versions>(ended()), [this, instance]() -> Result<Versions> {
    const DocumentHistory* configs = reconciler_->configs(instance);
    if (configs == nullptr) return unknown(instance);
    return versions_of(*configs);
  });
}

Result<void> SensorThread::update_now(const std::string& instance) {
  return ask(Result<void>(ended()), [this, instance]() -> Result<void> {
    if (desired_.state().instances.count(instance) == 0) return unknown(instance);
    reconciler_->retry_update(instance);
    return services_->fetch_now(instance).value_or(Result<void>());
  });
}

Result<std::string> SensorThread::log(const std::string& instance, std::size_t most_bytes) {
  const SensorReport now = report();
  const auto found = std::find_if(now.instances.begin(), now.instances.end(),
                                  [&](const auto& one) { return one.name == instance; });
  if (found == now.instances.end()) return unknown(instance);
  auto text = runtime_.log(container_name(instance), most_bytes);
  if (!text && !found->last_log.empty()) return found->last_log;
  if (!text && text.error().kind == ErrorKind::not_found) {  // not even its container is made
    return fail(ErrorKind::usage, "read the log of", instance, "it has not started yet");
  }
  return of_instance(std::move(text), instance);
}

Result<Runtime::Executed> SensorThread::execute(const std::string& instance,
                                                const std::vector<std::string>& command,
                                                unsigned seconds) {
  const bool there = ask(false, [this, instance] { return reconciler_->has_container(instance); });
  if (!there) return unknown(instance);
  auto done = of_instance(runtime_.execute(container_name(instance), command, seconds), instance);
  if (done) return done;
  const bool is_stopped = ask(false, [this, instance] {
    const auto found = desired_.state().instances.find(instance);
    return found == desired_.state().instances.end() || !found->second.running;
  });
  if (is_stopped) {
    done.error().cause += "; 'beaconry instrument start " + instance + "' starts it";
  }
  return done;
}

std::vector<Services::KeptEvent> SensorThread::events(const std::string& instance,
                                                      std::size_t most) {
  return ask(std::vector<Services::KeptEvent>{},
             [this, instance, most] { return services_->events(instance, most); });
}

}  // namespace beaconry
