#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/json_rows.h"
#include "server/leak_views.h"
#include "server/listing.h"
#include "server/requests.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string name, file, profile, home, control, control_every, end, short_period, notes, overlap,
      output;
  std::vector<std::string> neighbours, peers;
  bool no_long_cycle = false, listen = false, json = false;
  ListOptions list;
};

std::string path_of(const Options& options) {
  return "/api/v1/probes/" + percent_encoded(options.name);
}

std::string words_of(const Json& list) {
  std::string text;
  for (const Json& each : list) {
    if (each.is_string()) text += (text.empty() ? "" : ", ") + each.get<std::string>();
  }
  return terminal_safe(text);
}

// What is in the line and what the administrator must know of it: beside it, never in it.
void print_notes(const std::string& answer) {
  const auto json = parse_answer(answer);
  if (!json) return;
  const auto say = [&](const char* path, const char* before, const char* after) {
    const std::string words = words_of(list_at(*json, path));
    if (!words.empty()) std::fprintf(stderr, "%s%s%s\n", before, words.c_str(), after);
  };
  say("home_addresses", "It calls home at ", ".");
  say("private_addresses", "WARNING: ",
      " is reached within home's own network alone. Unless the probe is meant to reach it there, "
      "set home.addresses on the home and make the line anew ('beaconry probes rotate').");
  say("peers_to_rotate", "WARNING: the old key stands in the lines of ",
      ", which are to try this probe: give each a new line ('beaconry probes rotate').");
}

// A file that is there already is somebody's: no line takes its place. It is made before the server
// is asked, which gives the line once.
Result<void> claim_file(const std::string& path) {
  if (path.empty()) return {};
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return file ? Result<void>() : fail_errno("make", path);
}

// Whoever has the line is the probe: it goes to standard output alone, or into a file of mode 0600.
Result<void> give_line(const Result<std::string>& answer, const std::string& output) {
  const auto line = answer ? member_of(*answer, "line") : answer;
  if (!line) {
    if (!output.empty()) ::unlink(output.c_str());
    return tl::unexpected<Error>(line.error());
  }
  const auto until = member_of(*answer, "old_key_until");
  std::fputs(
      "Its configuration, shown once: it holds the probe's secret key. On the device:\n"
      "  beaconry-escape --interface eth0 --config FILE\n",
      stderr);
  print_notes(*answer);
  if (until && !until->empty()) {
    std::fprintf(stderr, "The old key counts until %s.\n", terminal_safe(*until).c_str());
  }
  return output.empty() ? print(*line + '\n') : replace_file(output, *line + '\n');
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
  if (auto claimed = claim_file(options.output); !claimed) return claimed;
  return give_line(server.post("/api/v1/probes", body.dump()), options.output);
}

Result<void> list(Server& server, const Options& options) {
  const auto answer = get_listing(server, "/api/v1/probes", {}, "probes", options.list);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (options.json) return print(*answer + '\n');
  return write_listing(options.list,
                       options.list.wants_csv() ? probes_csv(*answer) : probes_text(*answer));
}

// The file as it is: the server checks it by the probe's key.
Result<void> bring_record(Server& server, const Options& options) {
  constexpr std::size_t kMost = std::size_t{64} << 20;
  const auto record = read_small_file(options.file, kMost);
  if (!record) return tl::unexpected<Error>(record.error());
  const auto answer = server.post("/api/v1/coverage", *record);
  const auto name = answer ? member_of(*answer, "name") : answer;
  if (!name) return tl::unexpected<Error>(name.error());
  return print("The record of " + terminal_safe(*name) +
               " is taken: its chain and signatures are whole\n");
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
  for (CLI::App* child : {adding, rotating}) {
    child->add_option("--output", options->output,
                      "Put the configuration into this new file, which its owner alone may read "
                      "[standard output]");
  }
  for (CLI::App* child : {showing, revoking, rotating})
    child->add_option("name", options->name, "As `probes list` shows it")->required();
  CLI::App* bringing =
      app.add_subcommand("record", "Bring the server what a probe kept with --evidence FILE");
  bringing->add_option("file", options->file, "The probe's file")->required();
  const auto access = ServerOptions::add_to(app);
  for (CLI::App* child : {adding, listing, showing, revoking, rotating, bringing})
    child->fallthrough();
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (adding->parsed()) return add(server, *options);
      if (listing->parsed()) return list(server, *options);
      if (bringing->parsed()) return bring_record(server, *options);
      if (showing->parsed()) {
        const auto answer = server.get(path_of(*options));
        if (!answer) return tl::unexpected<Error>(answer.error());
        return print(probe_text(*answer));
      }
      if (rotating->parsed()) {
        if (auto claimed = claim_file(options->output); !claimed) return claimed;
        return give_line(
            server.post(path_of(*options) + "/rotate",
                        json_object({{"overlap", options->overlap}, {"home", options->home}})),
            options->output);
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
