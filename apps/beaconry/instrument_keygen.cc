#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "base/fd.h"
#include "base/text.h"
#include "image/minisign.h"
#include "subcommand.h"

namespace beaconry::instrument_commands {
namespace {

// A key that is there already is never written over: what it signed could not be signed again.
Result<void> write_new(const std::string& path, mode_t mode, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file) return fail_errno("make", path);
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fsync(file.get()) != 0) {
    return fail_errno("write", path);
  }
  return {};
}

int run(const std::string& name) {
  const std::string public_file = name + ".pub", secret_file = name + ".key";
  const MinisignKeyPair pair = make_key_pair("beaconry instruments");
  auto written = write_new(secret_file, 0600, pair.secret_text);
  if (written) {
    written = write_new(public_file, 0644, pair.public_text);
    if (!written) ::unlink(secret_file.c_str());
  }
  if (!written) {
    std::fprintf(stderr, "beaconry: %s\n", written.error().message().c_str());
    return kExitFound;
  }
  std::printf(
      "%s signs: keep it (beaconry instrument build --key).\n"
      "%s goes onto every sensor, into /etc/beaconry/instrument-keys/.\n",
      terminal_safe(secret_file).c_str(), terminal_safe(public_file).c_str());
  return kExitDone;
}

std::function<int()> define(CLI::App& app) {
  auto name = std::make_shared<std::string>("instruments");
  app.add_option("name", *name, "Makes NAME.pub and NAME.key [instruments]");
  return [=] { return run(*name); };
}

}  // namespace

extern const Subcommand instrument_keygen;
constinit const Subcommand instrument_keygen{"keygen", "Make a pair of keys to sign images with",
                                             define};

}  // namespace beaconry::instrument_commands
