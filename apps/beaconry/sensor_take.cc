#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>

#include "base/text.h"
#include "sensor/client.h"
#include "subcommand.h"

namespace beaconry::sensor_commands {
namespace {

std::string taken_text(const Json& answer) {
  std::string text = "Version " + text_at(answer, "version") + " of the server's document ";
  text += answer.value("is_news", false) ? "is obeyed from now on.\n" : "was here already.\n";
  for (const Json& image : list_at(answer, "images")) {
    if (image.is_string())
      text += "Image " + terminal_safe(image.get<std::string>().substr(0, 12)) + "... was taken.\n";
  }
  for (const Json& problem : list_at(answer, "problems"))
    if (problem.is_string()) text += terminal_safe(problem.get<std::string>()) + '\n';
  text.pop_back();
  return text;
}

std::function<int()> define(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  app.add_option("PATH", *path,
                 "A signed document of the server, or a folder with one; images that it wishes for "
                 "lie beside it, each with its .minisig")
      ->required();
  const auto options = SensorOptions::add_to(app);
  return [=] {
    return with_sensor(*options, [&](SensorClient& sensor) -> Result<int> {
      std::error_code error;
      const auto whole = std::filesystem::absolute(*path, error);
      const Json body = {{"file", whole.string()}};
      // Images of a slow stick are read, checked and copied.
      const auto answer = sensor.ask("POST", "/v1/fleet/take", body.dump(), std::chrono::hours{1});
      if (!answer) return tl::unexpected<Error>(answer.error());
      const Json read = Json::parse(*answer, nullptr, false);
      const bool is_whole = list_at(read, "problems").empty();
      if (!say(options->json ? json_line(read) : taken_text(read))) return kExitFound;
      return is_whole ? kExitDone : kExitFound;
    });
  };
}

}  // namespace

extern const Subcommand sensor_take;
constinit const Subcommand sensor_take{
    "take", "Take what the server wishes, and images, from a file: without a wire", define};

}  // namespace beaconry::sensor_commands
