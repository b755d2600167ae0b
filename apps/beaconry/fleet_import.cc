#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "server/access.h"
#include "server/json_rows.h"
#include "server/listing.h"
#include "subcommand.h"
#include "uplink/signed_report.h"

namespace beaconry::fleet_commands {
namespace {

// The file says itself whose it is; that it may, the server sees.
Result<void> import(Server& server, const std::string& file) {
  const auto text = read_small_file(file, kLongestSignedReport);
  if (!text) return tl::unexpected<Error>(text.error());
  const auto report = check_signed_report(*text);
  if (!report) {
    return fail(ErrorKind::malformed, "read", terminal_safe(file), report.error().message());
  }
  const auto taken =
      parsed_answer(server.post("/api/v1/fleet/sensors/" + report->sensor + "/file", *text));
  if (!taken) return tl::unexpected<Error>(taken.error());
  const auto sensor = parsed_answer(server.get("/api/v1/fleet/sensors/" + report->sensor));
  if (!sensor) return tl::unexpected<Error>(sensor.error());
  return print(text_at(*sensor, "name") + ": " + text_at(*taken, "status") +
               "; it follows version " + text_at(*sensor, "reported_version") + " of " +
               text_at(*taken, "desired_version") + ", and is " + text_at(*sensor, "state") + '\n');
}

std::function<int()> define(CLI::App& app) {
  auto file = std::make_shared<std::string>();
  app.add_option("file", *file, "The report that the sensor signed")->required();
  const auto access = ServerOptions::add_to(app);
  return
      [=] { return with_server(*access, [&](Server& server) { return import(server, *file); }); };
}

}  // namespace

extern const Subcommand fleet_import;
constinit const Subcommand fleet_import{
    "import", "Take in what a sensor without a wire reports, from a file that it signed", define};

}  // namespace beaconry::fleet_commands
