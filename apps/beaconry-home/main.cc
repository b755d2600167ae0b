#include "base/status_socket.h"
#include "edge/edge_main.h"
#include "program.h"
#include "settings.h"

namespace beaconry {
namespace {

struct HomeEdge {
  using Arguments = HomeArguments;
  using Settings = HomeProgramSettings;
  using Program = HomeProgram;
  static constexpr const char* kProgram = "beaconry-home";
  static constexpr const char* kKind = "home";
  static constexpr const char* kNameOptions = "-n,--name";
  static constexpr const char* kUsualName = "the host's name";
  static constexpr const char* kAbout =
      "Listens outside for the pings of probes in isolated segments, and sends what arrives to a "
      "Beaconry server.";
  static constexpr const char* kFooter =
      "Signals: SIGHUP reads server, token and the file of probes again and tells the server of "
      "new addresses; the zone's answers, sockets and which file it is stay until a restart. "
      "SIGTERM ends with a last batch.";
  static constexpr const char* kThen = "Start home, or send it SIGHUP.";

  static void add_options(CLI::App& app, Arguments& arguments) {
    app.add_option("--probes", arguments.probes,
                   "File with the probes, JSON as the server gives it, instead of asking a server");
  }
  static JoiningEdge joining(const Settings& settings) {
    return {kKind, settings.name, settings.state_folder, settings.user, kProgram};
  }
  static Result<std::string> status(const Settings& settings) {
    return ask_status(settings.socket);
  }
};

}  // namespace
}  // namespace beaconry

int main(int argc, char** argv) {
  return beaconry::EdgeMain<beaconry::HomeEdge>::run(argc, argv);
}
