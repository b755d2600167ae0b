#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/leak_views.h"
#include "server/listing.h"
#include "server/requests.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string name, profile, home, control, control_every, end, short_period, notes, overlap;
  std::vector<std::string> neighbours, peers;
  bool no_long_cycle = false, listen = false, json = false;
  ListOptions list;
};

std::string path_of(const Options& options) {
  return "/api/v1/probes/" + percent_encoded(options.name);
}

// Whoever has the line is the probe: it goes to standard output alone.
Result<void> print_line(const Result<std::string>& answer) {
  if (!answer) return tl::unexpected<Error>(answer.error());
  const auto line = member_of(*answer, "line");
  if (!line) return tl::unexpected<Error>(line.error());
  const auto until = member_of(*answer, "old_key_until");
  std::fputs(
      "Its configuration, shown once: it holds the probe's secret key. On the device:\n"
      "  beaconry-escape --interface eth0 --config FILE\n",
      stderr);
  if (until && !until->empty()) {
    std::fprintf(stderr, "The old key counts until %s.\n", terminal_safe(*until).c_str());
  }
  return print(*line + '\n');
}

Result<void> add(Server& server, const Options& options) {
  nlohmann::json body = nlohmann::json::object();
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) body[name] = utf8_valid(value);
  };
  put("name", options.name);
  put("profile", options.profile);
  put("home", options.home);
  put("control", options.control);
  put("control_every", options.control_every);
  put("end", options.end);
  put("short_period", options.short_period);
  put("notes", options.notes);
  for (const std::string& each : options.neighbours)
    body["neighbours"].push_back(utf8_valid(each));
  for (const std::string& each : options.peers)
    body["peers"].push_back(utf8_valid(each));
  if (options.no_long_cycle) body["long_cycle"] = false;
  if (options.listen) body["listen"] = true;
  return print_line(server.post("/api/v1/probes", body.dump()));
}

Result<void> list(Server& server, const Options& options) {
  const auto answer = get_listing(server, "/api/v1/probes", {}, "probes", options.list);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (options.json) return print(*answer + '\n');
  return write_listing(options.list,
                       options.list.wants_csv() ? probes_csv(*answer) : probes_text(*answer));
}

void define_add(CLI::App& app, Options& options) {
  app.add_option("name", options.name, "What people call it")->required();
  app.add_option("--profile", options.profile, "What it may send: ot, office, lab [ot]")
      ->check(CLI::IsMember({"ot", "office", "lab"}));
  app.add_option("--home", options.home, "The home that it calls [the only one]");
  app.add_option("--neighbour", options.neighbours,
                 "An address inside that profile ot may send to; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--control", options.control,
                 "Positive control: none, home, path:ADDRESS:PORT[/tcp] [none]");
  app.add_option("--control-every", options.control_every, "How often it is due [30m]");
  app.add_option("--end", options.end, "Silent from then on: 90d, 2026-12-31T00:00:00Z [never]");
  app.add_option("--short-period", options.short_period, "A short cycle begins so often [30m]");
  app.add_flag("--no-long-cycle", options.no_long_cycle, "Never try every port and protocol");
  app.add_flag("--listen", options.listen, "Hear pings of other probes");
  app.add_option("--peer", options.peers,
                 "Another probe to be tried: NAME=ADDRESS, with ',reachable' behind where that is "
                 "no leak; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--notes", options.notes, "For whoever comes next");
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(1);
  CLI::App* adding = app.add_subcommand("add", "Make one and print its configuration, once");
  define_add(*adding, *options);
  CLI::App* listing = app.add_subcommand("list", "List them, and when they were heard");
  options->list.add_to(*listing);
  listing->add_flag("--json", options->json, "Print the server's answer as it is");
  CLI::App* showing = app.add_subcommand("show", "Show one with its settings");
  CLI::App* revoking = app.add_subcommand("revoke", "Its keys count no more, at once");
  CLI::App* rotating = app.add_subcommand("rotate", "Give it a new key and print it, once");
  rotating->add_option("--overlap", options->overlap, "The old key counts so long [24h]");
  rotating->add_option("--home", options->home, "Another home [the same]");
  for (CLI::App* child : {showing, revoking, rotating})
    child->add_option("name", options->name, "As `probes list` shows it")->required();
  const auto access = ServerOptions::add_to(app);
  for (CLI::App* child : {adding, listing, showing, revoking, rotating})
    child->fallthrough();
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (adding->parsed()) return add(server, *options);
      if (listing->parsed()) return list(server, *options);
      if (showing->parsed()) {
        const auto answer = server.get(path_of(*options));
        if (!answer) return tl::unexpected<Error>(answer.error());
        return print(probe_text(*answer));
      }
      if (rotating->parsed()) {
        return print_line(
            server.post(path_of(*options) + "/rotate",
                        json_object({{"overlap", options->overlap}, {"home", options->home}})));
      }
      const auto answer = server.remove(path_of(*options));
      if (!answer) return tl::unexpected<Error>(answer.error());
      return print(terminal_safe(options->name) + " is revoked\n");
    });
  };
}

}  // namespace

extern const Subcommand probes;
constinit const Subcommand probes{"probes", "Make, list and revoke probes", define};

}  // namespace beaconry::subcommands
