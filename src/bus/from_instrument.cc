#include <algorithm>
#include <nlohmann/json.hpp>

#include "bus/message_parts.h"
#include "bus/topics.h"

namespace beaconry {
namespace {

using nlohmann::json;
using Need = JsonFields::Need;
using namespace from_instrument;

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 40;
constexpr std::uint64_t kRarest = 366 * 86400;  // seconds between two looks at a resource
constexpr std::size_t kLongestFileName = 64, kLongestPath = 1024;
const std::vector<std::string_view> kAcknowledged{"APPLYING", "APPLIED", "FAILED"};
const std::vector<std::string_view> kFetchStates{"fetched", "unchanged", "failed"};

json write(const Hello& message) {
  return {{"kind", "hello"}, {"version", message.version}, {"sdk", message.sdk}};
}

json write(const Configured& message) {
  return {{"kind", "configured"},
          {"version", message.version},
          {"state", to_string(message.state)},
          {"reason", message.reason}};
}

json write(const HealthAnswer& message) {
  return {{"kind", "health"}, {"uuid", message.uuid}, {"health", to_json(message.health)}};
}

json write(const Receipt& message) {
  const RetentionReceipt& receipt = message.receipt;
  json out{
      {"kind", "receipt"},      {"uuid", receipt.uuid},   {"before", to_rfc3339(receipt.before)},
      {"items", receipt.items}, {"bytes", receipt.bytes}, {"error", receipt.error}};
  if (receipt.oldest) out["oldest"] = to_rfc3339(*receipt.oldest);
  return out;
}

json write(const Publish& message) {
  return {{"kind", "publish"}, {"event", to_json(message.event)}};
}

json write(const Find& message) {
  return {{"kind", "find"}, {"uuid", message.uuid}, {"instrument", message.instrument}};
}

json write(const Want& message) {
  const ResourceWish& wish = message.wish;
  return {{"kind", "want"},
          {"name", wish.name},
          {"url", wish.url},
          {"every_seconds", wish.every.count()},
          {"most_bytes", wish.most_bytes},
          {"sha256", wish.sha256},
          {"executable", wish.executable},
          {"restart", wish.restart}};
}

json write(const Fetched& message) {
  const FetchResult& result = message.result;
  return {{"kind", "fetched"},     {"uuid", result.uuid},
          {"state", result.state}, {"reason", result.reason},
          {"etag", result.etag},   {"sha256", result.sha256},
          {"path", result.path},   {"signature_path", result.signature_path},
          {"bytes", result.bytes}};
}

std::string file_name_of(JsonFields& fields) {
  std::string name = fields.text("name", kLongestFileName);
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (name.empty() || name.front() == '.' || !std::all_of(name.begin(), name.end(), is_plain)) {
    fields.complain("name", "a file's name has letters, digits and . _ - and begins with no dot");
  }
  return name;
}

// The platform reads it in the container: nothing that leads out of the folder.
std::string path_of(JsonFields& fields, const char* key) {
  std::string path = fields.text(key, kLongestPath, Need::optional);
  if (path.empty()) return path;
  const auto is_visible = [](char c) { return c > ' ' && c < '\x7f'; };
  if (!path.starts_with("/transient-data/") || path.find("/..") != std::string::npos ||
      !std::all_of(path.begin(), path.end(), is_visible)) {
    fields.complain(key, "it is no path under /transient-data");
  }
  return path;
}

FromInstrument receipt_of(JsonFields& fields) {
  Receipt message;
  message.receipt.uuid = fields.uuid("uuid");
  message.receipt.before = fields.time("before");
  message.receipt.items = fields.number("items", UINT64_MAX);
  message.receipt.bytes = fields.number("bytes", UINT64_MAX);
  const Timestamp oldest = fields.time("oldest", Need::optional);
  if (oldest != Timestamp{}) message.receipt.oldest = oldest;
  message.receipt.error = fields.text("error", bounds::kText, Need::optional);
  return message;
}

FromInstrument want_of(JsonFields& fields) {
  Want message;
  ResourceWish& wish = message.wish;
  wish.name = file_name_of(fields);
  wish.url = fields.url("url");
  wish.every = std::chrono::seconds{
      static_cast<std::int64_t>(fields.number("every_seconds", kRarest, Need::required))};
  if (wish.every.count() == 0) fields.complain("every_seconds", "it is 0");
  wish.most_bytes = fields.number("most_bytes", kMostBytes);
  wish.sha256 = fields.sha256("sha256");
  wish.executable = fields.flag("executable", false);
  wish.restart = fields.flag("restart", true);
  return message;
}

FromInstrument fetched_of(JsonFields& fields) {
  Fetched message;
  FetchResult& result = message.result;
  result.uuid = fields.uuid("uuid");
  result.state = kFetchStates[fields.one_of("state", kFetchStates)];
  result.reason = fields.text("reason", bounds::kText, Need::optional);
  result.etag = fields.text("etag", bounds::kUrl, Need::optional);
  result.sha256 = fields.sha256("sha256");
  result.path = path_of(fields, "path");
  result.signature_path = path_of(fields, "signature_path");
  result.bytes = fields.number("bytes", kMostBytes, Need::optional);
  if (result.state == "fetched" && result.path.empty()) fields.complain("path", "it is missing");
  return message;
}

FromInstrument find_of(JsonFields& fields) {
  Find message;
  message.uuid = fields.uuid("uuid");
  message.instrument = fields.text("instrument", bounds::kWord, Need::optional);
  if (!message.instrument.empty() && !InstanceName::is_instrument_name(message.instrument)) {
    fields.complain("instrument", "it is no instrument's name");
  }
  return message;
}

FromInstrument configured_of(JsonFields& fields) {
  Configured message;
  message.version = fields.number("version", UINT64_MAX);
  message.state = static_cast<ConfigState>(fields.one_of("state", kAcknowledged) + 1);
  message.reason = fields.text("reason", bounds::kText, Need::optional);
  return message;
}

FromInstrument message_of(JsonFields& fields) {
  const std::string kind = fields.word("kind");
  if (kind == "publish") {
    JsonFields part(fields.object("event"), "event");
    Publish message{event_of(part)};
    fields.take_complaint(part);
    return message;
  }
  if (kind == "health") {
    HealthAnswer message;
    message.uuid = fields.uuid("uuid");
    JsonFields part(fields.object("health"), "health");
    message.health = health_of(part);
    fields.take_complaint(part);
    return message;
  }
  if (kind == "configured") return configured_of(fields);
  if (kind == "receipt") return receipt_of(fields);
  if (kind == "find") return find_of(fields);
  if (kind == "want") return want_of(fields);
  if (kind == "fetched") return fetched_of(fields);
  if (kind != "hello") fields.complain("kind", "the platform does not know it");
  Hello message;
  message.version = fields.text("version", bounds::kWord, Need::optional);
  message.sdk = fields.text("sdk", bounds::kWord, Need::optional);
  return message;
}

}  // namespace

std::string encode(const FromInstrument& message) {
  return json_text(std::visit([](const auto& one) { return write(one); }, message));
}

Result<FromInstrument> decode_from_instrument(std::string_view text) {
  auto value = parse_json(text, bounds::kMessage);
  if (!value) return tl::unexpected<Error>(std::move(value.error()));
  JsonFields fields(*value, "message");
  FromInstrument message = message_of(fields);
  if (!fields.is_good()) return tl::unexpected<Error>(fields.error());
  return message;
}

}  // namespace beaconry
