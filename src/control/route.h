#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace beaconry {

class Control;

// What a caller may do. Machines that send have `ingest`, which holds for nothing else; of the
// others each holds those before it: a viewer reads (a token's `read`), an analyst judges what was
// found, an operator changes what is done, an admin says who may.
enum class Role : std::uint8_t { none, ingest, viewer, analyst, operator_, admin, read = viewer };
std::string_view to_string(Role role);                  // "viewer", "operator"
std::optional<Role> parse_role(std::string_view word);  // these, and "read"; not "none"

// One endpoint: what the router, `docs/api.md` and OpenAPI know of it.
struct RouteParameter {
  std::string_view name;
  std::string_view type;  // "integer", "number", "string", "boolean"
  std::string_view words;
};
// What a handler adds to the audit log's line of a change. Never secrets.
struct AuditNote {
  std::string object;         // what was changed; the path's argument unless it is said
  std::string before, after;  // JSON; empty: not told
  std::string who;            // where the request itself made clear who it is: a login
  Role role = Role::none;
  bool is_part = false;  // of a change whose end is told: it makes no line of its own
};
struct RouteCall {
  HttpRequest& request;       // the handler may take its body
  std::string_view argument;  // what stood for {…} in the path, decoded
  std::string_view who;       // user, token's name, edge's fingerprint, "loopback": for history
  Role role = Role::none;
  bool edge = false;         // by its enrolled key: it may send its own batches only
  std::string_view session;  // of a user who logged in: what the cookie says; else empty
  AuditNote& note;
};
struct Route {
  std::string_view method;
  std::string_view path;     // "/api/v1/beacons", "/api/v1/pairs/{key}"
  std::string_view summary;  // one line
  Role role = Role::viewer;  // the least that is needed
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
