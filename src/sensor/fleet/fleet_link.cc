#include "sensor/fleet/fleet_link.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/thrown_by.h"
#include "sensor/fleet/event_reader.h"
#include "sensor/fleet/link_threads.h"
#include "spool/disk.h"
#include "uplink/answer.h"

namespace beaconry {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestEvent = kLongestSignedDocument + (64 << 10);
constexpr std::size_t kLongestAsk = 4096, kMostAsks = 16, kLongestAnswer = 64 << 10;
constexpr std::size_t kLongestId = 64, kMostLog = 256 << 10;
// The server says something every 15 s; a connection that a router forgot says nothing at all.
constexpr std::chrono::seconds kLongestSilence{60};
// A stream that lasted so long was no failure: the next one is tried as if it were the first.
constexpr std::chrono::seconds kGoodStream{60};

bool is_id(const std::string& text) {
  return !text.empty() && text.size() <= kLongestId &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_';
         });
}

std::string text_at(const Json& json, const char* key) {
  const auto value = json.is_object() ? json.find(key) : json.end();
  return value != json.end() && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace

std::unique_ptr<FleetLink> FleetLink::start(Options options, Sensor& sensor) {
  auto link = std::make_unique<LinkThreads>(std::move(options), sensor);
  link->begin();
  return link;
}

LinkThreads::LinkThreads(Options options, Sensor& sensor)
    : options_(std::move(options)),
      sensor_(sensor),
      document_({options_.state_folder, options_.fleet_key, options_.fingerprint,
                 options_.server ? options_.server->url : std::string(), options_.allow_unsigned}),
      images_({options_.server, options_.state_folder + "/images", options_.keys_folder,
               options_.inspect, options_.clock, [this] { return random(); }, options_.free_bytes,
               options_.image_piece, 2 * options_.first_wait, 10 * options_.longest_wait},
              sensor),
      random_(std::random_device{}()) {}

void LinkThreads::begin() {
  if (auto made = make_folder(options_.state_folder); !made) log_error(made.error().message());
  document_.recall();
  if (options_.server && options_.fleet_key.empty()) {
    log_warning(
        "The server's key for documents is not known, since it was joined before servers "
        "told one: it cannot manage this sensor until that joins again");
  }
  threads_.emplace_back([this] { run([this] { tell(); }); });
  threads_.emplace_back([this] { run([this] { images_.work(); }); });
  if (options_.server && !options_.fleet_key.empty())
    threads_.emplace_back([this] { run([this] { follow(); }); });
}

// A thread's work, which what is thrown by a fault of ours does not end: another document may be
// the cure of it, and comes by these threads.
void LinkThreads::run(const std::function<void()>& work) {
  while (true) {
    const std::string thrown = thrown_by(work);
    if (thrown.empty()) return;
    {
      const std::lock_guard lock(mutex_);
      set_not_obeyed("the sensor has a fault: " + thrown);
      obeyed_ = false;  // until it is found right
    }
    if (!wait(options_.longest_wait)) return;
  }
}

LinkThreads::~LinkThreads() {
  stopping_ = true;
  images_.stop();
  {
    const std::lock_guard lock(mutex_);
    wake_.notify_all();
  }
  for (std::thread& thread : threads_)
    thread.join();
}

HttpClient::Options LinkThreads::client_options() const {
  HttpClient::Options options = *options_.server;
  options.is_cancelled = [this] { return stopping_.load(); };
  return options;
}

double LinkThreads::random() {
  const std::lock_guard lock(mutex_);
  return std::uniform_real_distribution<double>(0, 1)(random_);
}

bool LinkThreads::wait(Duration time) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, time, [this] { return stopping_.load(); });
  return !stopping_;
}

// Full jitter: where a server comes back, its sensors shall not all be there in the same moment.
void LinkThreads::follow() {
  Duration most = options_.first_wait;
  while (!stopping_) {
    const auto began = Steady::now();
    const auto ended = open_stream();
    if (stopping_) return;
    note_heard(false, ended ? "the server ended the stream" : ended.error().message());
    if (Steady::now() - began >= kGoodStream) most = options_.first_wait;
    if (!wait(std::chrono::duration_cast<Duration>(most * random()))) return;
    most = std::min(2 * most, options_.longest_wait);
  }
}

Result<void> LinkThreads::open_stream() {
  HttpClient::Options options = client_options();
  options.most_body = kLongestAnswer;
  auto client = HttpClient::make(options);
  if (!client) return tl::unexpected<Error>(std::move(client.error()));
  HttpRequest request;
  request.target = "/api/v1/fleet/self/stream?after=" + std::to_string(document_.version());
  request.headers = {{"accept", "text/event-stream"}};
  EventReader reader(kLongestEvent);
  auto heard = Steady::now();
  bool is_open = false;
  std::string fault;
  const auto answer = (*client)->stream(request, [&](std::string_view piece) {
    if (stopping_) return false;
    if (!is_open || !piece.empty()) note_heard(true, {});
    is_open = true;
    if (piece.empty()) {
      if (Steady::now() - heard < kLongestSilence) return true;
      fault = "it said nothing for " + to_words(kLongestSilence);
      return false;
    }
    heard = Steady::now();
    const bool right = reader.take(piece, [&](const EventReader::Event& event) {
      const auto taken = take_event(event.name, event.data);
      if (!taken) fault = taken.error().message();
    });
    if (!right) fault = "it sent an event that is too long";
    return fault.empty();
  });
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (answer->status != 200) fault = words_of_answer(*answer);
  if (fault.empty()) return {};
  return fail(ErrorKind::io, "follow", options_.server->url, fault);
}

void LinkThreads::note_heard(bool connected, const std::string& error) {
  const std::lock_guard lock(mutex_);
  if (connected) heard_ = options_.clock();
  if (connected != connected_ || (!error.empty() && error != stream_error_)) {
    if (connected)
      log_info("Following the wishes of " + options_.server->url);
    else
      log_warning("The server's wishes are not followed now: " + error);
  }
  connected_ = connected;
  stream_error_ = error;
}

Result<void> LinkThreads::take_event(const std::string& name, const std::string& data) {
  if (name == "ask") take_ask(data);
  return name == "desired" ? take_document(data) : Result<void>();
}

Result<void> LinkThreads::take_document(const std::string& message) {
  Result<KeptDocument::Kept> kept = KeptDocument::Kept{};
  {
    const std::lock_guard one(taking_);
    kept = document_.keep(message, options_.clock());
    const std::lock_guard lock(mutex_);
    if (kept && kept->is_news) obeyed_ = false;
    if (!kept) set_not_obeyed(kept.error().message());
  }
  if (!kept) return tl::unexpected<Error>(std::move(kept.error()));
  if (kept->refusal != DocumentRefusal::none)
    log_warning("A document of the server is refused: " + kept->words);
  if (kept->is_news) obey();
  return {};
}

// Said once, however often it is tried again.
void LinkThreads::set_not_obeyed(const std::string& why) {
  if (why == not_obeyed_.words) return;
  if (!why.empty()) log_error("The server's document is not obeyed yet: " + why);
  if (not_obeyed_.words.empty()) not_obeyed_.at = options_.clock();
  not_obeyed_.words = why;
}

void LinkThreads::take_ask(const std::string& json) {
  if (json.size() > kLongestAsk || json_depth(json) > 4) return;
  const Json read = Json::parse(json, nullptr, false);
  Ask ask{text_at(read, "id"), text_at(read, "what"), text_at(read, "instance"), kMostLog};
  ask.instance.resize(std::min(ask.instance.find('@'), ask.instance.size()));  // beacon_0@sensor001
  if (read.is_object() && read.contains("bytes") && read["bytes"].is_number_unsigned())
    ask.bytes = std::min<std::uint64_t>(read["bytes"].get<std::uint64_t>(), kMostLog);
  if (!is_id(ask.id)) return;  // nobody could be answered
  const std::lock_guard lock(mutex_);
  if (asks_.size() >= kMostAsks) asks_.pop_front();  // the server has given it up by now
  asks_.push_back(std::move(ask));
  wake_.notify_all();
}

// The sensor's wish is that of the newest document from here on. Also called anew until it is.
void LinkThreads::obey() {
  const std::lock_guard one(taking_);
  {
    const std::lock_guard lock(mutex_);
    if (obeyed_) return;
  }
  const auto wish = document_.wish();
  const std::uint64_t version_obeyed = document_.version();
  if (wish) {
    const auto version = sensor_.set_fleet(*wish);
    if (stopping_) return;
    const std::lock_guard lock(mutex_);
    set_not_obeyed(version ? std::string() : version.error().message());
    if (!version) return;
    taken_ = options_.clock();
    obeyed_version_ = version_obeyed;
  }
  const std::lock_guard lock(mutex_);
  set_not_obeyed({});
  obeyed_ = true;
  report_now_ = wish.has_value();
  wake_.notify_all();
}

}  // namespace beaconry
