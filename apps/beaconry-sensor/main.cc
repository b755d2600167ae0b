#include "edge/edge_main.h"
#include "http/client.h"
#include "program.h"
#include "settings.h"

namespace beaconry {
namespace {

struct SensorEdge {
  using Arguments = SensorArguments;
  using Settings = SensorSettings;
  using Program = SensorProgram;
  static constexpr const char* kProgram = "beaconry-sensor";
  static constexpr const char* kKind = "sensor";
  static constexpr const char* kNameOptions = "-n,--name";
  static constexpr const char* kUsualName = "as it joined, else the host's name";
  static constexpr const char* kAbout =
      "Runs security tools as isolated instruments on this machine, and sends what they find to a "
      "Beaconry server.";
  static constexpr const char* kFooter =
      "Instruments are managed by 'beaconry instrument', what the sensor needs by 'beaconry sensor "
      "setup'.\nSignals: SIGHUP reads the log's level again. SIGTERM ends; instruments run on.";
  static constexpr const char* kThen = "Start the sensor, or restart it: instruments run on.";

  static void add_options(CLI::App&, Arguments&) {}
  static JoiningEdge joining(const Settings& settings) {
    JoiningEdge edge;
    edge.kind = kKind;
    edge.name = settings.name;
    edge.state_folder = settings.state_folder;
    edge.is_root = true;
    return edge;
  }
  static Result<std::string> status(const Settings& settings) {
    HttpClient::Options options;
    options.url = "unix:" + settings.socket;
    auto client = HttpClient::make(options);
    if (!client) return tl::unexpected<Error>(client.error());
    HttpRequest request;
    request.target = "/v1/sensor";
    const auto answer = (*client)->send(request);
    if (!answer) {
      return fail(ErrorKind::io, "ask the sensor at", settings.socket,
                  answer.error().cause + "; is it running?");
    }
    if (answer->status != 200) {
      return fail(ErrorKind::io, "ask the sensor at", settings.socket, answer->body);
    }
    return answer->body;
  }
};

}  // namespace
}  // namespace beaconry

int main(int argc, char** argv) {
  return beaconry::EdgeMain<beaconry::SensorEdge>::run(argc, argv);
}
