#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "sensor/confirm.h"
#include "server/access.h"
#include "server/json_rows.h"
#include "server/listing.h"
#include "server/password_input.h"
#include "server/people_views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string name, role, password_file, totp;
  bool password = false, disable = false, enable = false, yes = false, json = false;
};

std::string path_of(const Options& options) {
  return "/api/v1/users/" + percent_encoded(options.name);
}

Result<void> put_password(Json& body, const Options& options) {
  const auto password = read_password(options.password_file);
  if (!password) return tl::unexpected<Error>(password.error());
  body["password"] = utf8_valid(*password);
  return {};
}

// The user as it now is; the secret of a second factor is told by the server this once.
Result<void> show(const Result<std::string>& answer) {
  const auto user = parsed_answer(answer);
  if (!user) return tl::unexpected<Error>(user.error());
  const std::string uri = text_at(*user, "totp_uri");
  std::string words = text_at(*user, "name") + ": " + text_at(*user, "role") +
                      (text_at(*user, "disabled") == "true" ? ", disabled" : "") +
                      ", second factor " + text_at(*user, "totp") + '\n';
  if (uri.empty()) return print(words);
  std::fputs(
      "For the person's authenticator, shown this once; the code is asked for from the first right "
      "one on:\n",
      stderr);
  return print(words + uri + '\n');
}

Result<void> add(Server& server, const Options& options) {
  Json body = {{"name", utf8_valid(options.name)}, {"role", options.role}};
  if (auto put = put_password(body, options); !put) return put;
  auto made = server.post("/api/v1/users", body.dump());
  if (!made || options.totp != "on") return show(made);
  return show(server.patch(path_of(options), Json{{"totp", true}}.dump()));
}

Result<void> change(Server& server, const Options& options) {
  Json body = Json::object();
  if (!options.role.empty()) body["role"] = options.role;
  if (!options.totp.empty()) body["totp"] = options.totp == "on";
  if (options.disable || options.enable) body["disabled"] = options.disable;
  if (options.password || !options.password_file.empty()) {
    if (auto put = put_password(body, options); !put) return put;
  }
  if (body.empty()) {
    return fail(ErrorKind::usage, "change", terminal_safe(options.name),
                "say what: --role, --password, --totp, --disable or --enable");
  }
  return show(server.patch(path_of(options), body.dump()));
}

Result<void> remove(Server& server, const Options& options) {
  const std::string name = terminal_safe(options.name);
  const auto meant =
      is_meant("Remove " + name + "?", name + " could not log in any more", options.yes);
  if (!meant) return tl::unexpected<Error>(meant.error());
  if (!*meant) return fail(ErrorKind::io, "", "", "nothing was changed");
  const auto gone = server.remove(path_of(options));
  if (!gone) return tl::unexpected<Error>(gone.error());
  return print(name + " is removed\n");
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(1);
  CLI::App* listing = app.add_subcommand("list", "List who may log in");
  listing->add_flag("--json", options->json, "Print the server's answer as it is");
  CLI::App* adding = app.add_subcommand("add",
                                        "Make one; the password comes from a file, standard "
                                        "input or the terminal");
  CLI::App* changing = app.add_subcommand("change", "Change a role, password or second factor");
  CLI::App* removing = app.add_subcommand("remove", "Remove one and end the sessions");
  removing->add_flag("-y,--yes", options->yes, "Do not ask");
  for (CLI::App* each : {adding, changing, removing})
    each->add_option("name", options->name, "What they log in by")->required();
  for (CLI::App* each : {adding, changing}) {
    CLI::Option* role = each->add_option("--role", options->role,
                                         "viewer: look; analyst: also judge; operator: also "
                                         "configure; admin: also say who may")
                            ->check(CLI::IsMember({"viewer", "analyst", "operator", "admin"}));
    if (each == adding) role->required();
    each->add_option("--password-file", options->password_file,
                     "File whose first line is the password; - reads standard input");
    each->add_option("--totp", options->totp, "A second factor: on makes a new secret, shown once")
        ->check(CLI::IsMember({"on", "off"}));
  }
  changing->add_flag("--password", options->password,
                     "Another password, from standard input or the terminal");
  auto* disable = changing->add_flag("--disable", options->disable, "Who may not log in for now");
  changing->add_flag("--enable", options->enable, "Who may again")->excludes(disable);
  const auto access = ServerOptions::add_to(app);
  for (CLI::App* child : {listing, adding, changing, removing})
    child->fallthrough();
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (adding->parsed()) return add(server, *options);
      if (changing->parsed()) return change(server, *options);
      if (removing->parsed()) return remove(server, *options);
      return print_answer(server.get("/api/v1/users"), options->json,
                          [](const std::string& answer) { return users_text(answer); });
    });
  };
}

}  // namespace

extern const Subcommand users;
constinit const Subcommand users{"users", "List, make, change and remove people who log in",
                                 define};

}  // namespace beaconry::subcommands
