#include "control/users.h"

#include "control/answer.h"
#include "control/body.h"
#include "control/control.h"
#include "control/route.h"
#include "control/totp.h"

namespace beaconry {
namespace {

void write_user(JsonWriter& json, const Users::User& user) {
  json.text("name", user.name);
  json.plain("role", to_string(user.role));
  json.flag("disabled", user.disabled);
  json.plain("totp", to_string(user.totp));
  json.plain("created", to_rfc3339(user.created));
  json.text("created_by", user.created_by);
  json.name("last_login");
  user.last_login ? json.plain(to_rfc3339(*user.last_login)) : json.null();
}

// What the audit log shows of a user.
std::string noted(const Users::User& user) {
  return json_text([&](JsonWriter& json) {
    json.begin();
    json.plain("role", to_string(user.role));
    json.flag("disabled", user.disabled);
    json.plain("totp", to_string(user.totp));
    json.end();
  });
}

HttpResponse list(Control& control, const RouteCall&) {
  const auto users = control.users().list();
  return json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    json.whole("count", users.size());
    json.begin_list("users");
    for (const Users::User& user : users) {
      json.begin();
      write_user(json, user);
      json.end();
    }
    json.end_list();
    json.end();
  }));
}

std::optional<Role> role_of(Body& body, const std::string& word) {
  const auto role = parse_role(word);
  if (!role || *role < Role::viewer) {
    body.refuse("'role' must be viewer, analyst, operator or admin");
  }
  return role;
}

HttpResponse answer_of(const Users::Changed& changed) {
  HttpResponse response = json_answer(json_text([&](JsonWriter& json) {
    json.begin();
    write_user(json, changed.user);
    if (!changed.totp_secret.empty()) {
      json.plain("totp_secret", changed.totp_secret);
      json.text("totp_uri", totp_uri(changed.user.name, changed.totp_secret));
    }
    json.end();
  }));
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

HttpResponse create(Control& control, const RouteCall& call) {
  auto body = Body::parse(call.request.body, {"name", "role", "password"});
  if (!body) return error_answer(body.error());
  const std::string name = Users::folded(body->text("name")), password = body->text("password");
  const auto role = role_of(*body, body->text("role"));
  if (!body->error().empty()) return error_answer(400, body->error());
  call.note.object = name;
  const auto made =
      control.users().create(name, *role, password, std::string(call.who), control.now());
  if (!made) return busy_or(made.error());
  const auto user = control.users().find(name);
  if (!user) return error_answer(404, "there is no such user any more");
  call.note.after = noted(*user);
  return answer_of({*user, {}});
}

HttpResponse change(Control& control, const RouteCall& call) {
  auto body = Body::parse(call.request.body, {"role", "password", "totp", "disabled"});
  if (!body) return error_answer(body.error());
  const std::string name = Users::folded(call.argument);
  Users::Change change;
  if (const std::string word = body->text_or("role", {}); !word.empty()) {
    change.role = role_of(*body, word);
  }
  if (const std::string word = body->text_or("password", {}); !word.empty()) change.password = word;
  const auto flag = [&](std::string_view key) -> std::optional<bool> {
    const std::string word = body->text_or(key, {});
    if (word.empty()) return std::nullopt;
    if (word != "true" && word != "false") {
      body->refuse('\'' + std::string(key) + "' must be true or false");
    }
    return word == "true";
  };
  change.disabled = flag("disabled");
  change.totp = flag("totp");
  if (!body->error().empty()) return error_answer(400, body->error());
  const auto before = control.users().find(name);
  if (!before) return error_answer(404, "no user has this name");
  call.note.object = name;
  call.note.before = noted(*before);
  Result<Users::Changed> changed = Users::Changed{*before, {}};
  if (change.role || change.password || change.disabled || change.totp) {
    changed = control.users().change(name, change, control.now());
  }
  if (!changed) return busy_or(changed.error());
  call.note.after = noted(changed->user);
  if (change.password) call.note.after.insert(1, "\"password\":\"changed\",");
  // With another role or password comes another session.
  if (change.role || change.password || change.disabled) {
    if (auto ended = control.sessions().end_of(name); !ended) return error_answer(ended.error());
  }
  return answer_of(*changed);
}

HttpResponse remove(Control& control, const RouteCall& call) {
  const std::string name = Users::folded(call.argument);
  const auto before = control.users().find(name);
  call.note.object = name;
  if (before) call.note.before = noted(*before);
  if (auto gone = control.users().remove(name); !gone) return error_answer(gone.error());
  if (auto ended = control.sessions().end_of(name); !ended) return error_answer(ended.error());
  return json_answer(R"({"status":"removed"})");
}

constexpr Route kRoutes[] = {
    {
        .method = "GET",
        .path = "/api/v1/users",
        .summary = "People who may log in",
        .role = Role::admin,
        .handle = list,
        .response = "`{count, users: [{name, role, disabled, totp: off|pending|on, created, "
                    "created_by, last_login}]}`",
    },
    {
        .method = "POST",
        .path = "/api/v1/users",
        .summary =
            "Makes a user. From the first one on, nobody comes without logging in or a token",
        .role = Role::admin,
        .handle = create,
        .body = "`{name, role: viewer|analyst|operator|admin, password}`; the password has at "
                "least 10 characters",
        .response = "the user, as listed",
        .most_body = 8 << 10,
    },
    {
        .method = "PATCH",
        .path = "/api/v1/users/{name}",
        .summary = "Changes a user: all that is sent. Another role or password, and disabling, end "
                   "the user's sessions",
        .role = Role::admin,
        .handle = change,
        .body = "`{role, password, totp: true|false, disabled: true|false}`; `totp: true` makes a "
                "secret that holds from the first right code on",
        .response = "the user, as listed, with `totp_secret` and `totp_uri` where one was made: "
                    "they are shown once. 400 where no admin would be left",
        .most_body = 8 << 10,
    },
    {
        .method = "DELETE",
        .path = "/api/v1/users/{name}",
        .summary = "Removes a user and ends the sessions",
        .role = Role::admin,
        .handle = remove,
        .response = "`{status}`; 400 where no admin would be left",
    },
};

}  // namespace

namespace resources {
extern constinit const Resource users{"users", kRoutes};
}
}  // namespace beaconry
