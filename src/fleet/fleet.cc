#include "fleet/fleet.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace beaconry {
namespace {

template <class T>
Result<void> put(Result<std::unique_ptr<T>> made, std::unique_ptr<T>& into) {
  if (!made) return tl::unexpected<Error>(std::move(made.error()));
  into = std::move(*made);
  return {};
}

// A sensor that nothing was ever wished of needs no document that says so.
bool is_nothing(const FleetStore::Sensor& sensor, const MergedLayers& merged) {
  return sensor.wish.version == 0 && merged.json == R"({"instances":{}})";
}

}  // namespace

Fleet::Fleet(Options options)
    : key_(std::move(options.key)),
      tell_(std::move(options.tell)),
      book_(std::make_shared<const LayerBook>()) {}

Fleet::~Fleet() {
  stop();
  if (store_ == nullptr) return;
  if (auto saved = store_->save(); !saved) log_warning(saved.error().message());
}

Result<std::unique_ptr<Fleet>> Fleet::open(Options options, Timestamp now) {
  Database& database = options.database;
  std::unique_ptr<Fleet> fleet(new Fleet(std::move(options)));
  auto done = put(FleetStore::open(database), fleet->store_);
  if (done) done = put(FleetDocuments::open(database), fleet->documents_);
  if (done) done = put(FleetGroups::open(database), fleet->groups_);
  if (done) done = put(FleetReplacements::open(database), fleet->replacements_);
  if (done) done = put(FleetRollouts::open(database, *fleet->documents_), fleet->rollouts_);
  if (done) done = fleet->load(now);
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return fleet;
}

Result<std::shared_ptr<const LayerBook>> Fleet::read_book() const {
  auto book = std::make_shared<LayerBook>();
  const auto groups = groups_->list();
  if (!groups) return tl::unexpected<Error>(groups.error());
  for (const FleetGroups::Group& group : *groups)
    book->set_group(group);
  const auto targets = documents_->targets();
  if (!targets) return tl::unexpected<Error>(targets.error());
  for (const std::string& target : *targets) {
    auto current = documents_->current(target);
    if (!current) return tl::unexpected<Error>(std::move(current.error()));
    if (*current) book->set(target, std::move((*current)->json));
  }
  return std::shared_ptr<const LayerBook>(std::move(book));
}

Result<void> Fleet::load(Timestamp now) {
  opened_ = ticked_ = now;
  store_->set_back(now);
  for (const Found& sensor : store_->sensors())
    last_heard_ = std::max(last_heard_, sensor->memory.heard.value_or(last_heard_));
  const std::lock_guard one(changing_);
  return catch_up(now);
}

// A change that is on disk, and whose sensors' documents could not be made, reaches them now. Under
// changing_.
Result<void> Fleet::catch_up(Timestamp now) {
  {
    const std::lock_guard lock(mutex_);
    if (!behind_) return {};
  }
  auto book = read_book();
  if (!book) return tl::unexpected<Error>(std::move(book.error()));
  const Made made = make(**book, store_->sensors());
  if (auto done = take(std::move(*book), made, now); !done) return done;
  const std::lock_guard lock(mutex_);
  behind_ = false;
  return {};
}

std::shared_ptr<const LayerBook> Fleet::book() const {
  const std::lock_guard lock(mutex_);
  return book_;
}

SensorStanding Fleet::stand(const FleetStore::Sensor& sensor, Timestamp now) const {
  const auto& heard = sensor.memory.heard;
  const Timestamp opened = opened_;
  // Whoever was there when this server went away has some time to come back: it could not be heard.
  const bool may_come =
      heard && *heard < opened && now < opened + kLateAfter && last_heard_ - *heard < kOfflineAfter;
  SensorStanding standing =
      beaconry::stand(sensor.memory, sensor.wish.newest(), may_come ? *heard : now);
  if (may_come) {
    standing.late = true;
    standing.why += std::string(standing.why.empty() ? "" : "; ") +
                    "not heard of since this server started at " + to_rfc3339(opened);
  }
  std::string fault;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = faults_.find(sensor.fingerprint); found != faults_.end())
      fault = found->second;
  }
  if (fault.empty()) return standing;
  constexpr const char* kCause = "its documents do not fit each other: it keeps what it has";
  standing.causes.push_back({kCause, {}, fault, "change the layer that is named"});
  const bool known =
      standing.state == SensorState::healthy || standing.state == SensorState::updating;
  if (known) {
    standing.state = SensorState::unhealthy;
    standing.why = std::string(kCause) + ": " + fault;
  }
  return standing;
}

Fleet::Made Fleet::make(const LayerBook& book, const std::vector<Found>& sensors,
                        const std::string& without) const {
  Made made;
  const auto overlay = [&](const std::string& target, std::string_view sensor) -> LayerBook::Text {
    return target == without ? nullptr : rollouts_->layer_for(target, sensor);
  };
  LayerBook::Merger merger(book, overlay);
  for (const Found& sensor : sensors) {
    auto merged = merger.merge({sensor->fingerprint, sensor->labels});
    if (!merged) {
      merged.error().subject = sensor->name + ": " + merged.error().subject;
      made.faults.emplace(sensor->fingerprint, std::move(merged.error()));
    } else {
      made.wanted.push_back({sensor->fingerprint, std::move(*merged)});
    }
  }
  return made;
}

Result<void> Fleet::refuse_new_faults(const Made& made) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [fingerprint, error] : made.faults) {
    if (faults_.count(fingerprint) == 0) return tl::unexpected<Error>(error);
  }
  return {};
}

// Under changing_.
Result<void> Fleet::take(std::shared_ptr<const LayerBook> book, const Made& made, Timestamp now) {
  std::vector<FleetStore::Wanted> wanted;
  for (const FleetStore::Wanted& each : made.wanted) {
    const Found sensor = store_->find(each.fingerprint);
    if (sensor && !is_nothing(*sensor, *each.merged)) wanted.push_back(each);
  }
  {
    const std::lock_guard lock(mutex_);
    if (book) book_ = std::move(book);
    for (const FleetStore::Wanted& each : made.wanted)
      faults_.erase(each.fingerprint);
    for (const auto& [fingerprint, error] : made.faults)
      faults_[fingerprint] = error.message();
  }
  const auto changed = store_->wish(wanted, now);
  if (!changed) {
    const std::lock_guard lock(mutex_);
    behind_ = true;
    return tl::unexpected<Error>(changed.error());
  }
  for (const std::string& fingerprint : *changed) {
    push(fingerprint);
    note(fingerprint);
  }
  return {};
}

// Under changing_.
Result<void> Fleet::remake(const std::vector<Found>& sensors, Timestamp now) {
  return take(nullptr, make(*book(), sensors), now);
}

Result<std::string> Fleet::signed_document(const FleetStore::Sensor& sensor) const {
  const FleetStore::Wish& wish = sensor.wish;
  if (wish.version == 0)
    return fail(ErrorKind::not_found, "sign", "the document of " + sensor.name,
                "nothing was wished of it yet");
  return key_.sign({sensor.fingerprint, wish.version, wish.since, wish.document(), wish.origin()});
}

void Fleet::push(const std::string& fingerprint) {
  const Found sensor = store_->find(fingerprint);
  if (!sensor || sensor->wish.version == 0) return;
  const bool told = lines_.tell(fingerprint, sensor->wish.version, [&]() -> std::string {
    auto message = signed_document(*sensor);
    if (message) return std::move(*message);
    log_error(message.error().message());
    return {};
  });
  if (told) ++pushed_;
}

void Fleet::note(const std::string& fingerprint) {
  const std::lock_guard lock(mutex_);
  noted_.insert(fingerprint);
}

Result<std::shared_ptr<EventStream>> Fleet::listen(const std::string& fingerprint,
                                                   std::uint64_t version, Timestamp now) {
  const auto none = [&] {
    return fail(ErrorKind::not_found, "stream", "to sensor " + terminal_safe(fingerprint),
                "there is none of this key; join it to this server");
  };
  const Found sensor = store_->find(fingerprint);
  if (!sensor) return none();
  auto stream = lines_.open(fingerprint, std::min(version, sensor->wish.version));
  // One that is forgotten from here on finds its stream closed.
  if (!store_->find(fingerprint)) {
    lines_.close(fingerprint);
    return none();
  }
  if (version > sensor->wish.version && sensor->wish.version > 0) {
    // This server was restored from a back-up: what it says goes on above.
    store_->has(fingerprint, version);
    const std::lock_guard one(changing_);
    const Found still = store_->find(fingerprint);
    if (!still) return none();
    if (auto done = remake({still}, now); !done)
      return tl::unexpected<Error>(std::move(done.error()));
  }
  push(fingerprint);
  for (const FleetAsks::Asked& each : asks_.untold(fingerprint, now)) {
    if (lines_.ask(fingerprint, each.json)) asks_.was_told(each.id);
  }
  return stream;
}

Result<Fleet::Taken> Fleet::hear(const std::string& fingerprint, const std::string& report,
                                 const std::string& address, Timestamp now) {
  return take_report(fingerprint, report, address, false, now);
}

Result<Fleet::Taken> Fleet::hear_file(const std::string& fingerprint, const std::string& report,
                                      Timestamp now) {
  return take_report(fingerprint, report, "a file", true, now);
}

Result<Fleet::Taken> Fleet::take_report(const std::string& fingerprint, const std::string& report,
                                        const std::string& address, bool carried, Timestamp now) {
  const auto read = Reported::parse(report);
  if (!read) {
    ++refused_;
    return tl::unexpected<Error>(read.error());
  }
  const auto heard = store_->hear(fingerprint, *read, address, now, carried);
  if (!heard) {
    ++refused_;
    return tl::unexpected<Error>(heard.error());
  }
  ++(*heard == SensorIdentity::Heard::stale ? stale_ : taken_);
  if (*heard == SensorIdentity::Heard::conflict) ++conflicts_;
  note(fingerprint);
  Found sensor = store_->find(fingerprint);
  if (!sensor) return Taken{*heard, 0};
  if (sensor->wish.version > 0 && sensor->memory.version > sensor->wish.version &&
      sensor->memory.version < FleetStore::kMostVersion) {
    const std::lock_guard one(changing_);
    if (auto done = remake({sensor}, now); !done)
      return tl::unexpected<Error>(std::move(done.error()));
    sensor = store_->find(fingerprint);
  }
  return Taken{*heard, sensor ? sensor->wish.version : 0};
}

Fleet::Counters Fleet::counters() const {
  return {taken_, stale_, conflicts_, refused_, pushed_};
}

}  // namespace beaconry
