#include "control/api.h"

#include <algorithm>

#include "base/log.h"
#include "control/answer.h"
#include "control/control.h"
#include "control/secret.h"

namespace beaconry {
namespace {

bool changes(const HttpRequest& head) {
  return head.method != "GET" && head.method != "HEAD";
}

// What stands for {…} in a path, if the path fits. It may hold slashes: pairs' keys do.
std::optional<std::string> matches(std::string_view pattern, std::string_view path) {
  const std::size_t brace = pattern.find('{');
  if (brace == std::string_view::npos) {
    return pattern == path ? std::optional<std::string>(std::string()) : std::nullopt;
  }
  if (path.size() <= brace || path.substr(0, brace) != pattern.substr(0, brace)) {
    return std::nullopt;
  }
  const std::string_view rest = path.substr(brace);
  const std::string_view behind = pattern.substr(pattern.find('}') + 1);
  if (rest.size() <= behind.size() || !rest.ends_with(behind)) return std::nullopt;
  return std::string(rest.substr(0, rest.size() - behind.size()));
}

}  // namespace

Api::Api(Control& control, std::size_t most_body) : control_(control), most_body_(most_body) {}

Api::Found Api::find(const HttpRequest& head) const {
  std::string path = head.path();
  if (path.size() > 1 && path.back() == '/') path.pop_back();
  Found found;
  for (const Resource* resource : resources_table()) {
    for (const Route& route : resource->routes) {
      auto argument = matches(route.path, path);
      if (!argument) continue;
      if (route.method == head.method) {
        // The path that says more itself is the better match, wherever it stands.
        if (found.route == nullptr || argument->size() < found.argument.size()) {
          found.route = &route;
          found.argument = std::move(*argument);
        }
      } else if (found.allowed.find(route.method) == std::string::npos) {
        found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(route.method);
      }
    }
  }
  return found;
}

Access Api::access_of(const HttpRequest& head) const {
  // The socket's mode is 0600: who comes this way is the server's own user, or root.
  if (head.peer.unix_socket) {
    Access access;
    access.role = Role::admin;
    access.who = "local";
    return access;
  }
  CredentialSource source;
  source.session = [&](std::string_view secret) -> std::optional<Credential> {
    const auto session = control_.sessions().find(secret, control_.now());
    if (!session) return std::nullopt;
    // What the user is now, not what he was when he logged in.
    const auto user = control_.users().find(session->user);
    if (!user || user->disabled || user->generation != session->generation) return std::nullopt;
    return Credential{user->name, user->role};
  };
  source.token = [&](std::string_view secret) -> std::optional<Credential> {
    const auto token = control_.tokens().verify(secret, control_.now());
    if (!token) return std::nullopt;
    return Credential{token->name, token->role};
  };
  source.edge = [&](std::string_view key) -> std::optional<Credential> {
    if (!control_.enrolled().is_enrolled(key)) return std::nullopt;
    return Credential{std::string(key), Role::ingest};
  };
  return identify(head, control_.access_rules(), source);
}

std::optional<HttpResponse> Api::refusal(const HttpRequest& head, const Found& found,
                                         const Access& access) const {
  if (access.refused != 0) {
    HttpResponse response = error_answer(access.refused, access.reason);
    if (access.refused == 401) response.headers.emplace_back("www-authenticate", "Bearer");
    return response;
  }
  if (found.route == nullptr) {
    if (found.allowed.empty()) {
      return error_answer(404, "no such path; GET / lists what there is");
    }
    HttpResponse response =
        error_answer(405, head.method + " is not for this path; " + found.allowed + " is");
    response.headers.emplace_back("allow", found.allowed);
    return response;
  }
  if (allows(access.role, found.route->role)) {
    // A browser sends the cookie with whatever some page makes it ask for; this, only ours can say.
    if (access.session.empty() || found.route->role == Role::none || !changes(head)) {
      return std::nullopt;
    }
    if (equal_in_constant_time(head.header("x-beaconry-csrf"), Sessions::csrf(access.session))) {
      return std::nullopt;
    }
    return error_answer(403,
                        "a change by a session needs its 'csrf' in the header X-Beaconry-CSRF");
  }
  if (access.role == Role::none) {
    HttpResponse response =
        error_answer(401,
                     "log in, or send a token: Authorization: Bearer TOKEN or X-API-Key: TOKEN "
                     "(beaconry token create)");
    response.headers.emplace_back("www-authenticate", "Bearer");
    return response;
  }
  return error_answer(403, "the credential of '" + access.who + "' does not allow this");
}

HttpHandler::Admission Api::admit(const HttpRequest& head) {
  const Found found = find(head);
  Admission admission;
  const Access access = access_of(head);
  admission.refusal = refusal(head, found, access);
  admission.known = access.edge;
  if (found.route != nullptr) {
    admission.most_body = std::min(found.route->most_body, most_body_);
  }
  return admission;
}

void Api::record(const HttpRequest& head, const Found& found, const Access& access,
                 const AuditNote& note, int status) const {
  const Role needed = found.route->role;
  // What machines send is no change of anything that people decide. What needs no role is one where
  // the handler says so.
  const bool is_anonymous = needed == Role::none && note.object.empty();
  if (!changes(head) || needed == Role::ingest || is_anonymous || note.is_part) return;
  Audit::Entry entry;
  entry.time = control_.now();
  entry.who = note.who.empty() ? access.who : note.who;
  entry.role = note.who.empty() ? access.role : note.role;
  entry.address = head.peer.unix_socket ? "local" : head.peer.address.to_string();
  entry.action = head.method + ' ' + std::string(found.route->path);
  entry.object = note.object.empty() ? found.argument : note.object;
  entry.by_nobody = needed == Role::none && status >= 400;
  entry.outcome = status < 400 ? "done" : "refused " + std::to_string(status);
  entry.before = note.before;
  if (status < 400) entry.after = note.after;
  if (auto done = control_.audit().record(entry); !done) {
    log_error("the audit log misses '" + entry.action + "' by '" + entry.who +
              "': " + done.error().message());
  }
}

HttpResponse Api::handle(HttpRequest request) {
  const Found found = find(request);
  const Access access = access_of(request);
  if (auto refused = refusal(request, found, access)) return std::move(*refused);
  AuditNote note;
  HttpResponse response =
      found.route->handle(control_, RouteCall{request, found.argument, access.who, access.role,
                                              access.edge, access.session, note});
  if (response.events && !access.session.empty()) {
    control_.sessions().bind(access.session, response.events);
  }
  record(request, found, access, note, response.status);
  return response;
}

}  // namespace beaconry
