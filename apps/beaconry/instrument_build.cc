#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/text.h"
#include "image/image.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

struct Options {
  BuildOptions build;
  bool json = false;
};

int run(const Options& options) {
  const auto built = build_image(options.build);
  if (!built) {
    std::fprintf(stderr, "beaconry: %s\n", built.error().message().c_str());
    return kExitFound;
  }
  if (options.json) {
    const nlohmann::json json = {{"file", built->file},
                                 {"signature", built->signature},
                                 {"sbom", built->sbom},
                                 {"fingerprint", built->fingerprint},
                                 {"bytes", built->bytes}};
    std::printf("%s\n",
                json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return kExitDone;
  }
  std::printf("image        %s (%s)\n", terminal_safe(built->file).c_str(),
              bytes_in_words(static_cast<double>(built->bytes)).c_str());
  std::printf("fingerprint  %s\n", built->fingerprint.c_str());
  std::printf("contents     %s\n", terminal_safe(built->sbom).c_str());
  if (built->signature.empty()) {
    std::printf("signature    none: a sensor takes it only where it is told to by name (--key)\n");
  } else {
    std::printf("signature    %s\n", terminal_safe(built->signature).c_str());
  }
  return kExitDone;
}

std::function<int()> define(CLI::App& app) {
  auto options = std::make_shared<Options>();
  BuildOptions& build = options->build;
  build.output_folder = ".";
  app.add_option("folder", build.source_folder, "Has manifest.yaml, the program, files/")
      ->required();
  app.add_option("--output", build.output_folder, "Folder for the image [.]");
  app.add_option("--key", build.signing_key,
                 "Sign with this secret key, of 'beaconry instrument keygen' or 'minisign -G -W'");
  app.add_option("--base", build.base, "An Alpine minirootfs tarball [a busybox root]");
  app.add_option("--busybox", build.busybox, "A static one [/bin/busybox]");
  app.add_option("--file", build.extra, "HOST:PATH, one more file; may be repeated")
      ->allow_extra_args(false);
  app.add_flag("--json", options->json, "As JSON");
  return [=] { return run(*options); };
}

}  // namespace

extern const Subcommand instrument_build;
constinit const Subcommand instrument_build{"build", "Pack one into an image and sign it", define};

}  // namespace beaconry::instrument_commands
