#include "sensor/api.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/text.h"
#include "sensor/api_body.h"
#include "sensor/fleet/origin.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;
using Version = DocumentHistory::Version;

constexpr std::size_t kMostBody = 4 << 20;
constexpr std::uint64_t kMostLog = 1 << 20, kMostEvents = 10'000;
// Each takes a thread of the API until it ends, and others shall be answered meanwhile.
constexpr unsigned kMostCommands = 2;

struct Call {
  Sensor& sensor;
  FleetLink* fleet;
  std::atomic<unsigned>& commands;
  const HttpRequest& request;
  std::string name;  // what stood for * in the path
  std::string who;
};

HttpResponse answer(const Json& json, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  response.body += '\n';
  return response;
}

HttpResponse refuse(int status, const std::string& words) {
  return answer({{"error", words}}, status);
}

// What the sensor calls `usage` is at odds with what there is.
HttpResponse refuse(const Error& error) {
  switch (error.kind) {
    case ErrorKind::malformed:
    case ErrorKind::unsupported:
      return refuse(400, error.message());
    case ErrorKind::not_found:
      return refuse(404, error.message());
    case ErrorKind::usage:
    case ErrorKind::conflict:
      return refuse(409, error.message());
    case ErrorKind::limit:
      return refuse(507, error.message());
    case ErrorKind::io:
      break;
  }
  return refuse(500, error.message());
}

HttpResponse raw_json(std::string text) {
  HttpResponse response;
  response.body = std::move(text);
  return response;
}

HttpResponse version_answer(const Result<std::uint64_t>& version) {
  return version ? answer({{"version", *version}}) : refuse(version.error());
}

// JSON that the sensor holds as text.
Json value_of(const std::string& text) {
  Json value = Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json() : value;
}

Json head_of(const Version& version) {
  return {{"version", version.number},
          {"time", to_rfc3339(version.time)},
          {"who", version.who},
          {"how", version.how}};
}

HttpResponse document_answer(const Version& version, const char* name) {
  Json json = head_of(version);
  json[name] = value_of(version.json);
  return answer(json);
}

HttpResponse list_answer(const std::vector<Version>& versions) {
  Json list = Json::array();
  for (const Version& version : versions)
    list.push_back(head_of(version));
  return answer({{"versions", list}});
}

const Version* find_version(const std::vector<Version>& versions, std::uint64_t number) {
  const auto at = std::find_if(versions.begin(), versions.end(),
                               [&](const Version& v) { return v.number == number; });
  return at == versions.end() ? nullptr : &*at;
}

HttpResponse no_version(std::uint64_t number) {
  return refuse(
      404, "version " + std::to_string(number) + " is not kept; 'history' lists those that are");
}

// The query's numbers, each of which must be known.
struct Query {
  std::optional<std::uint64_t> number;
  std::string instance;
};
Result<Query> query_of(const HttpRequest& request, std::string_view number, bool instance) {
  Query query;
  for (const auto& [name, value] : request.parameters()) {
    if (name == number) {
      query.number = parse_unsigned(value);
      if (!query.number) {
        return fail(ErrorKind::malformed, "read", "'" + name + "'", "it is no whole number");
      }
    } else if (instance && name == "instance") {
      query.instance = value;
    } else {
      return fail(ErrorKind::malformed, "read", "the query",
                  "'" + terminal_safe(name.substr(0, 60)) + "' is unknown");
    }
  }
  return query;
}

// The newest, or the one that `?version=` names.
HttpResponse one_version(const Call& call, const std::vector<Version>& versions, const char* name) {
  const auto query = query_of(call.request, "version", false);
  if (!query) return refuse(query.error());
  if (!query->number && !versions.empty()) {
    const auto newest =
        std::max_element(versions.begin(), versions.end(),
                         [](const Version& a, const Version& b) { return a.number < b.number; });
    return document_answer(*newest, name);
  }
  const Version* version = query->number ? find_version(versions, *query->number) : nullptr;
  return version != nullptr ? document_answer(*version, name)
                            : no_version(query->number.value_or(0));
}

SensorReport report_of(const Call& call) {
  return call.fleet == nullptr ? call.sensor.report() : call.fleet->report();
}

HttpResponse get_sensor(const Call& call) {
  return raw_json(report_of(call).to_json());
}

HttpResponse get_desired(const Call& call) {
  const auto query = query_of(call.request, "version", false);
  if (query && !query->number) return document_answer(call.sensor.desired(), "desired");
  return one_version(call, call.sensor.desired_versions(), "desired");
}

HttpResponse get_origin(const Call& call) {
  const auto desired = call.sensor.desired();
  Json json = {{"version", desired.number}};
  json["origin"] =
      value_of(origin_json(desired.json, call.fleet == nullptr ? "{}" : call.fleet->origin_json()));
  return answer(json);
}

HttpResponse no_fleet() {
  return refuse(409, "this sensor follows no server");
}

HttpResponse take_by_hand(const Call& call) {
  const auto path = parse_image_file(call.request.body);
  if (!path) return refuse(path.error());
  if (call.fleet == nullptr) return no_fleet();
  const auto taken = call.fleet->take(*path);
  if (!taken) return refuse(taken.error());
  return answer({{"version", taken->version},
                 {"is_news", taken->is_news},
                 {"images", taken->images},
                 {"problems", taken->problems}});
}

HttpResponse get_signed_report(const Call& call) {
  if (call.fleet == nullptr) return no_fleet();
  auto text = call.fleet->signed_report();
  if (!text) return refuse(text.error());
  HttpResponse response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(*text);
  return response;
}

HttpResponse put_desired(const Call& call) {
  const auto document = parse_desired(call.request.body);
  if (!document) return refuse(document.error());
  return version_answer(call.sensor.set_desired(*document, call.who));
}

HttpResponse get_desired_versions(const Call& call) {
  return list_answer(call.sensor.desired_versions());
}

HttpResponse roll_back_desired(const Call& call) {
  const auto to = parse_rollback(call.request.body);
  if (!to) return refuse(to.error());
  return version_answer(call.sensor.roll_back_desired(*to, call.who));
}

HttpResponse confirm_management(const Call& call) {
  if (auto empty = parse_nothing(call.request.body); !empty) return refuse(empty.error());
  const auto done = call.sensor.confirm_management(std::nullopt);
  return done ? answer(Json::object()) : refuse(done.error());
}

Json image_json(const ImageInfo& image) {
  return {{"name", image.manifest.name},
          {"version", image.manifest.version},
          {"description", image.manifest.description},
          {"fingerprint", image.fingerprint},
          {"file", image.file},
          {"bytes", image.bytes},
          {"unpacked_bytes", image.unpacked_bytes},
          {"signed_by", image.signed_by},
          {"signature_fault", image.signature_fault}};
}

HttpResponse get_images(const Call& call) {
  Json list = Json::array();
  for (const ImageInfo& image : call.sensor.images())
    list.push_back(image_json(image));
  return answer({{"images", list}});
}

HttpResponse add_image(const Call& call) {
  const auto file = parse_image_file(call.request.body);
  if (!file) return refuse(file.error());
  const auto image = call.sensor.add_image(*file);
  return image ? answer(image_json(*image)) : refuse(image.error());
}

HttpResponse no_instance(const std::string& name) {
  return refuse(404, "there is no instance " + terminal_safe(name));
}

HttpResponse get_instance(const Call& call) {
  const Json report = value_of(report_of(call).to_json());
  const auto instances = report.is_object() ? report.find("instances") : report.end();
  if (instances != report.end() && instances->is_array()) {
    for (const Json& one : *instances) {
      if (one.is_object() && one.contains("name") && one["name"] == call.name) return answer(one);
    }
  }
  return no_instance(call.name);
}

HttpResponse change_instance(const Call& call, bool create) {
  const auto change = parse_change(call.request.body, create);
  if (!change) return refuse(change.error());
  return version_answer(call.sensor.change(call.name, *change, call.who, create));
}

HttpResponse make_instance(const Call& call) {
  return change_instance(call, true);
}
HttpResponse patch_instance(const Call& call) {
  return change_instance(call, false);
}

HttpResponse remove_instance(const Call& call) {
  return version_answer(call.sensor.remove(call.name, call.who));
}

HttpResponse order(const Call& call, const Sensor::Change& change) {
  if (const auto nothing = parse_nothing(call.request.body); !nothing) {
    return refuse(nothing.error());
  }
  return version_answer(call.sensor.change(call.name, change, call.who, false));
}

HttpResponse start_instance(const Call& call) {
  Sensor::Change change;
  change.running = true;
  return order(call, change);
}
HttpResponse stop_instance(const Call& call) {
  Sensor::Change change;
  change.running = false;
  return order(call, change);
}
HttpResponse restart_instance(const Call& call) {
  Sensor::Change change;
  change.restart = true;
  return order(call, change);
}
HttpResponse approve_instance(const Call& call) {
  Sensor::Change change;
  change.approve = true;
  return order(call, change);
}

HttpResponse update_instance(const Call& call) {
  if (const auto nothing = parse_nothing(call.request.body); !nothing) {
    return refuse(nothing.error());
  }
  const auto done = call.sensor.update_now(call.name);
  return done ? answer(Json::object()) : refuse(done.error());
}

// A place among the commands that run, as long as it lasts.
class Place {
 public:
  explicit Place(std::atomic<unsigned>& taken) : taken_(taken), mine_(++taken) {}
  ~Place() { --taken_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  bool is_there() const { return mine_ <= kMostCommands; }

 private:
  std::atomic<unsigned>& taken_;
  const unsigned mine_;
};

HttpResponse execute(const Call& call) {
  const auto wanted = parse_exec(call.request.body);
  if (!wanted) return refuse(wanted.error());
  const Place place(call.commands);
  if (!place.is_there()) {
    return refuse(503, "run the command: " + std::to_string(kMostCommands) +
                           " others run in instruments now; try again when one of them has ended");
  }
  const auto done = call.sensor.execute(call.name, wanted->command, wanted->seconds);
  if (!done) return refuse(done.error());
  return answer({{"status", done->status}, {"output", done->output}, {"errors", done->errors}});
}

HttpResponse get_log(const Call& call) {
  const auto query = query_of(call.request, "bytes", false);
  if (!query) return refuse(query.error());
  auto log = call.sensor.log(
      call.name, static_cast<std::size_t>(std::min(query->number.value_or(64 << 10), kMostLog)));
  if (!log) return refuse(log.error());
  HttpResponse response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(*log);
  return response;
}

HttpResponse get_config(const Call& call) {
  const auto versions = call.sensor.config_versions(call.name);
  if (!versions) return refuse(versions.error());
  const auto query = query_of(call.request, "version", false);
  if (query && !query->number && versions->empty()) {
    return answer({{"version", 0}, {"config", nullptr}});  // takes none
  }
  return one_version(call, *versions, "config");
}

HttpResponse get_config_versions(const Call& call) {
  const auto versions = call.sensor.config_versions(call.name);
  return versions ? list_answer(*versions) : refuse(versions.error());
}

HttpResponse roll_back_config(const Call& call) {
  const auto to = parse_rollback(call.request.body);
  if (!to) return refuse(to.error());
  const auto versions = call.sensor.config_versions(call.name);
  if (!versions) return refuse(versions.error());
  const Version* version = find_version(*versions, *to);
  if (version == nullptr) return no_version(*to);
  Sensor::Change change;
  change.config_json = version->json;
  return version_answer(call.sensor.change(call.name, change, call.who, false));
}

HttpResponse get_events(const Call& call) {
  const auto query = query_of(call.request, "most", true);
  if (!query) return refuse(query.error());
  const auto most = static_cast<std::size_t>(std::min(query->number.value_or(100), kMostEvents));
  Json list = Json::array();
  for (const Services::KeptEvent& kept : call.sensor.events(query->instance, most)) {
    const Event& event = kept.event;
    list.push_back({{"instance", kept.instance},
                    {"uuid", event.uuid},
                    {"context_uuid", event.context_uuid},
                    {"timestamp", to_rfc3339(event.timestamp)},
                    {"type", event.type},
                    {"message", event.message},
                    {"data", value_of(event.data_json)}});
  }
  return answer({{"events", list}});
}

struct Route {
  std::string_view method, path;
  HttpResponse (*handle)(const Call&);
};
constexpr Route kRoutes[] = {
    {"GET", "/v1/sensor", get_sensor},
    {"GET", "/v1/desired", get_desired},
    {"PUT", "/v1/desired", put_desired},
    {"GET", "/v1/desired/versions", get_desired_versions},
    {"GET", "/v1/desired/origin", get_origin},
    {"POST", "/v1/fleet/take", take_by_hand},
    {"GET", "/v1/fleet/report", get_signed_report},
    {"POST", "/v1/desired/rollback", roll_back_desired},
    {"POST", "/v1/management/confirm", confirm_management},
    {"GET", "/v1/images", get_images},
    {"POST", "/v1/images", add_image},
    {"GET", "/v1/instances/*", get_instance},
    {"POST", "/v1/instances/*", make_instance},
    {"PATCH", "/v1/instances/*", patch_instance},
    {"DELETE", "/v1/instances/*", remove_instance},
    {"POST", "/v1/instances/*/start", start_instance},
    {"POST", "/v1/instances/*/stop", stop_instance},
    {"POST", "/v1/instances/*/restart", restart_instance},
    {"POST", "/v1/instances/*/approve", approve_instance},
    {"POST", "/v1/instances/*/update", update_instance},
    {"POST", "/v1/instances/*/exec", execute},
    {"GET", "/v1/instances/*/logs", get_log},
    {"GET", "/v1/instances/*/config", get_config},
    {"GET", "/v1/instances/*/config/versions", get_config_versions},
    {"POST", "/v1/instances/*/config/rollback", roll_back_config},
    {"GET", "/v1/events", get_events},
};

// `name` gets what stands for *.
bool matches(std::string_view pattern, std::string_view path, std::string& name) {
  const auto wanted = split(pattern, '/'), given = split(path, '/');
  if (wanted.size() != given.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == "*" && !given[i].empty()) {
      name = given[i];
    } else if (wanted[i] != given[i]) {
      return false;
    }
  }
  return true;
}

std::string who_of(const HttpRequest& request) {
  const std::string_view user = request.header("beaconry-user");
  return user.empty() ? "api" : terminal_safe(user.substr(0, 64));
}

}  // namespace

HttpHandler::Admission SensorApi::admit(const HttpRequest&) {
  return {{}, kMostBody};
}

HttpResponse SensorApi::handle(HttpRequest request) {
  const std::string path = request.path();
  std::string allowed, name;
  for (const Route& route : kRoutes) {
    if (!matches(route.path, path, name)) continue;
    if (route.method == request.method) {
      return route.handle({sensor_, fleet_, commands_, request, name, who_of(request)});
    }
    allowed += (allowed.empty() ? "" : ", ") + std::string(route.method);
  }
  if (allowed.empty()) return refuse(404, "there is no " + terminal_safe(path.substr(0, 200)));
  HttpResponse response = refuse(405, request.method + " is not for this; there is " + allowed);
  response.headers.emplace_back("allow", allowed);
  return response;
}

}  // namespace beaconry
