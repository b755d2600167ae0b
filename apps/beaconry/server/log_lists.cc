#include "server/log_lists.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "server/access.h"
#include "server/listing.h"
#include "server/people_views.h"
#include "server/views.h"

namespace beaconry {
namespace {

struct Wanted {
  std::string sensor, instrument, type, context, who, since;
  bool json = false;
  ListOptions list;
};

}  // namespace

std::function<int()> define_audit_list(CLI::App& app) {
  auto wanted = std::make_shared<Wanted>();
  app.add_option("--who", wanted->who, "Of this user, token or machine");
  app.add_option("--since", wanted->since, "Since a time, or a length such as 24h");
  app.add_flag("--json", wanted->json, "Print the server's answer as it is");
  wanted->list.add_to(app);
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      Query query;
      add_given(query, "who", wanted->who);
      add_given(query, "since", wanted->since);
      // No page of it is longer than that.
      constexpr std::uint64_t kMostOfPage = 1000;
      const auto answer =
          get_listing(server, "/api/v1/audit", query, "entries", wanted->list, kMostOfPage);
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (wanted->json) return print(*answer + '\n');
      return write_listing(wanted->list,
                           wanted->list.wants_csv() ? audit_csv(*answer) : audit_text(*answer));
    });
  };
}

std::function<int()> define_fleet_event_list(CLI::App& app) {
  auto wanted = std::make_shared<Wanted>();
  app.add_option("--sensor", wanted->sensor, "Of this sensor, by name or fingerprint");
  app.add_option("--instrument", wanted->instrument,
                 "Of this instrument: beacon_0, or beacon_0@sensor001");
  app.add_option("--type", wanted->type, "Of this type; * stands for anything: '*.ev.alert'");
  app.add_option("--context", wanted->context,
                 "The event that has this uuid, and all that belong to it");
  app.add_option("--since", wanted->since, "Since a time, or a length such as 24h");
  app.add_flag("--json", wanted->json, "As JSON");
  wanted->list.add_to(app);
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      Query query;
      add_given(query, "edge", wanted->sensor);
      add_given(query, "instance", wanted->instrument);
      add_given(query, "type", wanted->type);
      add_given(query, "context", wanted->context);
      add_given(query, "since", wanted->since);
      const auto answer =
          get_listing(server, "/api/v1/instrument-events", query, "events", wanted->list);
      if (!answer) return tl::unexpected<Error>(answer.error());
      if (wanted->json) return print(*answer + '\n');
      return write_listing(wanted->list, wanted->list.wants_csv()
                                             ? instrument_events_csv(*answer)
                                             : instrument_events_text(*answer));
    });
  };
}

}  // namespace beaconry
