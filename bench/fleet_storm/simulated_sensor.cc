#include "fleet_storm/simulated_sensor.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "config/signed_document.h"
#include "http/certificates.h"
#include "uplink/answer.h"
#include "uplink/zstd_frame.h"

namespace beaconry::bench {
namespace {

using nlohmann::json;
constexpr std::chrono::seconds kLongestPause{60}, kReportEvery{55};
constexpr int kPacked = 3;  // zstd's level

Timestamp now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::string sensor_name(unsigned number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "sensor%04u", number);
  return text.data();
}

std::uint64_t mixed(std::uint64_t value) {  // splitmix64
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

json parsed(const std::string& text) {
  return json::parse(text, nullptr, false);
}

}  // namespace

InstrumentEvent event_of(unsigned sensor, const EventRun& run, std::uint32_t at) {
  const std::uint64_t number = run.first + at;
  const std::uint64_t high = mixed(std::uint64_t{sensor} << 40 | number), low = mixed(~high);
  std::array<char, 48> uuid{};
  std::snprintf(uuid.data(), uuid.size(), "%08llx-%04llx-4%03llx-8%03llx-%012llx",
                static_cast<unsigned long long>(high >> 32),
                static_cast<unsigned long long>(high >> 16 & 0xffff),
                static_cast<unsigned long long>(high & 0xfff),
                static_cast<unsigned long long>(low >> 52),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  InstrumentEvent event;
  event.instance = "beacon_" + std::to_string(number % kInstruments);
  event.uuid = uuid.data();
  event.time = run.begin + run.step * (at / kInstruments);
  event.type = "instruments.beacon.ev.probe";
  event.message = "probe " + std::to_string(number) + " answered";
  event.data_json = R"({"home":"home.example.org","method":"dns","sequence":)" +
                    std::to_string(number) + R"(,"milliseconds":)" + std::to_string(10 + low % 90) +
                    "}";
  return event;
}

SimulatedSensor::SimulatedSensor(EventLoop& loop, Traffic& traffic, Endpoint server, TlsContext tls,
                                 unsigned number)
    : number_(number),
      name_(sensor_name(number)),
      stream_client_(loop, traffic, server, tls),
      report_client_(loop, traffic, server, tls),
      event_client_(loop, traffic, server, tls),
      random_(number),
      boot_(random_hex(16)),
      started_(now()),
      incarnation_(random_hex(16)) {}

Result<std::unique_ptr<SimulatedSensor>> SimulatedSensor::make(EventLoop& loop, Traffic& traffic,
                                                               const Server& server,
                                                               unsigned number) {
  const auto made = make_self_signed(sensor_name(number), now());
  if (!made) return tl::unexpected<Error>(made.error());
  auto fingerprint = key_fingerprint(made->certificate_pem);
  if (!fingerprint) return tl::unexpected<Error>(fingerprint.error());
  TlsContext::Trust trust;
  trust.ca_pem = server.ca_pem;
  trust.certificate_pem = made->certificate_pem;
  trust.key_pem = made->key_pem;
  auto tls = TlsContext::for_client(trust);
  if (!tls) return tl::unexpected<Error>(tls.error());
  std::unique_ptr<SimulatedSensor> sensor(
      new SimulatedSensor(loop, traffic, server.at, std::move(*tls), number));
  sensor->fingerprint_ = std::move(*fingerprint);
  sensor->certificate_pem_ = made->certificate_pem;
  return sensor;
}

void SimulatedSensor::note(const AsyncClient::Answer& answer, const char* what) {
  if (answer.status != 0 && answer.status != 503) ++seen_.refusals;
  seen_.last_error =
      std::string(what) + ": " +
      (answer.status == 0 ? answer.error : std::to_string(answer.status) + ' ' + answer.body);
}

void SimulatedSensor::join(const std::string& token) {
  const json body{
      {"token", token}, {"kind", "sensor"}, {"name", name_}, {"certificate", certificate_pem_}};
  report_client_.send({"POST", "/api/v1/enroll", "application/json", body.dump()},
                      [this](const AsyncClient::Answer& answer) {
                        if (answer.status != 200) return note(answer, "join");
                        const json got = parsed(answer.body);
                        if (!got.is_object() || got.value("edge", "") != fingerprint_) {
                          return note(answer, "join");
                        }
                        fleet_key_ = got.value("fleet_key", "");
                        joined_ = true;
                      });
}

void SimulatedSensor::go_online() {
  online_ = true;
  stream_pauses_ = report_pauses_ = event_pauses_ = {};
}

void SimulatedSensor::go_offline() {
  online_ = streaming_ = false;
  stream_client_.close();
  report_client_.close();
  event_client_.close();
}

// Doubles from 1 s to 60 s. The stream's and the reports' are left to chance as a whole, so that a
// thousand sensors are not back in one second; the sender's by half (uplink/sender.cc).
void SimulatedSensor::pause(Pauses& pauses, bool full_jitter) {
  const auto whole = std::chrono::milliseconds(
      std::min<std::int64_t>(std::chrono::milliseconds(kLongestPause).count(),
                             std::int64_t{1000} << std::min(pauses.tries, 16U)));
  ++pauses.tries;
  std::uniform_int_distribution<std::int64_t> part(full_jitter ? 0 : whole.count() / 2,
                                                   whole.count());
  pauses.next = Clock::now() + std::chrono::milliseconds(part(random_));
}

void SimulatedSensor::tick(Clock::time_point at) {
  stream_client_.check_patience(at);
  report_client_.check_patience(at);
  event_client_.check_patience(at);
  if (!online_) return;
  if (!stream_client_.busy() && at >= stream_pauses_.next) open_stream();
  if (!report_client_.busy() && at >= report_pauses_.next && (report_now_ || at >= next_report_)) {
    report();
  }
  if (!event_client_.busy() && !waiting_.empty() && at >= event_pauses_.next) send_batch();
}

void SimulatedSensor::open_stream() {
  ++seen_.stream_tries;
  line_.clear();
  event_.clear();
  data_.clear();
  has_data_ = false;
  stream_client_.stream(
      "/api/v1/fleet/self/stream?after=" + std::to_string(seen_.version),
      [this](std::string_view piece) {
        if (piece.empty()) {
          streaming_ = true;
          stream_pauses_ = {};
          return;
        }
        take_stream(piece);
      },
      [this](const AsyncClient::Answer& answer) {
        streaming_ = false;
        if (answer.status != 200) note(answer, "stream");
        pause(stream_pauses_, true);
      });
}

void SimulatedSensor::take_stream(std::string_view piece) {
  line_.append(piece);
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = line_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    take_line(std::string_view(line_).substr(begin, end - begin));
  }
  line_.erase(0, begin);
}

void SimulatedSensor::take_line(std::string_view line) {
  const auto rest = [&](std::string_view prefix) {
    line.remove_prefix(prefix.size());
    if (line.starts_with(' ')) line.remove_prefix(1);
    return line;
  };
  if (line.starts_with("event:")) {
    event_ = rest("event:");
  } else if (line.starts_with("data:")) {
    if (std::exchange(has_data_, true)) data_ += '\n';
    data_ += rest("data:");
  } else if (line.empty()) {
    if (event_ == "desired") take_document(data_);
    event_.clear();
    data_.clear();
    has_data_ = false;
  }
}

void SimulatedSensor::take_document(std::string_view message) {
  ++seen_.documents;
  const CheckedDocument checked =
      check_signed_document(message, fleet_key_, fingerprint_, seen_.version);
  if (!checked.document) {
    ++seen_.refused_documents;
    seen_.last_error = checked.words;
    return;
  }
  if (checked.document->version == seen_.version) return;
  seen_.version = checked.document->version;
  seen_.checked = Clock::now();
  ++config_version_;
  report_now_ = true;
  if (!report_client_.busy()) report();
}

void SimulatedSensor::report() {
  report_now_ = false;
  std::uniform_int_distribution<std::int64_t> jitter(-6'000, 6'000);
  next_report_ = Clock::now() + kReportEvery + std::chrono::milliseconds(jitter(random_));
  const std::uint64_t version = seen_.version;
  const std::string body =
      R"({"boot":")" + boot_ + R"(","machine":")" + fingerprint_.substr(0, 32) +
      R"(","sequence":)" + std::to_string(++report_sequence_) + R"(,"reported":)" +
      reported_state(name_, version, config_version_, started_, now(), next_event_) + '}';
  report_client_.send({"PUT", "/api/v1/fleet/self/reported", "application/json",
                       uplink::compress(body, kPacked), "zstd"},
                      [this, version](const AsyncClient::Answer& answer) {
                        if (answer.status / 100 != 2) {
                          note(answer, "report");
                          report_now_ = true;
                          return pause(report_pauses_, true);
                        }
                        report_pauses_ = {};
                        if (version > seen_.reported_version) {
                          seen_.reported_version = version;
                          seen_.reported = Clock::now();
                        }
                      });
}

void SimulatedSensor::add_events(std::uint32_t count, Timestamp begin, Duration step) {
  const EventRun run{next_event_, count, begin, step};
  next_event_ += count;
  waiting_.push_back({next_sequence_++, run, Clock::now()});
  runs_.push_back(run);
  if (online_ && !event_client_.busy() && Clock::now() >= event_pauses_.next) send_batch();
}

void SimulatedSensor::send_batch() {
  const Waiting& first = waiting_.front();
  InstrumentEventBatch batch;
  batch.made = first.run.begin + first.run.step * (first.run.count / kInstruments);
  for (std::uint32_t i = 0; i < first.run.count; ++i)
    batch.events.push_back(event_of(number_, first.run, i));
  Envelope envelope;
  envelope.edge = fingerprint_;
  envelope.edge_name = name_;
  envelope.content_kind = ContentKind::instrument_events;
  envelope.incarnation = incarnation_;
  envelope.sequence = first.sequence;
  envelope.sent = now();
  envelope.content = encode_instrument_events(batch);
  event_client_.send(
      {"POST", "/api/v1/telemetry", "application/x-protobuf", encode_envelope(envelope)},
      [this](const AsyncClient::Answer& answer) {
        HttpResponse response;
        response.status = answer.status;
        response.body = answer.body;
        const bool refused = answer.status == 400 || answer.status == 413 || answer.status == 422;
        if (!refused && !says_accepted(response)) {
          note(answer, "events");
          return pause(event_pauses_, false);
        }
        event_pauses_ = {};
        const Waiting& sent = waiting_.front();
        if (refused) {
          note(answer, "events");
          ++seen_.refused_batches;
        } else {
          seen_.accepted += sent.run.count;
          delays_.push_back(std::chrono::duration<float>(Clock::now() - sent.since).count());
        }
        waiting_.pop_front();
        if (online_ && !waiting_.empty()) send_batch();
      });
}

}  // namespace beaconry::bench
