#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "http/target.h"
#include "server/access.h"
#include "server/leak_views.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  ListOptions list;
  std::string probe, since, state, method, path, html, id;
  bool json = false;

  Query query() const {
    Query query;
    add_given(query, "probe", probe);
    add_given(query, "since", since);
    add_given(query, "state", state);
    add_given(query, "method", method);
    add_given(query, "path", path);
    return query;
  }
};

Result<void> write_page(const std::string& path, const Result<std::string>& page) {
  if (!page || path == "-") return print(page);
  std::ofstream file(path, std::ios::trunc);
  file << *page;
  file.close();
  if (!file) return fail_errno("write", path);
  return {};
}

Result<void> list(Server& server, const Options& options) {
  if (!options.html.empty()) {
    return write_page(options.html, server.get("/api/v1/leaks/report", options.query()));
  }
  const auto answer = get_listing(server, "/api/v1/leaks", options.query(), "leaks", options.list);
  if (!answer) return tl::unexpected<Error>(answer.error());
  if (options.json) return print(*answer + '\n');
  return write_listing(options.list, options.list.wants_csv()
                                         ? leaks_csv(*answer)
                                         : leaks_text(*answer, colour_on_output()));
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(0, 1);
  app.add_option("--probe", options->probe, "Only of this probe, by name or key");
  app.add_option("--since", options->since, "Only what was seen since: 24h, 2026-12-01T00:00:00Z");
  app.add_option("--state", options->state, "Only open or closed ones")
      ->check(CLI::IsMember({"open", "closed"}));
  app.add_option("--method", options->method, "Only by this method: dns, udp-port, ...");
  app.add_option("--path", options->path, "Only along this kind of path: nat, resolver, ...");
  options->list.add_to(app);
  app.add_flag("--json", options->json, "Print the server's answer as it is");
  app.add_option("--html", options->html, "Write them as a page to be printed; -: to output")
      ->type_name("FILE");
  CLI::App* showing = app.add_subcommand("show", "Show one: its path, what it means, what to do");
  showing->add_option("id", options->id, "As `leaks` lists it")->required();
  const auto access = ServerOptions::add_to(app);
  showing->fallthrough();
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (!showing->parsed()) return list(server, *options);
      const auto answer = server.get("/api/v1/leaks/" + percent_encoded(options->id));
      if (!answer) return tl::unexpected<Error>(answer.error());
      return options->json ? print(*answer + '\n') : print(leak_text(*answer));
    });
  };
}

}  // namespace

extern const Subcommand leaks;
constinit const Subcommand leaks{"leaks", "List what got out of isolated segments, and how",
                                 define};

}  // namespace beaconry::subcommands
