#include "control/openapi.h"

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"

namespace beaconry {
namespace {

using Json = nlohmann::ordered_json;

std::string role_words(Role role) {
  return role == Role::none ? "nobody in particular" : std::string(to_string(role));
}

// What stands between braces in a path, or nothing.
std::string_view argument_of(std::string_view path) {
  const std::size_t open = path.find('{'), end = path.find('}');
  if (open == std::string_view::npos || end == std::string_view::npos) return {};
  return path.substr(open + 1, end - open - 1);
}

Json operation(const Resource& resource, const Route& route) {
  Json out;
  out["summary"] = route.summary;
  out["tags"] = Json::array({resource.name});
  out["operationId"] = ascii_lower(route.method) + '_' + std::string(resource.name) + '_' +
                       std::to_string(static_cast<unsigned>(&route - resource.routes.data()));
  Json parameters = Json::array();
  if (const auto argument = argument_of(route.path); !argument.empty()) {
    parameters.push_back(
        {{"name", argument}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  for (const RouteParameter& parameter : route.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"in", "query"},
                          {"description", parameter.words},
                          {"schema", {{"type", parameter.type}}}});
  }
  if (!parameters.empty()) out["parameters"] = parameters;
  if (!route.body.empty()) {
    out["requestBody"] = {{"description", route.body},
                          {"content", {{"application/json", {{"schema", Json::object()}}}}}};
  }
  const auto error = [](const char* words) {
    return Json{{"description", words},
                {"content",
                 {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}};
  };
  out["responses"]["200"] = {{"description", route.response}};
  out["responses"]["400"] = error("What was sent is wrong, in words");
  if (route.role != Role::none) {
    out["responses"]["401"] = error("No credential, or one that is not known");
    out["responses"]["403"] = error("The credential does not allow it");
    out["security"] = Json::array({{{"bearer", Json::array()}}, {{"api_key", Json::array()}}});
    out["x-role"] = role_words(route.role);
  } else {
    out["security"] = Json::array();
  }
  return out;
}

}  // namespace

std::string openapi_json(std::span<const Resource* const> resources) {
  Json out;
  out["openapi"] = "3.0.3";
  out["info"] = {{"title", "Beaconry control plane"},
                 {"version", "1"},
                 {"description", "Finds beacons on a network. Errors are {\"error\": words}."}};
  out["paths"] = Json::object();
  for (const Resource* resource : resources) {
    for (const Route& route : resource->routes) {
      out["paths"][std::string(route.path)][ascii_lower(route.method)] =
          operation(*resource, route);
    }
  }
  out["components"]["securitySchemes"] = {
      {"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
      {"api_key", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-API-Key"}}}};
  out["components"]["schemas"]["Error"] = {{"type", "object"},
                                           {"properties", {{"error", {{"type", "string"}}}}}};
  return out.dump(1);
}

std::string api_markdown(std::span<const Resource* const> resources) {
  std::string out =
      "# The server's API\n\n"
      "Made from the route table in `src/control/routes/`; a test holds it against this file\n"
      "(`BEACONRY_WRITE_GOLDEN=1` writes it). The same as OpenAPI 3: `/api/v1/openapi.json`.\n\n"
      "Answers are JSON unless said otherwise; errors are `{\"error\": \"words\"}`. A credential "
      "is "
      "a token\n(`beaconry token create`), as `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`, "
      "or an enrolled edge's\nclient certificate. Who may come without one, "
      "`control_plane.anonymous` says. The role in each\nheading is the least that is needed: "
      "viewer (a "
      "token's `read`), analyst, operator and admin each hold\nthose before it; ingest sends "
      "telemetry and does nothing else, which of the others only admins may.\n\n"
      "Lists come in pages: `next_cursor`, where there is one, is the next page's `cursor`.\n"
      "Times are RFC 3339 in UTC, durations seconds.\n";
  for (const Resource* resource : resources) {
    out += "\n## " + std::string(resource->name) + "\n";
    for (const Route& route : resource->routes) {
      out += "\n### " + std::string(route.method) + " " + std::string(route.path) + "\n\n";
      out += std::string(route.summary) + ". Role: " + role_words(route.role) + ".\n";
      if (!route.parameters.empty()) {
        out += "\n| parameter | type | what |\n|---|---|---|\n";
        for (const RouteParameter& p : route.parameters) {
          out += "| `" + std::string(p.name) + "` | " + std::string(p.type) + " | " +
                 std::string(p.words) + " |\n";
        }
      }
      if (!route.body.empty()) out += "\nSend: " + std::string(route.body) + "\n";
      if (!route.response.empty()) out += "\nGives: " + std::string(route.response) + "\n";
    }
  }
  return out;
}

}  // namespace beaconry
