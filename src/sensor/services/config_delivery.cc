#include "sensor/services/config_delivery.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
constexpr unsigned kMostExtensions = 10;  // of a deadline, by hello or APPLYING

std::string text_of(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number_of(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

}  // namespace

ConfigDelivery::ConfigDelivery(std::string target, bool takes_any)
    : target_(std::move(target)), takes_any_(takes_any) {}

void ConfigDelivery::restore(std::string_view kept_json) {
  const Json kept = Json::parse(kept_json, nullptr, false);
  if (!kept.is_object()) return;
  const auto read = [&](const char* key, Document& document) {
    const auto at = kept.find(key);
    if (at == kept.end() || !at->is_object()) return;
    Document found{number_of(*at, "version"), text_of(*at, "uuid"), text_of(*at, "config"),
                   parse_rfc3339(text_of(*at, "timestamp")).value_or(Timestamp{})};
    if (found.uuid.empty() || !Json::accept(found.json)) return;
    document = std::move(found);
  };
  read("wished", wished_);
  read("applied", applied_);
  read("before", before_);
  const auto trial = kept.find("trial");
  trial_ = trial != kept.end() && *trial == true && !applied_.uuid.empty();
  if (!trial_) before_ = {};
  deaths_ = static_cast<unsigned>(std::min<std::uint64_t>(number_of(kept, "deaths"), kMostDeaths));
  maker_ = text_of(kept, "maker");
  failure_ = text_of(kept, "failure");
}

std::string ConfigDelivery::kept() const {
  Json kept{{"maker", maker_}, {"failure", failure_}, {"trial", trial_}, {"deaths", deaths_}};
  const auto write = [&](const char* key, const Document& document) {
    if (document.uuid.empty()) return;
    kept[key] = {{"version", document.version},
                 {"uuid", document.uuid},
                 {"config", document.json},
                 {"timestamp", to_rfc3339(document.time)}};
  };
  write("wished", wished_);
  write("applied", applied_);
  write("before", before_);
  return kept.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool ConfigDelivery::take_changed() {
  return std::exchange(changed_, false);
}

void ConfigDelivery::wish(const std::string& config_json, std::uint64_t version,
                          const std::string& maker, bool takes_any, Timestamp now) {
  takes_any_ = takes_any;
  const bool same = !wished_.uuid.empty() && wished_.version == version &&
                    wished_.json == config_json && (failure_.empty() || maker_ == maker);
  if (maker_ != maker) changed_ = true;
  maker_ = maker;
  if (same) return;
  wished_ = {version, make_uuid(), config_json, now};
  failure_.clear();
  deaths_ = 0;
  under_way_.clear();  // a new one cancels the one before
  deadline_.reset();
  changed_ = true;
}

void ConfigDelivery::started(bool taken_over) {
  there_ = stopping_ = restart_ = false;
  under_way_.clear();
  in_force_.clear();
  given_up_.clear();
  deadline_.reset();
  healthy_since_.reset();
  // It went on with what it had applied; only what is another is delivered.
  if (taken_over && failure_.empty()) in_force_ = applied_.uuid;
}

void ConfigDelivery::stopping() {
  stopping_ = true;
}

void ConfigDelivery::stopped() {
  const std::string& ran = under_way_.empty() ? in_force_ : under_way_;
  const bool applying = !under_way_.empty() && ran == wished_.uuid && failure_.empty() &&
                        applied_.uuid != wished_.uuid;
  const bool tried = trial_ && !before_.uuid.empty() && ran == applied_.uuid;
  if (!stopping_ && !ran.empty() && (applying || tried)) {
    changed_ = true;
    if (++deaths_ >= kMostDeaths) {
      fail("it ended twice " +
           (applying ? "while it was applying version " + std::to_string(wished_.version)
                     : "soon after it had applied version " + std::to_string(applied_.version)));
    }
  }
  there_ = false;
  under_way_.clear();
  in_force_.clear();
  deadline_.reset();
  healthy_since_.reset();
}

void ConfigDelivery::watch(bool healthy, std::chrono::seconds healthy_within, Timestamp steady) {
  if (!trial_) return;
  if (!healthy || in_force_ != applied_.uuid) {
    healthy_since_.reset();
  } else if (!healthy_since_) {
    healthy_since_ = steady;
  } else if (steady - *healthy_since_ >= healthy_within) {
    trial_ = false;
    before_ = {};
    deaths_ = 0;
    changed_ = true;
  }
}

void ConfigDelivery::go_back() {
  applied_ = std::exchange(before_, {});
  trial_ = false;
}

void ConfigDelivery::heard(bool hello, Timestamp steady) {
  there_ = true;
  if (!hello) return;
  in_force_.clear();
  if (!under_way_.empty() && extensions_ < kMostExtensions) {
    ++extensions_;
    deadline_ = steady + kDeadline;
    under_way_.clear();  // sent once more
  }
}

void ConfigDelivery::pause(Timestamp steady) {
  if (deadline_) deadline_ = steady + kDeadline;
  under_way_.clear();  // sent once more
}

const ConfigDelivery::Document* ConfigDelivery::chosen() const {
  if (!takes_any_ || wished_.uuid.empty()) return nullptr;
  if (failure_.empty()) return &wished_;
  return applied_.uuid.empty() ? nullptr : &applied_;
}

std::optional<InstrumentConfig> ConfigDelivery::due() const {
  const Document* document = chosen();
  if (document == nullptr || !there_ || !under_way_.empty()) return std::nullopt;
  if (document->uuid == in_force_ || document->uuid == given_up_) return std::nullopt;
  InstrumentConfig config;
  config.target = target_;
  config.version = document->version;
  config.uuid = document->uuid;
  config.timestamp = document->time;
  config.config_json = document->json;
  return config;
}

void ConfigDelivery::sent(Timestamp steady) {
  const Document* document = chosen();
  if (document == nullptr) return;
  under_way_ = document->uuid;
  in_force_.clear();  // from here on nobody knows
  again_ = steady + kAgain;
  if (!deadline_) {
    deadline_ = steady + kDeadline;
    extensions_ = 0;
  }
}

void ConfigDelivery::answered(const from_instrument::Configured& answer, Timestamp steady) {
  const Document* document = chosen();
  // An answer to what was replaced meanwhile says nothing of the present one.
  if (document == nullptr || under_way_ != document->uuid || answer.version != document->version) {
    return;
  }
  switch (answer.state) {
    case ConfigState::applying:
      again_.reset();
      if (extensions_ >= kMostExtensions) return;
      ++extensions_;
      deadline_ = steady + kDeadline;
      return;
    case ConfigState::applied:
      in_force_ = std::exchange(under_way_, {});
      deadline_.reset();
      if (applied_.uuid != document->uuid) {
        // What was never trusted is nothing to go back to, unless there is nothing else.
        if (!trial_ || before_.uuid.empty()) before_ = applied_;
        applied_ = *document;
        trial_ = true;
        healthy_since_.reset();
        deaths_ = 0;
        changed_ = true;
      }
      return;
    case ConfigState::failed:
    case ConfigState::unset: {
      const std::string words = utf8_valid(answer.reason);
      fail(words.empty() ? "it was refused without a reason" : words);
      return;
    }
  }
}

void ConfigDelivery::work(Timestamp steady) {
  if (!deadline_ || under_way_.empty()) return;
  if (steady < *deadline_) {
    if (again_ && steady >= *again_) under_way_.clear();
    return;
  }
  const bool first = failure_.empty();
  const Document* document = chosen();
  if (document == nullptr) return;
  fail("no answer to version " + std::to_string(document->version) + " within " +
       to_words(kDeadline) + " and more");
  restart_ = first;
}

void ConfigDelivery::fail(const std::string& why) {
  changed_ = true;
  const bool of_fallback = !failure_.empty();
  // It is the one on trial that failed: the wished one, or what was fallen back to.
  const bool of_trial =
      trial_ && !before_.uuid.empty() && (of_fallback || applied_.uuid == wished_.uuid);
  if (of_trial) go_back();
  if (of_fallback && of_trial) {
    failure_ +=
        ", which failed too: " + why + "; back to version " + std::to_string(applied_.version);
  } else if (failure_.empty()) {
    failure_ = why;
    failure_ += applied_.uuid.empty() ? "; there is none that it applied before to fall back to"
                                      : "; back to version " + std::to_string(applied_.version);
  } else if (given_up_.empty()) {
    failure_ += ", which failed too: " + why;
    given_up_ = applied_.uuid;
  }
  under_way_.clear();
  deadline_.reset();
  deaths_ = 0;
  news_ = "version " + std::to_string(wished_.version) + " failed: " + failure_;
}

bool ConfigDelivery::take_restart() {
  return std::exchange(restart_, false);
}

std::optional<std::string> ConfigDelivery::take_news() {
  return std::exchange(news_, std::nullopt);
}

ConfigState ConfigDelivery::state() const {
  if (!takes_any_ || wished_.uuid.empty()) return ConfigState::unset;
  if (!failure_.empty()) return ConfigState::failed;
  if (!in_force_.empty() && in_force_ == wished_.uuid) return ConfigState::applied;
  return under_way_.empty() ? ConfigState::unset : ConfigState::applying;
}

bool ConfigDelivery::is_settled() const {
  if (!takes_any_ || wished_.uuid.empty()) return true;
  if (!under_way_.empty() || due()) return false;
  return state() == ConfigState::applied || state() == ConfigState::failed;
}

InstanceReport::Config ConfigDelivery::report() const {
  InstanceReport::Config config;
  config.state = state();
  config.wished = takes_any_ ? wished_.version : 0;
  config.applied = takes_any_ ? applied_.version : 0;
  config.reason = failure_;
  return config;
}

}  // namespace beaconry
