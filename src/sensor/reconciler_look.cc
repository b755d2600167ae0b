// What the reconciler sees by itself: containers and the pool every few seconds, volumes every
// minute.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "sensor/reconciler.h"

namespace beaconry {
namespace {

constexpr auto kLookEvery = std::chrono::seconds{5}, kLookWhileAway = std::chrono::seconds{2};
constexpr Duration kFirstHurry = std::chrono::milliseconds{100};
constexpr auto kMeasureEvery = std::chrono::minutes{1};
constexpr auto kCleanEvery = std::chrono::minutes{10};

}  // namespace

void Reconciler::look() {
  if (looking_) return;
  looking_ = true;
  next_look_ = this->now() + kLookEvery;
  Look seen;
  for (const auto& [name, one] : entries_)
    seen.turns[name] = one.turns;
  parts_.workers.submit(
      [this, seen = std::move(seen), adopt = !adopted_]() mutable -> std::function<void()> {
        seen.containers = parts_.runtime.list();
        if (seen.containers) seen.space = parts_.runtime.space();
        if (seen.containers && adopt) {
          if (auto volumes = parts_.runtime.volumes()) seen.volumes = std::move(*volumes);
          if (auto images = parts_.runtime.images()) seen.images = std::move(*images);
          seen.version = parts_.runtime.version().value_or("");
        }
        return [this, seen = std::move(seen)] {
          looking_ = false;
          take_look(seen);
        };
      },
      [this](const std::string&) {
        looking_ = false;
        next_look_ = this->now() + kLookWhileAway;
      });
}

// The kernel tells at once that an instrument has ended; the runtime needs a moment to know it.
void Reconciler::notice_ends(Timestamp now) {
  if (!ends_.has_one_ended()) {
    hurry_ = kFirstHurry;
    return;
  }
  if (now < next_hurry_) return;
  next_look_ = {};
  next_hurry_ = now + hurry_;
  hurry_ = std::min<Duration>(2 * hurry_, kLookEvery);
}

void Reconciler::take_look(const Look& look) {
  const Timestamp now = this->now();
  if (!look.containers) {
    if (runtime_fault_.empty()) {
      log_error("Instances run on, but the runtime is away: " + look.containers.error().message());
      parts_.services.tell("", "runtime_away", look.containers.error().message(), "{}");
    }
    runtime_fault_ = look.containers.error().message();
    platform_health_.see(runtime_fault_, space_, pool_trend_.days_to_full(space_.total), now);
    adopted_ = false;
    next_look_ = now + kLookWhileAway;
    for (auto& [name, one] : entries_) {
      if (one.instance.busy() == Step::none) one.instance.runtime_away();
    }
    return;
  }
  if (!adopted_ && (!look.volumes || !look.images)) return;  // again at the next look
  if (!runtime_fault_.empty()) {
    log_info("The runtime is back");
    parts_.services.tell("", "runtime_back", "the runtime answers again", "{}");
  }
  runtime_fault_.clear();
  if (look.space) {
    space_ = *look.space;
    pool_trend_.add(now, space_.used);
  }
  platform_health_.see("", space_, pool_trend_.days_to_full(space_.total), now);
  std::map<std::string, const ContainerState*> containers;
  std::set<std::string> names;
  for (const ContainerState& one : *look.containers) {
    bool aside = false;
    const std::string name = instance_of_container(one.name, aside);
    if (name.empty()) continue;  // ours by its label, yet no instance's: left alone
    containers[one.name] = &one;
    names.insert(name);
  }
  const bool adopt = !adopted_;
  if (adopt) {
    runtime_version_ = look.version;
    imported_ = {look.images->begin(), look.images->end()};
    for (const std::string& volume : *look.volumes) {
      if (const std::string name = instance_of_volume(volume); !name.empty()) names.insert(name);
    }
  }
  for (const std::string& name : names)
    entry(name);
  for (auto& [name, one] : entries_) {
    if (one.instance.busy() != Step::none) continue;
    const auto turns = look.turns.find(name);
    // Something was done to it since the look began.
    if ((turns == look.turns.end() ? 0 : turns->second) != one.turns) continue;
    const auto find = [&](const std::string& container) -> std::optional<ContainerState> {
      const auto found = containers.find(container);
      if (found == containers.end()) return {};
      return *found->second;
    };
    const auto container = find(container_name(name));
    if (adopt) {
      one.instance.set_volumes(std::any_of(look.volumes->begin(), look.volumes->end(),
                                           [&one = one](const std::string& v) {
                                             return instance_of_volume(v) == one.instance.name();
                                           }));
    }
    one.instance.look(facts_of(container), facts_of(find(aside_name(name))), now);
    one.memory = container ? container->memory : 0;
    one.processes = container ? container->processes : 0;
    after(one, now);
  }
  for (auto& [name, one] : entries_)
    parts_.services.observe(name, one.instance.state(), one.instance.cause());
  look_at_interfaces();
  if (adopt) next_measure_ = {};
  adopted_ = true;
  next_turn_ = {};
}

void Reconciler::look_at_interfaces() {
  for (auto& [name, one] : entries_)
    look_at_interfaces(one);
}

void Reconciler::look_at_interfaces(Entry& entry) {
  // Before they are handed over, what is missing is no loss.
  if (!entry.handed || !entry.instance.has_interfaces()) return;
  const std::string& name = entry.instance.name();
  const auto interfaces = parts_.network.report(name);
  // What is lost has a cause. Without one its container ends, and it with that.
  const bool ending = std::any_of(interfaces.begin(), interfaces.end(), [](const auto& one) {
    return !one.present && one.cause.empty();
  });
  if (ending) return;
  tell_interfaces(entry, interfaces);
  parts_.services.observe(name, interfaces, entry.persistent, entry.transient);
}

void Reconciler::measure() {
  if (measuring_ || !adopted_) return;
  measuring_ = true;
  next_measure_ = this->now() + kMeasureEvery;
  std::vector<std::pair<std::string, bool>> volumes;  // instance, whether persistent
  for (auto& [name, one] : entries_) {
    const InstanceFacts& facts = one.instance.facts();
    if (!facts.container) continue;
    const ImageInfo* image = parts_.images.find(facts.container->fingerprint);
    if (image == nullptr) continue;
    one.persistent.quota = image->manifest.limits.persistent;
    one.transient.quota = image->manifest.limits.transient;
    if (one.persistent.quota != 0) volumes.emplace_back(name, true);
    if (one.transient.quota != 0) volumes.emplace_back(name, false);
  }
  struct Used {
    std::string instance;
    bool persistent = false;
    std::uint64_t bytes = 0;
  };
  parts_.workers.submit(
      [this, volumes = std::move(volumes)]() -> std::function<void()> {
        std::vector<Used> all;
        for (const auto& [name, persistent] : volumes) {
          const auto used = parts_.runtime.volume_used(persistent ? persistent_volume(name)
                                                                  : transient_volume(name));
          if (used) all.push_back({name, persistent, *used});
        }
        return [this, all = std::move(all)] {
          measuring_ = false;
          const Timestamp now = this->now();
          for (const Used& one : all) {
            const auto found = entries_.find(one.instance);
            if (found == entries_.end()) continue;
            auto& storage = one.persistent ? found->second.persistent : found->second.transient;
            auto& trend =
                one.persistent ? found->second.persistent_trend : found->second.transient_trend;
            storage.used = one.bytes;
            trend.add(now, one.bytes);
            storage.days_to_full = trend.days_to_full(storage.quota);
          }
        };
      },
      [this](const std::string&) { measuring_ = false; });
}

void Reconciler::tell_interfaces(Entry& entry, const std::vector<InterfaceReport>& interfaces) {
  const std::string& name = entry.instance.name();
  for (const InterfaceReport& one : interfaces) {
    const std::uint64_t refused = entry.instance.refused_told(one.name);
    if (one.refused_sent > refused) {
      parts_.services.tell(
          name, "tried_to_transmit",
          "tried to transmit on its interface " + one.name +
              " that may only receive: " + std::to_string(one.refused_sent - refused) + " packets" +
              (one.sent_past == 0
                   ? " dropped"
                   : ", and " + std::to_string(one.sent_past) + " were not stopped; stop it"),
          "{\"packets\": " + std::to_string(one.refused_sent - refused) + "}");
    }
    // Fewer than that: the machine was started anew.
    if (one.refused_sent != refused) {
      entry.instance.set_refused_told(one.name, one.refused_sent);
      save(entry);
    }
    const auto [before, first] = entry.present.emplace(one.name, one.present);
    if (!first && before->second != one.present) {
      parts_.services.tell(
          name, one.present ? "interface_back" : "interface_lost",
          "interface " + one.name + (one.present ? " is back" : " is lost: " + one.cause), "{}");
    }
    before->second = one.present;
  }
}

void Reconciler::clean_images(Timestamp now) {
  next_cleaning_ = now + kCleanEvery;
  if (!adopted_) return;
  std::set<std::string> used;
  for (const auto& [name, one] : entries_) {
    if (one.wish) used.insert(one.wish->image);
    used.insert(one.instance.memory().remade_image);
    const InstanceFacts& facts = one.instance.facts();
    if (!facts.known) return;  // who knows what it uses
    for (const auto* holds : {&facts.container, &facts.aside}) {
      if (*holds) used.insert((*holds)->fingerprint);
    }
  }
  parts_.images.remove_unused(used, now);
  for (auto image = imported_.begin(); image != imported_.end();) {
    if (used.count(*image) != 0) {
      ++image;
      continue;
    }
    parts_.workers.submit(
        [this, fingerprint = *image]() -> std::function<void()> {
          if (auto removed = parts_.runtime.remove_image(fingerprint); !removed) {
            log_warning(removed.error().message());
          }
          return {};
        },
        [](const std::string&) {});
    image = imported_.erase(image);
  }
}

// What keeps the wished image from being tried: the instance itself knows of those that were.
void Reconciler::tell_update(const Entry& entry, const Verdict& verdict,
                             InstanceReport& out) const {
  const std::string& wished = entry.wish->image;
  const InstanceMemory& memory = entry.instance.memory();
  const bool is_told = out.update.state == UpdateState::pending || memory.rejected_image == wished;
  if (is_told || out.image == wished || verdict.permitted || !verdict.wants_approval.empty())
    return;
  const ImageInfo* image = parts_.images.find(wished);
  const auto fetch = fetches_.find(wished);
  if (image == nullptr && fetch == fetches_.end()) return;  // nobody was asked for it yet
  out.update.what = "image " + (image == nullptr ? wished.substr(0, 12) : image->manifest.version);
  out.update.state = image == nullptr ? fetch->second.state : UpdateState::failed;
  out.update.reason = verdict.cause;
  out.update.since = image == nullptr ? fetch->second.since : memory.since;
}

void Reconciler::fill(SensorReport& report) const {
  report.runtime = runtime_version_;
  report.runtime_fault = runtime_fault_;
  report.pool = space_;
  report.days_to_full = pool_trend_.days_to_full(space_.total);
  platform_health_.add_to(report.health);
  for (const auto& [name, one] : entries_) {
    const Instance& instance = one.instance;
    const InstanceFacts& facts = instance.facts();
    InstanceReport out;
    out.name = name;
    const auto& holds = facts.container ? facts.container : facts.aside;
    if (holds) out.image = holds->fingerprint;
    if (const ImageInfo* image = parts_.images.find(out.image)) {
      out.version = image->manifest.version;
    }
    out.state = instance.state();
    out.since = instance.memory().since;
    out.cause = instance.cause();
    if (one.wish) {
      out.wished_image = one.wish->image;
      out.wished_running = one.wish->running;
      const Verdict verdict = verdict_of(one);
      out.wants_approval = verdict.wants_approval;
      if (out.cause.empty()) out.cause = verdict.cause;
    }
    if (const Timestamp kept = instance.memory().kept_until; !one.wish && kept != Timestamp{}) {
      out.cause = "nobody defines it any more; its data is kept until " + to_rfc3339(kept) +
                  ", or until 'beaconry instrument remove " + name + "'";
    }
    if (!facts.known && !runtime_fault_.empty()) {
      out.cause = "the runtime is away: " + runtime_fault_;
    }
    out.last_log = instance.memory().last_log;
    out.retry = instance.retry();
    out.starts = instance.memory().starts;
    out.failures = instance.memory().failures;
    out.update = instance.memory().update;
    if (one.wish) tell_update(one, verdict_of(one), out);
    out.persistent = one.persistent;
    out.transient = one.transient;
    out.memory = one.memory;
    out.processes = one.processes;
    if (one.configs && one.configs->current()) out.config.wished = one.configs->current()->number;
    auto interfaces = parts_.network.report(name);
    // Its health depends on them once they were handed over, and on what is wrong where that is
    // why they were not.
    for (const InterfaceReport& each : interfaces) {
      if (instance.has_interfaces() || (instance.lacks_interfaces() && !each.cause.empty()))
        out.interfaces.push_back(each);
    }
    parts_.services.fill(out);
    out.interfaces = std::move(interfaces);
    report.instances.push_back(std::move(out));
  }
}

}  // namespace beaconry
