#include "sdk/instrument_loop.h"

#include <poll.h>

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "bus/json_fields.h"
#include "bus/topics.h"
#include "sdk/guarded.h"

namespace beaconry::sdk {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto kResendAfter = 20s;  // of no acknowledgement: the broker may have dropped it
constexpr auto kSearchPatience = 10s;
constexpr auto kLastWords = 1s;
constexpr auto kGroupTime = 100ms;
constexpr std::size_t kGroup = 64;
constexpr std::size_t kMostWaiting = 256;  // searches, questions, answers: of each
constexpr std::size_t kMostWishes = 64;

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace

InstrumentLoop::InstrumentLoop(const Handlers& handlers, OwnIdentity own, Outbox outbox)
    : handlers_(handlers),
      own_(std::move(own)),
      link_(own_.bus, {topics::to_instrument(own_.identity.instance),
                       topics::direct_filter(own_.identity.instance)}),
      outbox_(std::move(outbox)) {}

int InstrumentLoop::serve(int signals) {
  auto tick_at = Clock::now();
  std::vector<MqttClient::Message> messages;
  while (!status_) {
    if (link_.work(messages)) connected();
    for (const MqttClient::Message& message : messages) {
      if (!status_) hear(message);
    }
    messages.clear();
    if (!status_) answer_health();
    give_up_waiting();
    if (!status_ && handlers_.tick && Clock::now() >= tick_at) {
      tick_at = Clock::now() + handlers_.tick_every;
      guarded("tick", [&] { handlers_.tick(*this); });
    }
    say_answers();
    say_events();
    if (status_) break;
    auto longest = std::min<milliseconds>(link_.pause(), 1s);
    if (handlers_.tick) {
      longest = std::min(longest, std::chrono::ceil<milliseconds>(tick_at - Clock::now()));
    }
    pollfd ready[2] = {{signals, POLLIN, 0}, {link_.descriptor(), POLLIN, 0}};
    if (link_.wants_write()) ready[1].events |= POLLOUT;
    ::poll(ready, 2, static_cast<int>(std::max<std::int64_t>(longest.count(), 0)));
    if ((ready[0].revents & POLLIN) != 0) end(0);
  }
  if (handlers_.stop) guarded("stop", [&] { handlers_.stop(*this); });
  last_words();
  return *status_;
}

// What was emitted while it stopped gets a moment; the rest is said after the next start.
void InstrumentLoop::last_words() {
  std::vector<MqttClient::Message> messages;
  const auto until = Clock::now() + kLastWords;
  while (link_.is_up() && Clock::now() < until) {
    say_answers();
    say_events();
    if (outbox_.size() == 0 && answers_.empty() && !link_.wants_write()) return;
    pollfd ready{link_.descriptor(), POLLIN, 0};
    if (link_.wants_write()) ready.events |= POLLOUT;
    ::poll(&ready, 1, 50);
    link_.work(messages);
    for (const MqttClient::Message& message : messages) {
      const auto decoded = decode_to_instrument(message.payload);
      if (!decoded) continue;
      if (const auto* done = std::get_if<to_instrument::Acknowledge>(&*decoded)) hear(*done);
    }
    messages.clear();
  }
}

void InstrumentLoop::end(int status) {
  if (!status_) status_ = status;
}

void InstrumentLoop::connected() {
  outbox_.rewind();
  progress_ = Clock::now();
  const from_instrument::Hello hello{own_.version, "beaconry"};
  answers_.push_front(encode(FromInstrument{hello}));
  for (const auto& entry : wishes_)
    answer(from_instrument::Want{entry.second});
  say_answers();
}

void InstrumentLoop::say_answers() {
  if (!link_.is_up()) return;
  const std::string out = topics::from_instrument(own_.identity.instance);
  while (!answers_.empty() && link_.say(out, answers_.front()))
    answers_.pop_front();
}

void InstrumentLoop::say_events() {
  next_group_ = Clock::now() + kGroupTime;
  // A disk that fails is no reason to keep them to ourselves.
  if (auto synced = outbox_.sync(); !synced) log_warning("outbox: " + synced.error().message());
  if (!link_.is_up()) return;
  if (outbox_.on_the_way() > 0 && Clock::now() - progress_ > kResendAfter) {
    outbox_.rewind();
    progress_ = Clock::now();
  }
  const std::string out = topics::from_instrument(own_.identity.instance);
  while (const std::string* event = outbox_.next()) {
    if (outbox_.on_the_way() == 0) progress_ = Clock::now();
    if (!link_.say(out, R"({"kind":"publish","event":)" + *event + "}")) return;
    outbox_.said();
  }
}

void InstrumentLoop::give_up_waiting() {
  const auto time = Clock::now();
  // Taken out first: a handler may ask anew.
  for (auto it = searches_.begin(); it != searches_.end();) {
    if (it->second.until > time) {
      ++it;
      continue;
    }
    auto over = searches_.extract(it++);
    guarded("found", [&] { over.mapped().found({}); });
    return;  // the iterator may be no good any more; the next turn goes on
  }
  for (auto it = questions_.begin(); it != questions_.end(); ++it) {
    if (it->second.until > time) continue;
    auto over = questions_.extract(it);
    guarded("reply", [&] {
      over.mapped().reply(
          Result<nlohmann::json>(fail(ErrorKind::io, "ask", over.mapped().to, "no reply in time")));
    });
    return;
  }
}

void InstrumentLoop::answer(const FromInstrument& message) {
  std::string json = encode(message);
  if (auto good = decode_from_instrument(json); !good) {
    log_warning("not said to the platform: " + good.error().message());
    return;
  }
  if (answers_.size() >= kMostWaiting) {
    log_warning("the bus is away for long: an answer to the platform is dropped");
    answers_.pop_front();
  }
  answers_.push_back(std::move(json));
  say_answers();
}

Result<std::string> InstrumentLoop::emit(std::string_view type, std::string_view message,
                                         const nlohmann::json& data) {
  Event event;
  event.uuid = make_uuid();
  event.timestamp = now();
  event.type = "instruments." + own_.identity.instrument + ".ev." + std::string(type);
  event.message = message;
  event.data_json = json_text(data);
  if (auto put = outbox_.put(event); !put) return tl::unexpected<Error>(std::move(put.error()));
  // Those of a burst are synced and said together, by the end of this handler at the latest.
  if (outbox_.unsynced() >= kGroup || Clock::now() >= next_group_) say_events();
  return event.uuid;
}

Result<void> InstrumentLoop::subscribe(std::string_view instrument) {
  if (!InstanceName::is_instrument_name(instrument)) {
    return fail(ErrorKind::usage, "subscribe to", std::string(instrument), "it is no instrument");
  }
  return link_.subscribe(topics::events_filter(instrument));
}

Result<void> InstrumentLoop::find(std::string_view instrument, Found found) {
  if (searches_.size() >= kMostWaiting) {
    return fail(ErrorKind::limit, "find", std::string(instrument), "too many searches wait");
  }
  const std::string uuid = make_uuid();
  answer(from_instrument::Find{uuid, std::string(instrument)});
  searches_[uuid] = {std::move(found), Clock::now() + kSearchPatience};
  return {};
}

Result<void> InstrumentLoop::say_direct(std::string_view to, const DirectMessage& message) {
  const std::string json = encode(message);
  auto good = decode_direct(json);
  if (!good) return tl::unexpected<Error>(std::move(good.error()));
  const std::string_view instance = to.substr(0, to.find('@'));
  if (!InstanceName::parse(instance)) {
    return fail(ErrorKind::usage, "send to", std::string(to), "it is no instance: NAME_0");
  }
  return link_.say(topics::direct(instance, own_.identity.instance), json);
}

Result<void> InstrumentLoop::send(std::string_view to, const nlohmann::json& body) {
  return say_direct(to, {DirectMessage::Kind::message, make_uuid(), "", json_text(body)});
}

Result<void> InstrumentLoop::request(std::string_view to, const nlohmann::json& body, Reply reply,
                                     std::chrono::seconds patience) {
  if (questions_.size() >= kMostWaiting) {
    return fail(ErrorKind::limit, "ask", std::string(to), "too many requests wait");
  }
  const std::string uuid = make_uuid();
  auto said = say_direct(to, {DirectMessage::Kind::request, uuid, "", json_text(body)});
  if (!said) return said;
  questions_[uuid] = {std::string(to.substr(0, to.find('@'))), std::move(reply),
                      Clock::now() + patience};
  return {};
}

Result<void> InstrumentLoop::want(const ResourceWish& wish) {
  const FromInstrument message = from_instrument::Want{wish};
  auto good = decode_from_instrument(encode(message));
  if (!good) return tl::unexpected<Error>(std::move(good.error()));
  if (wishes_.size() >= kMostWishes && !wishes_.contains(wish.name)) {
    return fail(ErrorKind::limit, "want", wish.name, "too many resources");
  }
  wishes_[wish.name] = wish;
  // A new connection says all of them.
  if (link_.is_up()) answer(message);
  return {};
}

void InstrumentLoop::fetched(const FetchResult& result) {
  answer(from_instrument::Fetched{result});
}

}  // namespace beaconry::sdk
