#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/values.h"
#include "control/route.h"
#include "http/message.h"

namespace beaconry {

// Who may come without a token, and from where.
enum class Anonymous : std::uint8_t { none, loopback_read, loopback };

struct AccessRules {
  std::optional<Anonymous> configured;  // control_plane.anonymous
  bool has_tokens = false, has_api_key = false, has_users = false;
  bool insecure = false;           // --insecure: whoever reaches the listener counts as local
  std::vector<std::string> names;  // of this server, besides addresses and single words

  static AccessRules from(const ConfigValues& values);  // without what is in the store
  // Unset, it is `loopback` while there is neither token nor user, `loopback_read` with an api_key
  // alone and `none` from the first token or user on.
  Anonymous anonymous() const;
};

// A credential that was recognised.
struct Credential {
  std::string who;
  Role role = Role::none;
};

// How credentials are looked up.
struct CredentialSource {
  std::function<std::optional<Credential>(std::string_view secret)> token;
  std::function<std::optional<Credential>(std::string_view key)> edge;  // an enrolled one's key
  std::function<std::optional<Credential>(std::string_view secret)> session{};  // of a cookie
};

constexpr std::string_view kSessionCookie = "beaconry_session";

// What became of a request's credentials.
struct Access {
  Role role = Role::none;
  std::string who;      // user, token's name, edge's fingerprint, "loopback", or "nobody"
  bool edge = false;    // by its key: it may send its own batches only
  std::string session;  // the cookie's secret, where that said who it is
  int refused = 0;      // HTTP status, for every route: 400, 401 or 403; 0: not refused
  std::string reason;   // of a refusal, with the remedy
};

// Pure. Reads Authorization: Bearer, X-API-Key, the peer's key, the session's cookie (in this
// order; a cookie that is not known any more is as none), Host and Origin. Host must be an
// address, a single word such as localhost, or one of the names: a web page whose name was made to
// point here (DNS rebinding) says its own. Where a browser sends Origin it must be this server's.
Access identify(const HttpRequest& head, const AccessRules& rules, const CredentialSource& source);

// Admins may do everything, everybody what needs `none`. `ingest` only sends telemetry, which of
// the others admins alone may.
bool allows(Role have, Role needed);

// Where to listen, decided before anything is bound.
struct ListenPlan {
  std::vector<std::string> listen;  // as HttpServer::Options takes it
  bool tls = false;                 // for those that are no Unix sockets
  bool tls_beside = false;          // not tls: but who begins in TLS is answered in it
  std::string warning;              // what was done otherwise than the file says; may be empty
};
// Beyond loopback a listener needs TLS and a token (or an api_key), or `insecure`. The
// predecessor's 0.0.0.0 in a file without them becomes loopback, with a warning that names the fix.
Result<ListenPlan> listen_plan(const ConfigValues& values, bool has_tokens, bool has_certificate,
                               bool insecure);

}  // namespace beaconry
