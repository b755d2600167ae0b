#include "sensor/instance_steps.h"

#include <cstdio>
#include <utility>

#include "base/fnv.h"
#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::string_view kPersistent = "-persistent", kTransient = "-transient";
constexpr std::size_t kLongestLog = 16 << 10;
// What an image's init says at last: docs/formats/image.md.
constexpr std::string_view kStarted = "instrument: started";
constexpr std::string_view kEnded = "instrument: ended with status ";

Result<void> make_volumes(const StepPlan& plan, Runtime& runtime) {
  const Manifest::Limits& limits = plan.image.manifest.limits;
  if (limits.persistent != 0) {
    auto made = runtime.make_volume(persistent_volume(plan.instance), limits.persistent);
    if (!made) return made;
  }
  if (limits.transient == 0) return {};
  return runtime.make_volume(transient_volume(plan.instance), limits.transient);
}

Result<void> remove_volumes(const StepPlan& plan, Runtime& runtime) {
  auto removed = runtime.remove_volume(persistent_volume(plan.instance));
  if (!removed) return removed;
  return runtime.remove_volume(transient_volume(plan.instance));
}

Result<void> prepare(const StepPlan& plan, Runtime& runtime, Network& network) {
  auto nics = network.prepare(plan.instance, plan.image.manifest, plan.interfaces);
  if (!nics) return tl::unexpected<Error>(std::move(nics.error()));
  return runtime.set_nics(container_name(plan.instance), *nics);
}

std::optional<int> status_in(std::string_view log) {
  const std::size_t at = log.rfind(kEnded), started = log.rfind(kStarted);
  if (at == std::string_view::npos) return {};
  // The log may still hold the run before: what that ended with is not this one's.
  if (started != std::string_view::npos && started > at) return {};
  std::string_view rest = log.substr(at + kEnded.size());
  rest = trim(rest.substr(0, rest.find('\n')));
  const auto status = parse_unsigned(rest);
  if (!status || *status > 255) return {};
  return static_cast<int>(*status);
}

Result<void> act(const StepPlan& plan, Runtime& runtime, Network& network, StepOutcome& outcome) {
  const std::string name = container_name(plan.instance), aside = aside_name(plan.instance);
  switch (plan.step) {
    case Step::none:
    case Step::forget:
      return {};
    case Step::import_image:
      return runtime.import_image(plan.image.file, plan.image.fingerprint);
    case Step::make_volumes:
      return make_volumes(plan, runtime);
    case Step::create:
      return runtime.create(container_spec(plan));
    case Step::prepare:
      return prepare(plan, runtime, network);
    case Step::start: {
      auto started = runtime.start(name);
      if (!started) outcome.log = runtime.log(name, kLongestLog).value_or("");
      return started;
    }
    case Step::attach:
      return network.attach(plan.instance, plan.process, plan.image.manifest, plan.interfaces);
    case Step::stop:
      return runtime.stop(name, plan.stop_seconds);
    case Step::collect:
      outcome.log = runtime.log(name, kLongestLog).value_or("");
      outcome.status = status_in(outcome.log);
      network.release(plan.instance);
      return {};
    case Step::release:
      network.release(plan.instance);
      return {};
    case Step::set_aside:
      return runtime.rename(name, aside);
    case Step::put_back:
      return runtime.rename(aside, name);
    case Step::remove:
      return runtime.remove(name);
    case Step::remove_aside:
      return runtime.remove(aside);
    case Step::remove_volumes:
      return remove_volumes(plan, runtime);
  }
  return {};
}

}  // namespace

std::string persistent_volume(std::string_view instance) {
  return container_name(instance) + std::string(kPersistent);
}

std::string transient_volume(std::string_view instance) {
  return container_name(instance) + std::string(kTransient);
}

std::string instance_of_volume(std::string_view volume) {
  bool aside = false;
  for (const std::string_view suffix : {kPersistent, kTransient}) {
    if (!volume.ends_with(suffix)) continue;
    return instance_of_container(volume.substr(0, volume.size() - suffix.size()), aside);
  }
  return {};
}

std::string label(const ContainerState& state, std::string_view key) {
  for (const auto& [name, value] : state.labels) {
    if (name == key) return value;
  }
  return {};
}

std::optional<InstanceFacts::Container> facts_of(const std::optional<ContainerState>& state) {
  if (!state) return {};
  InstanceFacts::Container facts;
  facts.fingerprint = state->fingerprint;
  facts.made = label(*state, "made");
  facts.ready = label(*state, "stage") == "ready";
  facts.running = state->run != ContainerState::Run::stopped;
  facts.process = state->process;
  return facts;
}

ContainerSpec container_spec(const StepPlan& plan) {
  const Manifest& manifest = plan.image.manifest;
  ContainerSpec spec;
  spec.name = container_name(plan.instance);
  spec.fingerprint = plan.image.fingerprint;
  spec.capabilities = manifest.capabilities;
  spec.memory = manifest.limits.memory;
  spec.cpu_percent = manifest.limits.cpu_percent;
  spec.processes = manifest.limits.processes;
  spec.temporary = manifest.limits.temporary;
  if (manifest.limits.persistent != 0) {
    spec.volumes.push_back({persistent_volume(plan.instance), "/persistent-data"});
  }
  if (manifest.limits.transient != 0) {
    spec.volumes.push_back({transient_volume(plan.instance), "/transient-data"});
  }
  spec.folders = plan.folders;
  spec.labels = {{"instance", plan.instance}, {"made", spec_digest(spec)}, {"stage", "ready"}};
  return spec;
}

std::string spec_digest(const ContainerSpec& spec) {
  std::string text = spec.fingerprint;
  const auto add = [&](std::string_view part) {
    text += '\n';
    text += part;
  };
  for (const std::string& one : spec.capabilities)
    add("capability " + one);
  for (const std::uint64_t one : {spec.memory, std::uint64_t{spec.cpu_percent},
                                  std::uint64_t{spec.processes}, spec.temporary})
    add(std::to_string(one));
  for (const ContainerSpec::Volume& one : spec.volumes)
    add(one.name + ' ' + one.path);
  for (const ContainerSpec::Folder& one : spec.folders)
    add(one.source + ' ' + one.path + (one.writable ? " rw" : " ro"));
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(fnv1a(text)));
  return hex;
}

StepOutcome carry_out(const StepPlan& plan, Runtime& runtime, Network& network) {
  StepOutcome outcome;
  outcome.step = plan.step;
  outcome.image = plan.image.fingerprint;
  outcome.done = act(plan, runtime, network, outcome);
  const auto container = runtime.find(container_name(plan.instance));
  if (!container) return outcome;
  const auto aside = runtime.find(aside_name(plan.instance));
  if (!aside) return outcome;
  outcome.looked = true;
  outcome.container = facts_of(*container);
  outcome.aside = facts_of(*aside);
  return outcome;
}

}  // namespace beaconry
