#include "sensor/services/retention_watch.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMostCommands = 4;
constexpr std::size_t kLongestError = 500;

std::optional<Timestamp> time_of(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_string() ? parse_rfc3339(at->get<std::string>()) : std::nullopt;
}

std::uint64_t number_of(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_number_unsigned() ? at->get<std::uint64_t>() : 0;
}

}  // namespace

void RetentionWatch::restore(std::string_view kept_json) {
  const Json kept = Json::parse(kept_json, nullptr, false);
  if (!kept.is_object()) return;
  report_.commanded = time_of(kept, "commanded");
  report_.answered = time_of(kept, "answered");
  report_.before = time_of(kept, "before");
  report_.items = number_of(kept, "items");
  report_.bytes = number_of(kept, "bytes");
  report_.overdue = told_overdue_ = kept.value("overdue", Json()) == true;
  const auto error = kept.find("error");
  if (error != kept.end() && error->is_string()) report_.error = error->get<std::string>();
}

bool RetentionWatch::take_overdue() {
  const bool news = report_.overdue && !told_overdue_;
  told_overdue_ = report_.overdue;
  return news;
}

std::string RetentionWatch::kept() const {
  Json kept{{"items", report_.items},
            {"bytes", report_.bytes},
            {"overdue", report_.overdue},
            {"error", report_.error}};
  const auto write = [&](const char* key, const std::optional<Timestamp>& time) {
    if (time) kept[key] = to_rfc3339(*time);
  };
  write("commanded", report_.commanded);
  write("answered", report_.answered);
  write("before", report_.before);
  return kept.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool RetentionWatch::take_changed() {
  return std::exchange(changed_, false);
}

void RetentionWatch::set(std::chrono::hours retention) {
  if (retention != retention_ && there_) next_.reset();  // another one holds at once
  retention_ = retention;
}

void RetentionWatch::started(Timestamp) {
  there_ = false;
  next_.reset();
  deadline_.reset();
}

void RetentionWatch::stopped() {
  there_ = false;
  deadline_.reset();
}

void RetentionWatch::heard(bool hello) {
  there_ = true;
  if (hello && !commands_.empty()) next_.reset();
}

std::optional<to_instrument::Retain> RetentionWatch::due(Timestamp steady, Timestamp now) const {
  if (!there_ || retention_.count() <= 0 || (next_ && steady < *next_)) return std::nullopt;
  const Timestamp earliest = kEarliest + std::chrono::microseconds{1};
  const Timestamp before = now > kEarliest + retention_ ? now - retention_ : earliest;
  // Milliseconds, as they travel.
  return to_instrument::Retain{make_uuid(), std::chrono::floor<std::chrono::milliseconds>(before)};
}

void RetentionWatch::sent(const to_instrument::Retain& command, Timestamp steady, Timestamp now) {
  if (commands_.size() >= kMostCommands) commands_.pop_front();
  commands_.push_back(command);
  if (!deadline_) deadline_ = steady + kDeadline;
  next_ = steady + kEvery;
  report_.commanded = now;
  changed_ = true;
}

bool RetentionWatch::receipt(const RetentionReceipt& receipt, Timestamp steady, Timestamp now) {
  const auto at = std::find_if(commands_.begin(), commands_.end(),
                               [&](const auto& one) { return one.uuid == receipt.uuid; });
  if (at == commands_.end()) return false;
  const Timestamp wanted = at->before;
  commands_.erase(commands_.begin(), at + 1);
  report_.answered = now;
  report_.before = receipt.before;
  report_.items = receipt.items;
  report_.bytes = receipt.bytes;
  report_.error.clear();
  if (!receipt.error.empty()) {
    report_.error = "it could not: " + utf8_valid(receipt.error.substr(0, kLongestError));
  } else if (receipt.before < wanted) {
    report_.error = "it deleted only what is before " + to_rfc3339(receipt.before) + ", not " +
                    to_rfc3339(wanted);
  } else if (receipt.oldest && *receipt.oldest < wanted) {
    report_.error = "what it still has is of " + to_rfc3339(*receipt.oldest) + ", not after " +
                    to_rfc3339(wanted);
  }
  report_.overdue = !report_.error.empty();
  deadline_.reset();
  if (report_.overdue) next_ = steady + kAgain;
  changed_ = true;
  return true;
}

void RetentionWatch::work(Timestamp steady) {
  if (!deadline_ || steady < *deadline_) return;
  deadline_.reset();
  next_ = steady;  // asks again
  report_.overdue = true;
  report_.error = "no receipt within " + to_words(kDeadline);
  changed_ = true;
}

}  // namespace beaconry
