#include "server/fleet_order.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/ask.h"
#include "server/listing.h"

namespace beaconry {

std::function<int()> define_fleet_order(CLI::App& app, const char* word, const char* done) {
  auto instance = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  app.add_option("instrument", *instance, "Such as beacon_0@sensor001")->required();
  app.add_flag("--json", *json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (auto good = parse_instance(*instance); !good) {
        return tl::unexpected<Error>(good.error());
      }
      return print_answer(
          server.post("/api/v1/fleet/instances/" + percent_encoded(*instance) + '/' + word, ""),
          *json, [&](const std::string&) -> Result<std::string> {
            return terminal_safe(*instance) + ": " + done + '\n';
          });
    });
  };
}

}  // namespace beaconry
