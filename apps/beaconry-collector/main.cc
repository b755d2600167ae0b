#include "base/status_socket.h"
#include "collector.h"
#include "edge/edge_main.h"
#include "settings.h"

namespace beaconry {
namespace {

struct CollectorEdge {
  using Arguments = CollectorArguments;
  using Settings = CollectorSettings;
  using Program = Collector;
  static constexpr const char* kProgram = "beaconry-collector";
  static constexpr const char* kKind = "collector";
  static constexpr const char* kNameOptions = "-n,--node-id,--name";
  static constexpr const char* kUsualName = "the host's name";
  static constexpr const char* kAbout =
      "Watches interfaces, or follows the logs of Zeek or Suricata, and sends what it sees "
      "of every connection to a Beaconry server.";
  static constexpr const char* kFooter =
      "Signals: SIGHUP reads the configuration again, SIGTERM ends with a last export.";
  static constexpr const char* kThen = "Start the collector, or send it SIGHUP.";

  static void add_options(CLI::App& app, Arguments& arguments) {
    app.add_option("-i,--interface", arguments.interfaces,
                   "An interface to watch; may be repeated (default: data_plane.interface, else "
                   "the one of the default route)")
        ->allow_extra_args(false);
    app.add_option("--mode", arguments.mode, "How packets are got (default: auto)")
        ->check(CLI::IsMember({"auto", "automatic", "xdp", "tc", "xdp_generic", "af_packet"}));
    app.add_option("--source", arguments.source,
                   "Follow logs that grow instead: zeek:FOLDER or suricata:FILE");
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
  return beaconry::EdgeMain<beaconry::CollectorEdge>::run(argc, argv);
}
