#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "fleet/document_text.h"
#include "fleet/rollout.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
using Phase = Rollout::Phase;
using Stage = Rollout::Stage;

constexpr std::size_t kLongestRollout = std::size_t{64} << 20;

constexpr std::array<std::pair<Phase, std::string_view>, 7> kPhases = {
    {{Phase::running, "running"},
     {Phase::paused, "paused"},
     {Phase::approval, "approval"},
     {Phase::reverting, "reverting"},
     {Phase::done, "done"},
     {Phase::reverted, "reverted"},
     {Phase::aborted, "aborted"}}};
constexpr std::array<std::pair<Stage, std::string_view>, 7> kStages = {
    {{Stage::waiting, "waiting"},
     {Stage::changing, "changing"},
     {Stage::done, "done"},
     {Stage::failed, "failed"},
     {Stage::returning, "returning"},
     {Stage::returned, "returned"},
     {Stage::gone, "gone"}}};

template <class Table, class Value>
std::string_view word_of(const Table& table, Value value) {
  for (const auto& [known, word] : table) {
    if (known == value) return word;
  }
  return table.front().second;
}

template <class Table>
auto value_of(const Table& table, const std::string& word) {
  for (const auto& [value, known] : table) {
    if (known == word) return value;
  }
  throw Json::other_error::create(501, "unknown word " + word, nullptr);
}

std::int64_t number(Timestamp time) {
  return time.time_since_epoch().count();
}
Timestamp time_of(const Json& json) {
  return Timestamp{Duration{json.get<std::int64_t>()}};
}

}  // namespace

std::string_view to_string(Rollout::Phase phase) {
  return word_of(kPhases, phase);
}

std::string_view to_string(Rollout::Stage stage) {
  return word_of(kStages, stage);
}

std::string Rollout::to_json() const {
  Json turns = Json::object();
  for (const auto& [sensor, turn] : turns_) {
    turns[sensor] = {
        {"stage", to_string(turn.stage)},
        {"since", number(turn.since)},
        {"healthy_since", turn.healthy_since ? Json(number(*turn.healthy_since)) : Json(nullptr)},
        {"failed", turn.failed},
        {"words", turn.words},
        {"asked", turn.asked},
        {"answered", turn.answered}};
  }
  return text_of({{"format", 1},
                  {"plan",
                   {{"sensors", plan_.sensors},
                    {"canary", plan_.canary},
                    {"max_parallel", plan_.max_parallel},
                    {"max_failures", plan_.max_failures},
                    {"min_healthy_time", plan_.min_healthy_time.count()},
                    {"healthy_deadline", plan_.healthy_deadline.count()},
                    {"auto_revert", plan_.auto_revert},
                    {"widened", plan_.widened}}},
                  {"phase", beaconry::to_string(phase_)},
                  {"end", beaconry::to_string(end_)},
                  {"since", number(since_)},
                  {"words", words_},
                  {"forgiven", forgiven_},
                  {"widened", widened_},
                  {"approved", approved_},
                  {"turns", std::move(turns)}});
}

Result<Rollout> Rollout::parse(const std::string& text) {
  const auto json = parse_object(text, "rollout", kLongestRollout);
  if (!json) return tl::unexpected<Error>(json.error());
  try {
    if (json->at("format") != 1)
      return fail(ErrorKind::unsupported, "read", "rollout", "of a newer program's format");
    Rollout out;
    const Json& plan = json->at("plan");
    plan.at("sensors").get_to(out.plan_.sensors);
    plan.at("canary").get_to(out.plan_.canary);
    plan.at("max_parallel").get_to(out.plan_.max_parallel);
    plan.at("max_failures").get_to(out.plan_.max_failures);
    out.plan_.min_healthy_time = Duration{plan.at("min_healthy_time").get<std::int64_t>()};
    out.plan_.healthy_deadline = Duration{plan.at("healthy_deadline").get<std::int64_t>()};
    plan.at("auto_revert").get_to(out.plan_.auto_revert);
    plan.at("widened").get_to(out.plan_.widened);
    if (auto right = out.plan_.check(); !right)
      return tl::unexpected<Error>(std::move(right.error()));
    out.phase_ = value_of(kPhases, json->at("phase").get<std::string>());
    out.end_ = value_of(kPhases, json->at("end").get<std::string>());
    out.since_ = time_of(json->at("since"));
    json->at("words").get_to(out.words_);
    json->at("forgiven").get_to(out.forgiven_);
    json->at("widened").get_to(out.widened_);
    json->at("approved").get_to(out.approved_);
    for (const std::string& sensor : out.plan_.sensors) {
      const Json& each = json->at("turns").at(sensor);
      Turn& turn = out.turns_[sensor];
      turn.stage = value_of(kStages, each.at("stage").get<std::string>());
      turn.since = time_of(each.at("since"));
      if (!each.at("healthy_since").is_null())
        turn.healthy_since = time_of(each.at("healthy_since"));
      each.at("failed").get_to(turn.failed);
      each.at("words").get_to(turn.words);
      turn.asked = each.value("asked", turn.asked);
      turn.answered = each.value("answered", turn.answered);
    }
    return out;
  } catch (const Json::exception& fault) {
    return fail(ErrorKind::malformed, "read", "rollout", fault.what());
  }
}

}  // namespace beaconry
