#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "http/target.h"
#include "server/access.h"
#include "server/image_download.h"
#include "server/json_rows.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::string name, folder;
  bool images = false;
};

// A name that no file system minds, else the fingerprint's beginning.
std::string file_stem(const Json& sensor) {
  constexpr std::size_t kDigits = 16, kLongest = 100;
  const std::string name = text_at(sensor, "name");
  const bool plain =
      !name.empty() && name.size() <= kLongest && name.front() != '.' && name.front() != '-' &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
          std::string::npos;
  return plain ? name : text_at(sensor, "fingerprint").substr(0, kDigits);
}

// What is signed: behind the first line, which is the signature.
Json signed_body(const std::string& message) {
  const Json body = Json::parse(message.substr(message.find('\n') + 1), nullptr, false);
  return body.is_object() ? body : Json::object();
}

// The images that its wish names, each once.
std::set<std::string> images_of(const Json& signed_wish) {
  std::set<std::string> images;
  const Json desired = signed_wish.value("document", Json::object());
  const auto instances = desired.find("instances");
  if (instances == desired.end() || !instances->is_object()) return images;
  for (const Json& each : *instances) {
    if (std::string image = text_at(each, "image"); !image.empty()) images.insert(image);
  }
  return images;
}

Result<void> export_to(Server& server, const Options& options) {
  const std::string path = "/api/v1/fleet/sensors/" + percent_encoded(options.name);
  const auto sensor = parsed_answer(server.get(path));
  if (!sensor) return tl::unexpected<Error>(sensor.error());
  const auto document = server.get(path + "/file");
  if (!document) return tl::unexpected<Error>(document.error());
  // The stick must fit itself: somebody may change the wish between the two questions.
  const Json wish = signed_body(*document);
  std::error_code failed;
  std::filesystem::create_directories(options.folder, failed);
  if (failed) {
    return fail(ErrorKind::io, "make", terminal_safe(options.folder), failed.message());
  }
  const std::string file = options.folder + '/' + file_stem(*sensor) + ".desired";
  if (auto written = replace_file(file, *document); !written) return written;
  if (auto said = print(terminal_safe(file) + ": version " + text_at(wish, "version") + " for " +
                        text_at(*sensor, "name") + '\n');
      !said) {
    return said;
  }
  if (!options.images) return {};
  for (const std::string& image : images_of(wish)) {
    const auto saved = download_image(server, image, options.folder);
    if (!saved) return tl::unexpected<Error>(saved.error());
    if (auto said = print(terminal_safe(*saved) + '\n'); !said) return said;
  }
  return {};
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("sensor", options->name, "Its name or fingerprint")->required();
  app.add_option("-o,--output", options->folder, "The folder, as of a USB stick; made if missing")
      ->required();
  app.add_flag("--images", options->images, "Also the images that it names, with their signatures");
  const auto access = ServerOptions::add_to(app);
  return [=] {
    return with_server(*access, [&](Server& server) { return export_to(server, *options); });
  };
}

}  // namespace

extern const Subcommand fleet_export;
constinit const Subcommand fleet_export{
    "export", "Write what a sensor without a wire shall be, signed, into a folder", define};

}  // namespace beaconry::fleet_commands
