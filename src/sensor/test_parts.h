#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/file.h"
#include "sensor/instance.h"
#include "sensor/network.h"
#include "sensor/runtime.h"
#include "sensor/services.h"

// A runtime, a network and services in memory, that fail when told to. Any thread.
namespace beaconry::test {

class FakeRuntime : public Runtime {
 public:
  struct Box {
    std::string fingerprint;
    bool running = false;
    int process = 0;
    std::vector<std::pair<std::string, std::string>> labels;
    std::vector<ContainerSpec::Nic> nics;
    std::vector<std::string> volumes;
    std::string log;
  };
  // Said before each call, with its name and subject: an error instead of the call, or after it.
  std::function<Result<void>(const std::string&call, const std::string&name)> before, after;

  Result<std::string> version() override {
    return run<std::string>("version", "", [] { return Result<std::string>("fake 1"); });
  }
  Result<void> import_image(const std::string&, const std::string& fingerprint) override {
    return run<void>("import_image", fingerprint,
                     [&] { return held_images.insert(fingerprint), Result<void>(); });
  }
  Result<void> remove_image(const std::string& fingerprint) override {
    return run<void>("remove_image", fingerprint,
                     [&] { return held_images.erase(fingerprint), Result<void>(); });
  }
  Result<std::vector<std::string>> images() override {
    return run<std::vector<std::string>>("images", "", [&] {
      return Result<std::vector<std::string>>(
          std::vector<std::string>(held_images.begin(), held_images.end()));
    });
  }
  Result<void> create(const ContainerSpec& spec) override {
    return run<void>("create", spec.name, [&]() -> Result<void> {
      if (held_images.count(spec.fingerprint) == 0) return refuse("create", "no such image");
      for (const auto& volume : spec.volumes) {
        if (held_volumes.count(volume.name) == 0) return refuse("create", "no such volume");
      }
      if (boxes.count(spec.name) != 0) return refuse("create", "it is there already");
      Box& box = boxes[spec.name];
      box.fingerprint = spec.fingerprint;
      box.labels = spec.labels;
      for (const auto& volume : spec.volumes)
        box.volumes.push_back(volume.name);
      return {};
    });
  }
  Result<void> set_nics(const std::string& name,
                        const std::vector<ContainerSpec::Nic>& nics) override {
    return run<void>("set_nics", name, [&]() -> Result<void> {
      const auto found = boxes.find(name);
      if (found == boxes.end()) return refuse("set_nics", "no such container");
      if (found->second.running) return refuse("set_nics", "it is running");
      found->second.nics = nics;
      return {};
    });
  }
  Result<void> start(const std::string& name) override {
    return run<void>("start", name, [&]() -> Result<void> {
      const auto found = boxes.find(name);
      if (found == boxes.end()) return refuse("start", "no such container");
      if (crashing.count(found->second.fingerprint) != 0) {
        found->second.log = "I crash\ninstrument: ended with status 3\n";
        return {};
      }
      if (ending.count(found->second.fingerprint) != 0) {
        found->second.log = "instrument: ended with status 0\n";
        return {};
      }
      if (!found->second.running) found->second.process = ++last_process;
      found->second.running = true;
      ++starts[name];
      return {};
    });
  }
  Result<void> stop(const std::string& name, unsigned) override {
    return run<void>("stop", name, [&] { return halt(name), Result<void>(); });
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    return run<void>("rename", from, [&]() -> Result<void> {
      if (boxes.count(from) == 0) {
        return boxes.count(to) != 0 ? Result<void>() : refuse("rename", "no such container");
      }
      if (boxes.count(to) != 0) return refuse("rename", "the name is taken");
      if (boxes[from].running) return refuse("rename", "it is running");
      boxes[to] = boxes[from];
      boxes.erase(from);
      return {};
    });
  }
  Result<void> remove(const std::string& name) override {
    return run<void>("remove", name, [&] { return boxes.erase(name), Result<void>(); });
  }
  Result<std::vector<ContainerState>> list() override {
    return run<std::vector<ContainerState>>("list", "", [&] {
      std::vector<ContainerState> all;
      for (const auto& [name, box] : boxes)
        all.push_back(state_of(name, box));
      return Result<std::vector<ContainerState>>(std::move(all));
    });
  }
  Result<std::optional<ContainerState>> find(const std::string& name) override {
    return run<std::optional<ContainerState>>("find", name, [&] {
      const auto found = boxes.find(name);
      std::optional<ContainerState> state;
      if (found != boxes.end()) state = state_of(name, found->second);
      return Result<std::optional<ContainerState>>(std::move(state));
    });
  }
  Result<std::string> log(const std::string& name, std::size_t) override {
    return run<std::string>("log", name, [&]() -> Result<std::string> {
      const auto found = boxes.find(name);
      if (found == boxes.end()) return refuse("read the log of", "no such container");
      return found->second.log;
    });
  }
  Result<Executed> execute(const std::string& name, const std::vector<std::string>& command,
                           unsigned) override {
    return run<Executed>("execute", name, [&]() -> Result<Executed> {
      if (!boxes[name].running) return refuse("execute in", "it is not running");
      return Executed{0, command.empty() ? "" : command.front(), ""};
    });
  }
  std::function<void()> pulling;  // said before each; others go on meanwhile
  Result<void> pull(const std::string& name, const std::string&, const std::string& to,
                    std::uint64_t) override {
    if (pulling) pulling();
    return run<void>("pull", name, [&] { return replace_file(to, "pulled"); });
  }
  Result<void> make_volume(const std::string& name, std::uint64_t bytes) override {
    return run<void>("make_volume", name,
                     [&] { return held_volumes[name] = bytes, Result<void>(); });
  }
  Result<void> remove_volume(const std::string& name) override {
    return run<void>("remove_volume", name, [&]() -> Result<void> {
      for (const auto& [box, value] : boxes) {
        if (std::count(value.volumes.begin(), value.volumes.end(), name) != 0) {
          return refuse("remove_volume", "in use by " + box);
        }
      }
      held_volumes.erase(name);
      return {};
    });
  }
  Result<std::vector<std::string>> volumes() override {
    return run<std::vector<std::string>>("volumes", "", [&] {
      std::vector<std::string> names;
      for (const auto& [name, bytes] : held_volumes)
        names.push_back(name);
      return Result<std::vector<std::string>>(std::move(names));
    });
  }
  Result<std::uint64_t> volume_used(const std::string& name) override {
    return run<std::uint64_t>("volume_used", name, [] { return Result<std::uint64_t>(4096); });
  }
  Result<PoolSpace> space() override {
    return run<PoolSpace>("space", "", [&] { return Result<PoolSpace>(pool); });
  }

  // --- for tests: under the lock ---
  void with(const std::function<void(FakeRuntime&)>& act) {
    const std::lock_guard lock(mutex_);
    act(*this);
  }
  void halt(const std::string& name) {
    if (const auto found = boxes.find(name); found != boxes.end()) found->second.running = false;
  }
  std::map<std::string, Box> boxes;
  std::map<std::string, std::uint64_t> held_volumes;
  std::set<std::string> held_images;
  std::set<std::string> crashing, ending;  // images whose containers end at once: with 3, with 0
  std::map<std::string, int> starts;
  PoolSpace pool{std::uint64_t{8} << 30, 0};
  int last_process = 100;

 private:
  static tl::unexpected<Error> refuse(const char* what, const std::string& why) {
    return fail(ErrorKind::io, what, "the container", why);
  }
  static ContainerState state_of(const std::string& name, const Box& box) {
    ContainerState state;
    state.name = name;
    state.fingerprint = box.fingerprint;
    state.run = box.running ? ContainerState::Run::running : ContainerState::Run::stopped;
    state.process = box.running ? box.process : 0;
    state.labels = box.labels;
    return state;
  }
  template <class T, class Act>
  Result<T> run(const char* call, const std::string& name, Act act) {
    const std::lock_guard lock(mutex_);
    if (before) {
      if (auto said = before(call, name); !said) return tl::unexpected<Error>(said.error());
    }
    Result<T> result = act();
    if (after) {
      if (auto said = after(call, name); !said) return tl::unexpected<Error>(said.error());
    }
    return result;
  }
  std::mutex mutex_;
};

class FakeNetwork : public Network {
 public:
  std::function<Result<void>(const std::string& call, const std::string& instance)> before;
  std::set<std::string> made;  // instances that have something on the host's side
  std::map<std::string, int> attached;
  std::vector<std::string> come_back;

  Result<std::vector<ContainerSpec::Nic>> prepare(
      const std::string& instance, const Manifest&,
      const std::vector<InterfaceWish>& wishes) override {
    const std::lock_guard lock(mutex_);
    if (before) {
      if (auto said = before("prepare", instance); !said) {
        return tl::unexpected<Error>(said.error());
      }
    }
    made.insert(instance);
    std::vector<ContainerSpec::Nic> nics;
    for (const InterfaceWish& wish : wishes)
      nics.push_back({"bcy" + wish.name, wish.name});
    return nics;
  }
  Result<void> attach(const std::string& instance, int process, const Manifest&,
                      const std::vector<InterfaceWish>&) override {
    const std::lock_guard lock(mutex_);
    if (before) {
      if (auto said = before("attach", instance); !said) return said;
    }
    attached[instance] = process;
    ::eventfd_write(changed_.get(), 1);
    return {};
  }
  void release(const std::string& instance) override {
    const std::lock_guard lock(mutex_);
    made.erase(instance);
    attached.erase(instance);
  }
  // What every instance has from now on.
  void show(const std::vector<InterfaceReport>& interfaces) {
    const std::lock_guard lock(mutex_);
    shown_ = interfaces;
    ::eventfd_write(changed_.get(), 1);
  }
  void forget(const std::string& instance) override {
    const std::lock_guard lock(mutex_);
    reports_.erase(instance);
  }
  int descriptor() const override { return changed_.get(); }
  Work work(Timestamp) override {
    const std::lock_guard lock(mutex_);
    eventfd_t changes = 0;
    const bool changed = ::eventfd_read(changed_.get(), &changes) == 0;
    return {changed, std::exchange(come_back, {})};
  }
  // What was set for it or shown for all; else, where `has_reports`, one interface each: there once
  // it is attached.
  std::vector<InterfaceReport> report(const std::string& instance) override {
    const std::lock_guard lock(mutex_);
    ++reported_[instance];
    if (const auto found = reports_.find(instance); found != reports_.end()) return found->second;
    if (!has_reports) return shown_;
    InterfaceReport one;
    one.name = "probe";
    one.present = one.carrier = attached.count(instance) != 0;
    return {one};
  }
  int reported(const std::string& instance) {
    const std::lock_guard lock(mutex_);
    return reported_[instance];
  }
  void set_report(const std::string& instance, const InterfaceReport& one) {
    const std::lock_guard lock(mutex_);
    reports_[instance] = {one};
  }
  std::atomic<bool> has_reports{false};

 private:
  std::map<std::string, std::vector<InterfaceReport>> reports_;
  std::map<std::string, int> reported_;
  std::mutex mutex_;
  Fd changed_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::vector<InterfaceReport> shown_;
};

class FakeServices : public Services {
 public:
  explicit FakeServices(Options made_with) : options(std::move(made_with)) {}
  Options options;
  std::map<std::string, Instance> running;  // by name: started, not stopped
  std::map<std::string, int> changes;
  std::set<std::string> sick, gone;
  std::vector<ContainerSpec::Folder> folders;

  Result<std::vector<ContainerSpec::Folder>> prepare(const Instance& instance) override {
    auto shared = folders;
    shared.push_back({"/run/beaconry/" + instance.name, "/run/instrument", false});
    return shared;
  }
  void started(const Instance& instance, Timestamp) override { running[instance.name] = instance; }
  void stopping(const std::string&) override {}
  void stopped(const std::string& instance, Timestamp) override { running.erase(instance); }
  void removed(const std::string& instance) override { gone.insert(instance); }
  void changed(const Instance& instance, Timestamp) override {
    running[instance.name] = instance;
    ++changes[instance.name];
  }
  void observe(const std::string&, const std::vector<InterfaceReport>& interfaces,
               const InstanceReport::Storage&, const InstanceReport::Storage&) override {
    for (const InterfaceReport& one : interfaces)
      ++(one.present ? seen_present : seen_absent);
  }
  std::atomic<int> seen_present{0}, seen_absent{0}, interface_news{0};
  void observe(const std::string&, InstanceState, const std::string&) override {}
  void tell(const std::string& instance, const std::string& word, const std::string&,
            const std::string&) override {
    const std::lock_guard lock(mutex_);
    ++told_[{instance, word}];
    if (word.starts_with("interface_")) ++interface_news;
  }
  bool was_told(const std::string& instance, const std::string& word) {
    return times_told(instance, word) > 0;
  }
  int times_told(const std::string& instance, const std::string& word) {
    const std::lock_guard lock(mutex_);
    const auto found = told_.find({instance, word});
    return found == told_.end() ? 0 : found->second;
  }
  bool is_healthy_since(const std::string& instance, Timestamp) const override {
    return running.count(instance) != 0 && sick.count(running.at(instance).manifest.version) == 0;
  }
  // A part for each interface that its health is made of.
  void fill(InstanceReport& report) const override {
    for (const InterfaceReport& one : report.interfaces) {
      Health part;
      part.name = one.name;
      part.cause = one.cause;
      report.health.parts.push_back(part);
    }
  }
  Health health() const override { return {}; }
  std::vector<int> descriptors() const override { return {}; }
  void work(Timestamp) override {
    std::vector<std::pair<std::string, std::string>> asked;
    {
      const std::lock_guard lock(mutex_);
      asked.swap(restarts_);
    }
    for (const auto& [instance, why] : asked)
      options.restart(instance, why);
  }
  // As the services do on the daemon's thread.
  void ask_restart(const std::string& instance, const std::string& why) {
    const std::lock_guard lock(mutex_);
    restarts_.emplace_back(instance, why);
  }
  std::vector<KeptEvent> events(const std::string&, std::size_t) const override { return {}; }
  std::optional<Result<void>> fetch_now(const std::string&) override { return {}; }
  std::string bus_fault() const override { return {}; }
  std::uint64_t bus_restarts() const override { return 0; }
  SensorReport::Uplink uplink() const override { return {}; }

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::string>> restarts_;
  std::map<std::pair<std::string, std::string>, int> told_;  // by instance and word
};

}  // namespace beaconry::test
