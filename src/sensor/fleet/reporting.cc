// What goes up: reports and answers.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "sensor/fleet/link_threads.h"
#include "uplink/answer.h"
#include "uplink/signed_report.h"
#include "uplink/zstd_frame.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestAnswer = 1 << 20;  // to an ask
constexpr std::size_t kLongestReply = 64 << 10;  // of the server
constexpr int kPacked = 3;                       // zstd's level

// A part at the end of the tree, as bad as which the whole is.
void add_part(Health& whole, Health part) {
  if (is_worse(part.state, whole.state)) {
    whole.state = part.state;
    whole.cause = part.cause;
    whole.evidence = part.evidence;
    whole.fix = part.fix;
    whole.since = part.since;
  }
  whole.parts.push_back(std::move(part));
}

std::string answer_text(const Json& answer) {
  return answer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void LinkThreads::fill(SensorReport& report) const {
  const ImageFetches fetches = images_.fetches();
  const KeptDocument::Refusal refusal = document_.refusal();
  const std::lock_guard lock(mutex_);
  SensorReport::Fleet& fleet = report.fleet;
  fleet.server = options_.server ? options_.server->url : std::string();
  fleet.key = options_.fleet_key;
  fleet.connected = connected_;
  fleet.error = !not_obeyed_.words.empty() ? not_obeyed_.words
                : !stream_error_.empty()   ? stream_error_
                                           : report_error_;
  fleet.version = obeyed_version_;
  fleet.taken = taken_;
  fleet.heard = heard_;
  fleet.refused = document_.refused();
  fleet.refusal = refusal.words;
  const auto degraded = [&](std::string name, std::string cause, std::string evidence,
                            std::string fix, Timestamp since) {
    Health part;
    part.name = std::move(name);
    part.state = HealthState::degraded;
    part.cause = std::move(cause);
    part.evidence = std::move(evidence);
    part.fix = std::move(fix);
    part.since = since;
    add_part(report.health, std::move(part));
  };
  const std::string wishes = "server's wishes";
  if (options_.server && options_.fleet_key.empty()) {
    degraded(wishes, "the server cannot manage this sensor",
             "it was joined before servers told the key of their documents",
             "join it again, by a new line of 'beaconry enroll sensor' on the server",
             report.started);
  } else if (!not_obeyed_.words.empty()) {
    degraded(wishes, "the server's document is not obeyed yet", not_obeyed_.words,
             "mend what it says; it is tried again by itself", not_obeyed_.at);
  } else if (!refusal.words.empty()) {
    degraded(wishes, "a document of the server is refused", refusal.words,
             "nothing of it is obeyed; see that the sensor joined the server that sends it",
             refusal.at);
  }
  for (const auto& [image, fetch] : fetches) {
    if (fetch.state != UpdateState::failed) continue;
    const std::string name = "image " + image.substr(0, 12);
    degraded(name, name + " cannot be fetched", fetch.words,
             "see its reason; it is tried again by itself", fetch.since);
  }
}

SensorReport LinkThreads::report() const {
  SensorReport report = sensor_.report();
  fill(report);
  return report;
}

std::uint64_t LinkThreads::next_sequence() {
  const std::lock_guard lock(mutex_);
  sequence_ = std::max(sequence_ + 1, options_.sequence());
  return sequence_;
}

Result<std::string> LinkThreads::signed_report() {
  ReportHead head = options_.head;
  head.sequence = next_sequence();
  return sign_report(options_.key_pem, report_body(report(), head));
}

void LinkThreads::tell() {
  std::unique_ptr<HttpClient> client;
  if (options_.server) {
    HttpClient::Options options = client_options();
    options.most_body = kLongestReply;
    auto made = HttpClient::make(options);
    if (made)
      client = std::move(*made);
    else
      log_error("No report can be sent: " + made.error().message());
  }
  std::optional<std::uint64_t> wished_of;
  while (!stopping_) {
    obey();
    const SensorReport now = report();
    if (stopping_ || now.name.empty()) return;  // the sensor has ended
    if (wished_of != now.desired_version && wish_images()) wished_of = now.desired_version;
    if (client) report_if_due(*client, now);
    // One at a time, and none while a trial waits for its proof: an answer may take long.
    const bool answers = client && !trial_;
    if (answers) answer_ask(*client);
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, options_.look_every, [&] {
      return stopping_.load() || (client && report_now_) || (answers && !asks_.empty());
    });
  }
}

// Only those of instances that are the server's: nobody else's images are its to give.
bool LinkThreads::wish_images() {
  const auto state = DesiredState::parse(sensor_.desired().json);
  if (!state) return false;
  std::map<std::string, bool> wished;
  for (const auto& [name, wish] : state->instances) {
    if (wish.source != kFleetSource) continue;
    bool& may_be_unsigned = wished[wish.image];
    may_be_unsigned = may_be_unsigned || wish.allow_unsigned;
  }
  images_.set_wished(std::move(wished));
  return true;
}

void LinkThreads::report_if_due(HttpClient& client, const SensorReport& report) {
  bool at_once = false;
  {
    const std::lock_guard lock(mutex_);
    at_once = report_now_;
  }
  const auto passed = Steady::now() - sent_at_;
  const bool is_first = sent_at_ == Steady::time_point{};
  const std::string meaning = report_meaning(report);
  const auto trial = sensor_.management_trial();
  if (trial != trial_) {  // what failed before it says nothing of it
    trial_ = trial;
    failures_ = 0;
    next_gap_ = options_.report_gap;
  }
  const bool is_due = is_first || (trial && passed >= next_gap_) || passed >= next_report_ ||
                      (passed >= next_gap_ && meaning != sent_meaning_);
  if (!at_once && !is_due) return;
  {
    const std::lock_guard lock(mutex_);
    report_now_ = false;
  }
  sent_at_ = Steady::now();
  next_report_ = options_.report_every;
  next_gap_ = options_.report_gap;
  const bool sent = trial ? prove_way(*trial, report) : send_report(client, report);
  if (sent) {
    sent_meaning_ = meaning;
    failures_ = 0;
    // As many a little later as a little earlier, so that a fleet's reports spread by themselves.
    next_report_ = std::chrono::duration_cast<Duration>(next_report_ * (0.9 + 0.18 * random()));
    return;
  }
  // Again soon, and ever less so; a trial does not last.
  sent_meaning_.clear();
  if (trial) return;
  const Duration most =
      std::min(options_.first_wait * (1 << std::min(failures_++, 20U)), options_.longest_wait);
  next_gap_ = std::max(options_.report_gap, std::chrono::duration_cast<Duration>(most * random()));
}

// A connection of before leads over what was: only one that is made now tells that the machine's
// new network leads to the server.
bool LinkThreads::prove_way(std::uint64_t version, const SensorReport& report) {
  HttpClient::Options options = client_options();
  options.most_body = kLongestReply;
  const auto fresh = HttpClient::make(options);
  if (!fresh || !send_report(**fresh, report)) return false;
  const auto ends = (*fresh)->ends();
  if (!ends) return false;
  const auto kept = sensor_.confirm_management(TrialProof{version, ends->local, ends->peer});
  if (!kept) log_warning("The network on trial is not kept yet: " + kept.error().message());
  return kept.has_value();
}

bool LinkThreads::send_report(HttpClient& client, const SensorReport& report) {
  ReportHead head = options_.head;
  head.sequence = next_sequence();
  HttpRequest request;
  request.method = "PUT";
  request.target = "/api/v1/fleet/self/reported";
  request.headers = {{"content-type", "application/json"}, {"content-encoding", "zstd"}};
  request.body = uplink::compress(report_body(report, head), kPacked);
  const auto answer = client.send(request);
  if (stopping_) return false;
  const std::string fault = !answer                     ? answer.error().message()
                            : answer->status / 100 != 2 ? words_of_answer(*answer)
                                                        : std::string();
  const std::lock_guard lock(mutex_);
  if (!fault.empty() && fault != report_error_) log_warning("The report did not arrive: " + fault);
  report_error_ = fault;
  if (fault.empty()) heard_ = options_.clock();
  return fault.empty();
}

void LinkThreads::answer_ask(HttpClient& client) {
  Ask ask;
  {
    const std::lock_guard lock(mutex_);
    if (asks_.empty()) return;
    ask = std::move(asks_.front());
    asks_.pop_front();
  }
  HttpRequest request;
  request.method = "PUT";
  request.target = "/api/v1/fleet/self/answers/" + ask.id;
  request.headers = {{"content-type", "application/json"}};
  request.body = answer_to(ask);
  const auto answer = client.send(request);
  if (stopping_) return;
  if (!answer || answer->status / 100 != 2) {
    log_warning("An answer to the server did not arrive: " +
                (answer ? words_of_answer(*answer) : answer.error().message()));
  }
}

std::string LinkThreads::answer_to(const Ask& ask) {
  const auto refuse = [](const std::string& why) {
    return answer_text({{"ok", false}, {"error", why}});
  };
  log_info("The server asks for: " + terminal_safe(ask.what.substr(0, 32)) + " of " +
           terminal_safe(ask.instance.substr(0, 64)));
  if (ask.what == "update") {
    const auto done = sensor_.update_now(ask.instance);
    return done ? answer_text({{"ok", true}, {"text", ""}}) : refuse(done.error().message());
  }
  if (ask.what != "log") {
    return refuse(
        "this sensor answers to 'log' and 'update' only; its program is older than the "
        "server's");
  }
  auto log = sensor_.log(ask.instance, ask.bytes);
  if (!log) return refuse(log.error().message());
  std::string text = utf8_valid(*log);
  std::string answer = answer_text({{"ok", true}, {"text", text}});
  while (answer.size() > kLongestAnswer) {  // its end counts, and escapes make it longer
    text = utf8_valid(std::string_view(text).substr(text.size() / 2));
    answer = answer_text({{"ok", true}, {"text", text}});
  }
  return answer;
}

}  // namespace beaconry
