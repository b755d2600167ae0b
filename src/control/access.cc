#include "control/access.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace beaconry {
namespace {

constexpr std::size_t kLongestHost = 300;

// "name:port" as its host in lower case, brackets removed; nothing if it is none.
std::optional<std::string> host_of(std::string_view authority) {
  if (authority.empty() || authority.size() > kLongestHost) return std::nullopt;
  std::string_view host = authority, port;
  if (host.front() == '[') {
    const auto end = host.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto rest = host.substr(end + 1);
    host = host.substr(1, end - 1);
    if (!IpAddress::parse(host)) return std::nullopt;
    if (!rest.empty() && (rest.front() != ':' || rest.size() < 2)) return std::nullopt;
    port = rest.empty() ? rest : rest.substr(1);
  } else if (const auto colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
    if (port.empty()) return std::nullopt;
  }
  if (host.empty()) return std::nullopt;
  if (!port.empty()) {
    const auto number = parse_unsigned(port);
    if (!number || *number > 65'535) return std::nullopt;
  }
  return ascii_lower(host);
}

// A name that whoever owns a domain could have pointed here has a dot in it.
bool is_own(const std::string& host, const std::vector<std::string>& names) {
  if (IpAddress::parse(host) || host.find('.') == std::string::npos) return true;
  if (host.ends_with(".localhost")) return true;
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return ascii_lower(name) == host; });
}

std::size_t count(const HttpRequest& head, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(head.headers.begin(), head.headers.end(),
                    [&](const auto& header) { return header.first == name; }));
}

// A token where one is given; an empty one is none.
struct Given {
  std::string_view secret;
  bool malformed = false;
};
Given given_secret(const HttpRequest& head) {
  if (count(head, "authorization") > 1 || count(head, "x-api-key") > 1) return {{}, true};
  Given given{trim(head.header("x-api-key"))};
  const std::string_view authorization = trim(head.header("authorization"));
  if (authorization.empty()) return given;
  constexpr std::string_view kScheme = "bearer ";
  if (ascii_lower(authorization.substr(0, kScheme.size())) != kScheme) return {{}, true};
  const std::string_view bearer = trim(authorization.substr(kScheme.size()));
  if (bearer.empty() || (!given.secret.empty() && given.secret != bearer)) return {{}, true};
  given.secret = bearer;
  return given;
}

// The session that a cookie tells of. A page of a neighbouring host can set one of this name beside
// ours, which must not hide it.
std::optional<Credential> session_of(const HttpRequest& head, const CredentialSource& source,
                                     std::string& secret) {
  if (!source.session) return std::nullopt;
  constexpr unsigned kMostTried = 4;
  unsigned tried = 0;
  for (const auto& [name, value] : head.headers) {
    if (name != "cookie") continue;
    for (const std::string_view each : split(value, ';')) {
      const std::string_view pair = trim(each);
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != kSessionCookie) continue;
      if (++tried > kMostTried) return std::nullopt;
      const std::string_view told = pair.substr(equals + 1);
      if (auto found = source.session(told)) {
        secret = told;
        return found;
      }
    }
  }
  return std::nullopt;
}

Access refuse(int status, std::string reason) {
  Access access;
  access.who = "nobody";
  access.refused = status;
  access.reason = std::move(reason);
  return access;
}

// What a browser could be made to do by somebody else's page.
std::optional<Access> refuse_foreign_page(const HttpRequest& head, const AccessRules& rules) {
  if (count(head, "host") > 1 || count(head, "origin") > 1) {
    return refuse(400, "Host or Origin is given twice");
  }
  const std::string_view authority = trim(head.header("host"));
  if (!authority.empty()) {  // HTTP/1.0 has none
    const auto host = host_of(authority);
    if (!host) return refuse(400, "the Host header is malformed");
    if (!is_own(*host, rules.names)) {
      return refuse(403, "this server does not go by the name '" + terminal_safe(*host) +
                             "'; add it to control_plane.names if it does");
    }
  }
  const std::string_view origin = trim(head.header("origin"));
  if (!origin.empty()) {
    const auto scheme = origin.find("://");
    const bool same = scheme != std::string_view::npos && !authority.empty() &&
                      ascii_lower(origin.substr(scheme + 3)) == ascii_lower(authority);
    if (!same) return refuse(403, "another site's page may not call this server (Origin)");
  } else if (const auto site = head.header("sec-fetch-site");
             (site == "cross-site" || site == "same-site") &&
             head.header("sec-fetch-mode") != "navigate") {
    return refuse(403, "another site's page may not call this server (Sec-Fetch-Site)");
  }
  return std::nullopt;
}

}  // namespace

AccessRules AccessRules::from(const ConfigValues& values) {
  AccessRules rules;
  if (const auto word = values.text("control_plane.anonymous")) {
    rules.configured = *word == "loopback"        ? Anonymous::loopback
                       : *word == "loopback-read" ? Anonymous::loopback_read
                                                  : Anonymous::none;
  }
  if (const auto* names = values.texts("control_plane.names")) {
    for (const ConfigText& name : *names)
      rules.names.push_back(name.text);
  }
  return rules;
}

Anonymous AccessRules::anonymous() const {
  if (configured) return *configured;
  if (has_tokens || has_users) return Anonymous::none;
  return has_api_key ? Anonymous::loopback_read : Anonymous::loopback;
}

Access identify(const HttpRequest& head, const AccessRules& rules, const CredentialSource& source) {
  // An edge shows its key in TLS, which no page of a browser does in its name; it may know this
  // server by any name that its certificate or its CA vouches for.
  const auto edge = head.peer.key.empty() ? std::nullopt : source.edge(head.peer.key);
  if (!edge) {
    if (auto refused = refuse_foreign_page(head, rules)) return *refused;
  }
  const Given given = given_secret(head);
  if (given.malformed) {
    return refuse(401,
                  "the token cannot be read; send 'Authorization: Bearer TOKEN' or "
                  "'X-API-Key: TOKEN', once");
  }
  Access access;
  if (!given.secret.empty()) {
    const auto token = source.token(given.secret);
    if (!token) return refuse(401, "the token is not known, was revoked or has expired");
    access.role = token->role;
    access.who = token->who;
    return access;
  }
  if (edge) {
    access.role = edge->role;
    access.who = edge->who;
    access.edge = true;
    return access;
  }
  if (const auto user = session_of(head, source, access.session)) {
    access.role = user->role;
    access.who = user->who;
    return access;
  }
  access.who = "nobody";
  if (head.peer.is_local() || rules.insecure) {
    switch (rules.anonymous()) {
      case Anonymous::loopback:
        access.role = Role::admin;
        break;
      case Anonymous::loopback_read:
        access.role = Role::viewer;
        break;
      case Anonymous::none:
        break;
    }
    if (access.role != Role::none) {
      access.who = head.peer.is_local() ? "loopback" : head.peer.address.to_string();
    }
  }
  return access;
}

bool allows(Role have, Role needed) {
  if (needed == Role::none || have == Role::admin) return true;
  if (needed == Role::ingest || have == Role::ingest) return have == needed;
  return have >= needed;
}

}  // namespace beaconry
