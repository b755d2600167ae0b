#include "control/answer.h"
#include "control/body.h"
#include "control/control.h"
#include "control/metrics.h"
#include "control/route.h"
#include "control/sessions.h"
#include "control/totp.h"

namespace beaconry {
namespace {

// Strict: no other site's page sends it, whatever it asks for. Not readable by scripts.
std::string cookie(const HttpPeer& peer, std::string_view secret) {
  std::string text = std::string(kSessionCookie) + '=' + std::string(secret) +
                     "; Path=/; HttpOnly; SameSite=Strict";
  if (secret.empty()) text += "; Max-Age=0";
  if (peer.tls) text += "; Secure";
  return text;
}

HttpResponse unkept(HttpResponse response) {
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

void write_session(JsonWriter& json, std::string_view name, Role role,
                   const std::optional<Timestamp>& expires, std::string_view csrf) {
  json.text("name", name);
  json.plain("role", to_string(role));
  json.name("expires");
  expires ? json.plain(to_rfc3339(*expires)) : json.null();
  json.plain("csrf", csrf);
}

// A new session, which nobody can have planted, and its cookie.
HttpResponse begin_session(Control& control, const HttpPeer& peer, const Users::User& user) {
  const Timestamp now = control.now();
  const auto secret = control.sessions().create(user.name, user.generation, now);
  if (!secret) return error_answer(secret.error());
  const Timestamp expires = Sessions::Session{user.name, user.generation, now, now}.expires();
  HttpResponse response = json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_session(json, user.name, user.role, expires, Sessions::csrf(*secret));
    json.end();
  }));
  response.headers.emplace_back("set-cookie", cookie(peer, *secret));
  return unkept(std::move(response));
}

// For so long no password is looked at.
HttpResponse limited(Control& control, std::chrono::seconds wait) {
  control.metrics().login(LoginOutcome::limited);
  HttpResponse response =
      error_answer(429, "too many failed before; try again in " + to_words(wait));
  response.headers.emplace_back("retry-after", std::to_string(wait.count()));
  return unkept(std::move(response));
}

void count(const Control& control, const Result<Users::Login>& login) {
  control.metrics().login(!login               ? LoginOutcome::busy
                          : login->right       ? LoginOutcome::done
                          : login->code_needed ? LoginOutcome::code_needed
                                               : LoginOutcome::refused);
}

HttpResponse log_in(Control& control, const RouteCall& call) {
  auto body = Body::parse(call.request.body, {"name", "password", "code"});
  if (!body) return error_answer(body.error());
  const std::string name = Users::folded(body->text("name")), password = body->text("password");
  if (!body->error().empty()) return error_answer(400, body->error());
  const HttpPeer& peer = call.request.peer;
  // A longer name is nobody's; what is remembered of it is bounded.
  const std::string guarded = name.substr(0, Passwords::kLongest);
  const auto wait = control.login_guard().begin(guarded, peer.address, control.now());
  if (wait > std::chrono::seconds{}) return limited(control, wait);
  call.note.who = call.note.object = name;
  const auto login =
      control.users().log_in(name, password, body->text_or("code", {}), control.now());
  count(control, login);
  if (!login) return busy_or(login.error());
  if (!login->right) {
    return unkept(json_answer(json_text([&](JsonWriter& json) {
                                json.begin();
                                json.text("error", login->code_needed
                                                       ? "the code of the second factor is needed"
                                                       : "name or password is wrong");
                                if (login->code_needed) json.flag("code_needed", true);
                                json.end();
                              }),
                              401));
  }
  control.login_guard().succeeded(guarded, peer.address, control.now());
  call.note.role = login->user.role;
  // What the browser was logged in with before is over.
  if (!call.session.empty()) {
    if (auto ended = control.sessions().end(call.session); !ended)
      return error_answer(ended.error());
  }
  return begin_session(control, peer, login->user);
}

HttpResponse show(Control& control, const RouteCall& call) {
  std::optional<Timestamp> expires;
  std::string csrf;
  if (!call.session.empty()) {
    const auto session = control.sessions().find(call.session, control.now());
    if (session) expires = session->expires();
    csrf = Sessions::csrf(call.session);
  }
  return unkept(json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_session(json, call.who, call.role, expires, csrf);
    const auto user = call.session.empty() ? std::nullopt : control.users().find(call.who);
    if (user) json.plain("totp", to_string(user->totp));
    json.end();
  })));
}

HttpResponse log_out(Control& control, const RouteCall& call) {
  if (call.session.empty()) return error_answer(400, "nobody is logged in by a cookie here");
  call.note.object = call.who;
  if (auto ended = control.sessions().end(call.session); !ended) return error_answer(ended.error());
  HttpResponse response = json_answer(R"({"status":"logged out"})");
  response.headers.emplace_back("set-cookie", cookie(call.request.peer, {}));
  return unkept(std::move(response));
}

// What the body wants changed; nothing but a `code` is a change too, which logging in makes.
Users::Change own_change(Body& body) {
  Users::Change change;
  const std::string password = body.text_or("new_password", {}), totp = body.text_or("totp", {});
  if (!password.empty()) change.password = password;
  if (!totp.empty()) change.totp = totp == "true";
  if (!totp.empty() && totp != "true" && totp != "false") {
    body.refuse("'totp' must be true or false");
  }
  if (!change.password && !change.totp && body.text_or("code", {}).empty()) {
    body.refuse("give 'new_password', 'totp' or 'code'");
  }
  return change;
}

// Nobody else stays logged in by what held before; this browser goes on with a new session.
HttpResponse begin_anew(Control& control, const RouteCall& call, const Users::Change& change,
                        const Users::Changed& changed) {
  const Users::User& user = changed.user;
  const bool others = change.password || !change.totp.value_or(true);
  const auto ended =
      others ? control.sessions().end_of(user.name) : control.sessions().end(call.session);
  if (!ended) return error_answer(ended.error());
  HttpResponse response = begin_session(control, call.request.peer, user);
  if (response.status != 200) return response;
  const std::string more = json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("totp", to_string(user.totp));
    if (!changed.totp_secret.empty()) {
      json.plain("totp_secret", changed.totp_secret);
      json.text("totp_uri", totp_uri(user.name, changed.totp_secret));
    }
    json.end();
  });
  response.body.back() = ',';
  response.body += more.substr(1);
  return response;
}

// One's own password and second factor. Whoever finds an open browser must not be able to keep it:
// the password is asked for again.
HttpResponse change_own(Control& control, const RouteCall& call) {
  if (call.session.empty()) {
    return error_answer(400, "this is for users who logged in; PATCH /api/v1/users/{name} is not");
  }
  auto body = Body::parse(call.request.body, {"password", "new_password", "totp", "code"});
  if (!body) return error_answer(body.error());
  const std::string name(call.who), password = body->text("password");
  const Users::Change change = own_change(*body);
  if (!body->error().empty()) return error_answer(400, body->error());
  if (change.password) {
    if (auto good = Passwords::check(*change.password); !good) return error_answer(good.error());
  }
  call.note.object = name;
  const HttpPeer& peer = call.request.peer;
  const auto wait = control.login_guard().begin(name, peer.address, control.now());
  if (wait > std::chrono::seconds{}) return limited(control, wait);
  const auto login =
      control.users().log_in(name, password, body->text_or("code", {}), control.now());
  count(control, login);
  if (!login) return busy_or(login.error());
  if (!login->right) {
    return error_answer(403, login->code_needed
                                 ? "the code of the second factor is missing or wrong"
                                 : "the password is wrong");
  }
  control.login_guard().succeeded(name, peer.address, control.now());
  Result<Users::Changed> changed = Users::Changed{login->user, {}};
  if (change.password || change.totp) {
    changed = control.users().change(name, change, control.now());
  }
  if (!changed) return busy_or(changed.error());
  call.note.after = json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("totp", to_string(changed->user.totp));
    if (change.password) json.flag("password", true);
    json.end();
  });
  return begin_anew(control, call, change, *changed);
}

constexpr Route kRoutes[] = {
    {
        .method = "POST",
        .path = "/api/v1/session",
        .summary = "Logs a user in. A second factor's code is asked for once it was turned on",
        .role = Role::none,
        .handle = log_in,
        .body = "`{name, password, code}`",
        .response = "`{name, role, expires, csrf}` and the cookie `beaconry_session`. 401 with "
                    "`code_needed` where the password was right; 429 with Retry-After after "
                    "repeated failures of the user or the address",
        .most_body = 8 << 10,
    },
    {
        .method = "GET",
        .path = "/api/v1/session",
        .summary = "Who is asking, and until when. On loopback, while there are neither users nor "
                   "tokens, that is `loopback`",
        .handle = show,
        .response = "`{name, role, expires, csrf, totp}`; a token's `csrf` is empty, as it needs "
                    "none",
    },
    {
        .method = "DELETE",
        .path = "/api/v1/session",
        .summary = "Logs out",
        .handle = log_out,
        .response = "`{status}`",
    },
    {
        .method = "PATCH",
        .path = "/api/v1/session",
        .summary = "Changes one's own password or second factor. The user's other sessions end "
                   "with the password, and this one gets a new cookie",
        .handle = change_own,
        .body = "`{password, new_password, totp: true|false, code}`: the password as it is, and "
                "what shall change. `totp: true` gives a new secret; it is asked for from the "
                "first right `code` on",
        .response = "`{name, role, expires, csrf, totp: off|pending|on, totp_secret, totp_uri}`; "
                    "the last two are shown once",
        .most_body = 8 << 10,
    },
};

}  // namespace

namespace resources {
extern constinit const Resource session{"session", kRoutes};
}
}  // namespace beaconry
