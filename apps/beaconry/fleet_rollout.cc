#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "server/access.h"
#include "server/apply.h"
#include "server/clock.h"
#include "server/fleet_views.h"
#include "server/listing.h"
#include "server/rollout_follow.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  ApplyOptions layer;
  std::uint64_t id = 0;
  bool follow = false, json = false;
};

std::string path_of(const Options& options) {
  return "/api/v1/fleet/rollouts/" + std::to_string(options.id);
}

Result<void> list(Server& server, const Options& options) {
  return print_answer(
      server.get("/api/v1/fleet/rollouts"), options.json,
      [](const std::string& answer) { return fleet_rollouts_text(answer, clock_now()); });
}

// Whoever follows to the end learns by the status whether it was reached.
Result<int> show(Server& server, const ServerOptions& access, const Options& options) {
  Result<Json> rollout;
  if (options.follow) {
    auto heard = Server::connect(access);
    if (!heard) return tl::unexpected<Error>(std::move(heard.error()));
    rollout = follow_rollout(server, *heard, path_of(options));
  } else {
    rollout = parsed_answer(server.get(path_of(options)));
  }
  if (!rollout) return tl::unexpected<Error>(rollout.error());
  const auto printed =
      print(options.json ? rollout->dump() + '\n' : fleet_rollout_text(*rollout, clock_now()));
  if (!printed) return tl::unexpected<Error>(printed.error());
  const std::string phase = text_at(*rollout, "phase");
  return options.follow && (phase == "reverted" || phase == "aborted") ? kExitFound : kExitDone;
}

Result<void> order(Server& server, const Options& options, const std::string& word) {
  const auto answer = server.post(path_of(options) + '/' + word, "");
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto rollout = parsed_answer(server.get(path_of(options)));
  if (!rollout) return tl::unexpected<Error>(rollout.error());
  return print("rollout " + std::to_string(options.id) + ": " + fleet_rollout_line(*rollout) +
               '\n');
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(0, 1);
  CLI::App* starting =
      app.add_subcommand("start", "Begin one: a document, sensor after sensor, canaries first");
  options->layer.add_to(*starting, true);
  CLI::App* listing = app.add_subcommand("list", "List them, the newest first; as without a word");
  CLI::App* showing = app.add_subcommand("show", "Show one: why it is so, and each sensor's turn");
  showing->add_flag("--follow", options->follow,
                    "Go on showing it until it has ended; 1 where it was taken back");
  struct Order {
    CLI::App* app;
    const char* word;
  };
  std::vector<Order> orders;
  for (const auto& [word, summary] : {std::pair{"pause", "Begin no more turns"},
                                      {"resume", "Go on, and forgive what failed so far"},
                                      {"abort", "End it: what has the change gives it back"},
                                      {"approve", "Let it do what it may not do yet"}}) {
    orders.push_back({app.add_subcommand(word, summary), word});
  }
  for (CLI::App* each : {showing, orders[0].app, orders[1].app, orders[2].app, orders[3].app})
    each->add_option("id", options->id, "As `fleet rollout list` shows it")->required();
  for (CLI::App* each : {&app, listing, showing})
    each->add_flag("--json", options->json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  for (CLI::App* child : app.get_subcommands([](CLI::App*) { return true; }))
    child->fallthrough();
  return [=] {
    int status = kExitDone;
    const int done = with_server(*access, [&](Server& server) -> Result<void> {
      if (starting->parsed()) return start_rollout(server, options->layer);
      if (showing->parsed()) {
        const auto shown = show(server, *access, *options);
        if (!shown) return tl::unexpected<Error>(shown.error());
        status = *shown;
        return {};
      }
      for (const Order& each : orders) {
        if (each.app->parsed()) return order(server, *options, each.word);
      }
      return list(server, *options);
    });
    return done == kExitDone ? status : done;
  };
}

}  // namespace

extern const Subcommand fleet_rollout;
constinit const Subcommand fleet_rollout{
    "rollout",
    "Bring a change over sensors one after another, and take it back where it makes sick", define};

}  // namespace beaconry::fleet_commands
