#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "http/message.h"

namespace beaconry {

class Control;

// What a caller may do. Each holds those before it, but `ingest` only sends telemetry.
enum class Role : std::uint8_t { none, ingest, read, admin };

// One endpoint: what the router, `docs/api.md` and OpenAPI know of it.
struct RouteParameter {
  std::string_view name;
  std::string_view type;  // "integer", "number", "string", "boolean"
  std::string_view words;
};
struct RouteCall {
  HttpRequest& request;       // the handler may take its body
  std::string_view argument;  // what stood for {…} in the path, decoded
  std::string_view who;       // token's name, edge's fingerprint, "loopback": for history
  Role role = Role::none;
  bool edge = false;  // by its enrolled key: it may send its own batches only
};
struct Route {
  std::string_view method;
  std::string_view path;     // "/api/v1/beacons", "/api/v1/pairs/{key}"
  std::string_view summary;  // one line
  Role role = Role::read;    // the least that is needed
  HttpResponse (*handle)(Control& control, const RouteCall& call);
  std::span<const RouteParameter> parameters{};
  std::string_view body{};      // what is sent, in words; empty: nothing
  std::string_view response{};  // what comes back, in words
  std::size_t most_body = std::size_t{1} << 20;
};

// A resource: routes/WORD.cc defines beaconry::resources::WORD.
struct Resource {
  std::string_view name;
  std::span<const Route> routes;
};
std::span<const Resource* const> resources_table();

}  // namespace beaconry
