#include "control/tokens.h"

#include "control/answer.h"
#include "control/body.h"
#include "control/control.h"
#include "control/route.h"

namespace beaconry {
namespace {

HttpResponse list(Control& control, const RouteCall&) {
  const auto tokens = control.tokens().list();
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", tokens.size());
    json.begin_list("tokens");
    for (const Tokens::Token& token : tokens) {
      json.begin();
      json.text("name", token.name);
      json.plain("role", token_role(token.role));
      json.plain("created", to_rfc3339(token.created));
      json.text("created_by", token.created_by);
      json.name("expires");
      token.expires ? json.plain(to_rfc3339(*token.expires)) : json.null();
      json.end();
    }
    json.end_list();
    json.end();
  }));
}

HttpResponse create(Control& control, const RouteCall& call) {
  auto body = Body::parse(call.request.body, {"name", "role", "expires", "expires_in_seconds"});
  if (!body) return error_answer(body.error());
  const Timestamp now = control.now();
  const std::string name = body->text("name");
  const auto role = parse_role(body->text("role"));
  if (!role) body->refuse("'role' must be ingest, read, analyst, operator or admin");
  auto expires = body->time("expires", now);
  if (!expires) expires = body->time("expires_in_seconds", now);
  if (!body->error().empty()) return error_answer(400, body->error());
  auto secret = control.tokens().create(name, *role, expires, std::string(call.who), now);
  call.note.object = name;
  if (!secret) return error_answer(secret.error());
  call.note.after = json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("role", token_role(*role));
    json.name("expires");
    expires ? json.plain(to_rfc3339(*expires)) : json.null();
    json.end();
  });
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.text("name", name);
    json.plain("role", token_role(*role));
    json.plain("token", *secret);
    json.name("expires");
    expires ? json.plain(to_rfc3339(*expires)) : json.null();
    json.end();
  }));
}

HttpResponse revoke(Control& control, const RouteCall& call) {
  const auto revoked = control.tokens().revoke(std::string(call.argument));
  if (!revoked) return error_answer(revoked.error());
  return json_answer(R"({"status":"revoked"})");
}

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/tokens",
        .summary = "Tokens, without their secrets",
        .role = Role::admin,
        .handle = list,
        .response = "`{count, tokens: [{name, role, created, created_by, expires}]}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/tokens",
        .summary = "Makes a token",
        .role = Role::admin,
        .handle = create,
        .body = "`{name, role: ingest|read|analyst|operator|admin, expires}`; expires, a time or a "
                "length such as "
                "90d, may be left out",
        .response = "`{name, role, token, expires}`; the token is shown once",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/tokens/{name}",
        .summary = "Revokes one",
        .role = Role::admin,
        .handle = revoke,
        .response = "`{status}`",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource tokens{"tokens", kRoutes};
}
}  // namespace beaconry
