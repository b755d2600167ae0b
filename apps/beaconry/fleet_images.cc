#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/text.h"
#include "server/access.h"
#include "server/fleet_views.h"
#include "server/image_upload.h"
#include "server/layer.h"
#include "server/listing.h"
#include "subcommand.h"

namespace beaconry::fleet_commands {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string image;
  bool json = false;
};

// How far it has come, on one line of a terminal; nowhere else.
void say_progress(const std::string& file, std::uint64_t have, std::uint64_t size) {
  if (::isatty(STDERR_FILENO) != 1) return;
  std::fprintf(stderr, "\r%s: %s of %s\x1b[K", terminal_safe(file).c_str(),
               bytes_in_words(static_cast<double>(have)).c_str(),
               bytes_in_words(static_cast<double>(size)).c_str());
  if (have == size) std::fputs("\r\x1b[K", stderr);
}

Result<void> add(Server& server, const Options& options) {
  for (const std::string& file : options.files) {
    const auto image = upload_image(server, file, [&](std::uint64_t have, std::uint64_t size) {
      say_progress(file, have, size);
    });
    if (!image) return tl::unexpected<Error>(image.error());
    if (text_at(*image, "signer").empty()) {
      std::fprintf(
          stderr,
          "beaconry: %s has no signature (%s.minisig beside it); sensors run it only where "
          "its document says allow_unsigned: true\n",
          terminal_safe(file).c_str(), terminal_safe(file).c_str());
    }
    auto printed = print(options.json ? image->dump() + '\n' : fleet_image_text(*image));
    if (!printed) return printed;
  }
  return {};
}

// By SHA-256, its first digits, or NAME[:VERSION].
Result<std::string> path_of(Server& server, const std::string& given) {
  const auto images = parsed_answer(server.get("/api/v1/fleet/images"));
  if (!images) return tl::unexpected<Error>(images.error());
  const auto sha256 = find_image(*images, given);
  if (!sha256) return tl::unexpected<Error>(sha256.error());
  return "/api/v1/fleet/images/" + *sha256;
}

Result<void> show(Server& server, const Options& options) {
  const auto path = path_of(server, options.image);
  if (!path) return tl::unexpected<Error>(path.error());
  return print_answer(server.get(*path), options.json, [](const std::string& answer) {
    return from(answer, [](const Json& json) { return fleet_image_text(json); });
  });
}

Result<void> remove(Server& server, const Options& options) {
  const auto path = path_of(server, options.image);
  if (!path) return tl::unexpected<Error>(path.error());
  const auto gone = server.remove(*path);
  if (!gone) return tl::unexpected<Error>(gone.error());
  return print(terminal_safe(options.image) + " is removed\n");
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.require_subcommand(0, 1);
  CLI::App* adding = app.add_subcommand("add",
                                        "Bring images to the server, with the signatures "
                                        "beside them; goes on where it was cut off");
  adding->add_option("files", options->files, "FILE.instrument, as `instrument build` made it")
      ->required();
  CLI::App* listing = app.add_subcommand("list", "List them; as without a word");
  CLI::App* showing = app.add_subcommand("show", "Show one: what it may do and who uses it");
  CLI::App* removing = app.add_subcommand("remove", "Remove one that no document names");
  for (CLI::App* each : {showing, removing}) {
    each->add_option("image", options->image, "NAME, NAME:VERSION or SHA-256, or its first digits")
        ->required();
  }
  for (CLI::App* each : {&app, adding, listing, showing})
    each->add_flag("--json", options->json, "Print the server's answer as it is");
  const auto access = ServerOptions::add_to(app);
  for (CLI::App* child : {adding, listing, showing, removing})
    child->fallthrough();
  return [=] {
    return with_server(*access, [&](Server& server) -> Result<void> {
      if (adding->parsed()) return add(server, *options);
      if (showing->parsed()) return show(server, *options);
      if (removing->parsed()) return remove(server, *options);
      return print_answer(server.get("/api/v1/fleet/images"), options->json,
                          [](const std::string& answer) { return fleet_images_text(answer); });
    });
  };
}

}  // namespace

extern const Subcommand fleet_images;
constinit const Subcommand fleet_images{
    "images", "Bring instruments' images to the server, list, show and remove them", define};

}  // namespace beaconry::fleet_commands
