#include <CLI/CLI.hpp>

#include "server/access.h"
#include "server/listing.h"
#include "server/views.h"
#include "subcommand.h"

namespace beaconry::subcommands {
namespace {

struct Options {
  std::string sensor, instrument, type, since;
  bool json = false;
};

std::function<int()> define(CLI::App& app) {
  auto wanted = std::make_shared<Options>();
  auto listing = std::make_shared<ListOptions>();
  app.add_option("--sensor", wanted->sensor, "Of this sensor, by name or fingerprint");
  app.add_option("--instrument", wanted->instrument,
                 "Of this instrument: beacon_0, or beacon_0@sensor001");
  app.add_option("--type", wanted->type, "Of this type; * stands for anything: '*.ev.alert'");
  app.add_option("--since", wanted->since, "Since a time, or a length such as 24h");
  app.add_flag("--json", wanted->json, "As JSON");
  listing->add_to(app);
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      Query query;
      const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) query.emplace_back(name, value);
      };
      add("edge", wanted->sensor);
      add("instance", wanted->instrument);
      add("type", wanted->type);
      add("since", wanted->since);
      const auto answer =
          get_listing(server, "/api/v1/instrument-events", query, "events", *listing);
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (wanted->json) return print(*answer + '\n');
      if (listing->wants_csv()) return write_listing(*listing, instrument_events_csv(*answer));
      return print(instrument_events_text(*answer));
    });
  };
}

}  // namespace

extern const Subcommand events;
constinit const Subcommand events{
    "events", "List what sensors and their instruments told, newest first", define};

}  // namespace beaconry::subcommands
