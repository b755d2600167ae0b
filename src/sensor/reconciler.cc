#include "sensor/reconciler.h"

#include <filesystem>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "bus/topics.h"
#include "sensor/given_wish.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;

constexpr auto kTurnEvery = std::chrono::milliseconds{500};
constexpr std::size_t kLongestMemory = 1 << 20;
constexpr std::size_t kMostConfigVersions = 50;

const Manifest& nothing_permitted() {
  static const Manifest kNothing = [] {
    Manifest manifest;
    manifest.limits = {0, 0, 0, 0, 0, 0, 0};
    return manifest;
  }();
  return kNothing;
}

}  // namespace

Reconciler::Reconciler(Options options, Parts parts)
    : options_(std::move(options)), parts_(parts) {}

std::string Reconciler::folder_of(const std::string& name) const {
  return options_.state_folder + "/instances/" + name;
}

void Reconciler::recall() {
  std::error_code error;
  fs::create_directories(options_.state_folder + "/instances", error);
  for (const auto& found : fs::directory_iterator(options_.state_folder + "/instances", error)) {
    const std::string name = found.path().filename().string();
    if (InstanceName::parse(name)) entry(name);
  }
}

Reconciler::Entry& Reconciler::entry(const std::string& name) {
  if (const auto found = entries_.find(name); found != entries_.end()) return found->second;
  InstanceMemory memory;
  std::error_code error;
  const std::string file = folder_of(name) + "/memory.json";
  if (fs::exists(file, error)) {
    const auto text = read_small_file(file, kLongestMemory);
    auto read = text ? InstanceMemory::parse(*text)
                     : Result<InstanceMemory>(tl::unexpected<Error>(text.error()));
    if (read) {
      memory = std::move(*read);
    } else {
      log_error(name + ": what was kept of it is lost: " + read.error().message());
    }
  }
  std::optional<Manifest> permitted;
  if (!memory.permissions.empty()) {
    auto manifest = Manifest::parse(memory.permissions, file);
    if (manifest) {
      permitted = std::move(*manifest);
    } else {
      log_error(name + ": what it was permitted is lost: " + manifest.error().message());
    }
  }
  Entry& made = entries_.emplace(name, Entry(Instance(name, std::move(memory)))).first->second;
  made.permitted = std::move(permitted);
  return made;
}

void Reconciler::save(Entry& entry) {
  if (!entry.instance.take_changed()) return;
  const std::string folder = folder_of(entry.instance.name());
  std::error_code error;
  fs::create_directories(folder, error);
  const auto put = replace_file(folder + "/memory.json", entry.instance.memory().to_json());
  if (!put) log_error(put.error().message());
}

void Reconciler::take_wishes(const DesiredState& desired, const std::string& who,
                             const std::string& how) {
  const Timestamp now = this->now();
  for (const auto& [name, wish] : desired.instances) {
    Entry& one = entry(name);
    one.wish = wish;
    if (!one.configs) {
      auto configs = DocumentHistory::open(folder_of(name) + "/config", kMostConfigVersions);
      if (configs) {
        one.configs = std::move(*configs);
      } else {
        log_error(configs.error().message());
      }
    }
    if (!wish.config_json.empty()) keep_config(one, wish.config_json, who, how);
  }
  for (auto& [name, one] : entries_) {
    if (desired.instances.count(name) == 0) one.wish.reset();
    one.instance.take_wish(one.wish ? &*one.wish : nullptr, now);
    if (!one.instance.facts().known) next_look_ = {};  // a new one
    save(one);
  }
  images_changed();
  reserve_room();
  for (auto& [name, one] : entries_)
    hand_over_changes(one, now);
  next_turn_ = {};
}

std::vector<InterfaceWish> Reconciler::interfaces_of(const Entry& entry,
                                                     const ImageInfo& image) const {
  if (!entry.wish) return {};
  if (image.fingerprint == entry.wish->image) return entry.wish->interfaces;
  const InstanceMemory& memory = entry.instance.memory();
  return interfaces_for(*entry.wish, image.manifest,
                        memory.proven_image == image.fingerprint ? memory.proven_interfaces : "");
}

std::optional<Reconciler::Run> Reconciler::run_of(const std::string& instance) const {
  const auto found = entries_.find(instance);
  if (found == entries_.end() || !found->second.wish) return {};
  const auto& container = found->second.instance.facts().container;
  const ImageInfo* image =
      parts_.images.find(container ? container->fingerprint : found->second.wish->image);
  if (image == nullptr) return {};
  return Run{&image->manifest, interfaces_of(found->second, *image)};
}

void Reconciler::images_changed() {
  for (auto& [name, one] : entries_) {
    one.fits = {};
    if (!one.wish) continue;
    if (const ImageInfo* image = parts_.images.find(one.wish->image)) {
      one.fits = check_wish(*one.wish, image->manifest);
    }
  }
  next_turn_ = {};
}

bool Reconciler::has_ended(const std::string& instance) const {
  const auto found = entries_.find(instance);
  if (found == entries_.end()) return false;
  const InstanceState state = found->second.instance.state();
  return state == InstanceState::broken || state == InstanceState::finished ||
         state == InstanceState::errored;
}

bool Reconciler::has_container(const std::string& instance) const {
  const auto found = entries_.find(instance);
  if (found == entries_.end()) return false;
  const InstanceFacts& facts = found->second.instance.facts();
  return facts.container || facts.aside;
}

DocumentHistory* Reconciler::configs(const std::string& instance) {
  const auto found = entries_.find(instance);
  return found == entries_.end() || !found->second.configs ? nullptr : &*found->second.configs;
}

const Manifest* Reconciler::current_manifest(const std::string& instance) const {
  const auto found = entries_.find(instance);
  if (found == entries_.end()) return nullptr;
  const InstanceFacts& facts = found->second.instance.facts();
  const auto& holds = facts.aside ? facts.aside : facts.container;
  const ImageInfo* image = holds ? parts_.images.find(holds->fingerprint) : nullptr;
  if (image != nullptr) return &image->manifest;
  if (found->second.permitted) return &*found->second.permitted;
  return holds || facts.has_volumes ? &nothing_permitted() : nullptr;
}

// Before anything of the image is there, and once it has proved itself.
void Reconciler::note_permitted(Entry& entry, const ImageInfo& image) {
  if (entry.instance.memory().permitted_image == image.fingerprint && entry.permitted) return;
  entry.permitted = image.manifest;
  entry.instance.permit(image.fingerprint, image.manifest.to_json());
}

std::string Reconciler::why_no_image(const InstanceWish& wish) const {
  if (const auto fetch = fetches_.find(wish.image); fetch != fetches_.end())
    return fetch->second.words;
  return "the image " + wish.image.substr(0, 12) + " is not here; " +
         (wish.source == kFleetSource ? "the server is asked for it" : "install it");
}

Verdict Reconciler::verdict_of(const Entry& entry) const {
  const InstanceFacts& facts = entry.instance.facts();
  const ImageInfo* image = parts_.images.find(entry.wish->image);
  if (image == nullptr) return {false, why_no_image(*entry.wish), {}};
  if (!entry.fits) return {false, entry.fits.error().message(), {}};
  const auto& holds = facts.aside ? facts.aside : facts.container;
  if (holds && holds->fingerprint == entry.wish->image)
    return judge(*image, &image->manifest, *entry.wish);
  Verdict verdict = judge(*image, current_manifest(entry.instance.name()), *entry.wish);
  const bool begun =
      facts.aside || (facts.container && facts.container->fingerprint == image->fingerprint);
  if (!verdict.permitted || begun) return verdict;
  if (!entry.room) return {false, entry.room.error().message(), {}};
  return verdict;
}

Situation Reconciler::situation_of(const Entry& entry) const {
  Situation now;
  now.imported = &imported_;
  now.broken_after = options_.broken_after;
  if (!entry.wish) return now;
  now.wish = &*entry.wish;
  const Verdict verdict = verdict_of(entry);
  now.permitted = verdict.permitted;
  now.cause = verdict.cause;
  now.wants_approval = !verdict.wants_approval.empty();
  const Instance& instance = entry.instance;
  const auto& container = instance.facts().container;
  const ImageInfo* there = container ? parts_.images.find(container->fingerprint) : nullptr;
  now.must_stop = there != nullptr && there->signed_by.empty() && !entry.wish->allow_unsigned;
  now.may_run = there != nullptr && (!there->signed_by.empty() || entry.wish->allow_unsigned) &&
                (container->fingerprint != entry.wish->image || entry.fits);
  if (const ImageInfo* image = parts_.images.find(entry.wish->image)) {
    now.version = image->manifest.version;
    now.healthy_within = image->manifest.healthy_within;
  }
  now.deaf = !parts_.services.bus_fault().empty();
  const ImageInfo* target = parts_.images.find(instance.target(now));
  now.interfaces =
      interfaces_json(target == nullptr ? entry.wish->interfaces : interfaces_of(entry, *target));
  now.healthy =
      entry.handed && parts_.services.is_healthy_since(instance.name(), instance.running_since());
  return now;
}

// No deadline passes, and none is far, because somebody set the clock.
Timestamp Reconciler::now() {
  const Timestamp now = options_.clock();
  const Duration ahead = now - steady_time_.at(now);
  if (ahead == ahead_) return now;
  if (std::chrono::abs(ahead - ahead_) >= std::chrono::seconds{1}) {
    log_warning("The clock was set by " + std::to_string(to_seconds(ahead - ahead_)) + " s");
  }
  for (auto& [name, one] : entries_)
    one.instance.clock_stepped(ahead - ahead_);
  ahead_ = ahead;
  next_look_ = next_measure_ = next_turn_ = next_hurry_ = {};
  next_cleaning_ = now + std::chrono::minutes{10};
  return now;
}

void Reconciler::work() {
  const Timestamp now = this->now();
  notice_ends(now);
  if (now >= next_look_) look();
  if (now >= next_measure_) measure();
  if (now >= next_cleaning_) clean_images(now);
  if (now < next_turn_) return;
  next_turn_ = now + kTurnEvery;
  reserve_room();
  std::vector<std::string> names;
  std::set<int> processes;
  for (const auto& [name, one] : entries_) {
    names.push_back(name);
    if (one.instance.is_running()) processes.insert(one.instance.facts().container->process);
  }
  ends_.watch(processes);
  for (const std::string& name : names)
    drive(name, this->now());
}

void Reconciler::restart(const std::string& instance, const std::string& why) {
  const auto found = entries_.find(instance);
  if (found == entries_.end()) return;
  log_info(instance + " is restarted: " + why);
  found->second.instance.restart(why);
  next_turn_ = {};
}

void Reconciler::revive(const std::string& instance, const std::string& why) {
  const auto found = entries_.find(instance);
  if (found == entries_.end()) return;
  log_info(instance + " is started anew: " + why);
  found->second.instance.revive(why);
  save(found->second);
  next_turn_ = {};
}

void Reconciler::retry_update(const std::string& instance) {
  const auto found = entries_.find(instance);
  if (found == entries_.end()) return;
  found->second.instance.retry_update(now());
  save(found->second);
  next_turn_ = {};
}

bool Reconciler::drop_data(const std::string& instance) {
  const auto found = entries_.find(instance);
  if (found == entries_.end() || found->second.wish) return false;
  found->second.instance.drop_data();
  save(found->second);
  next_turn_ = {};
  return true;
}

std::uint64_t Reconciler::keep_config(Entry& entry, const std::string& config,
                                      const std::string& who, const std::string& how) {
  if (!entry.configs) return 0;
  const auto version = entry.configs->add(config, who, how, options_.clock());
  if (version) return version->number;
  log_error(version.error().message());
  return 0;
}

void Reconciler::forget(const std::string& name) {
  parts_.services.removed(name);
  parts_.network.forget(name);
  std::error_code error;
  fs::remove_all(folder_of(name), error);
  if (error) log_error("remove " + folder_of(name) + ": " + error.message());
  entries_.erase(name);
  log_info(name + " is gone with its data");
}

}  // namespace beaconry
