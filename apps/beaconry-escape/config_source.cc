#include "config_source.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/fd.h"
#include "base/file.h"
#include "base/text.h"
#include "config/document.h"

namespace beaconry {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
constexpr const char* kVariable = "BEACONRY_ESCAPE_CONFIG";

Result<std::string> read_at(const Fd& file, const std::string& path, std::uint64_t at,
                            std::size_t most) {
  std::string text(most, '\0');
  std::size_t had = 0;
  while (had < most) {
    const ssize_t got =
        ::pread(file.get(), text.data() + had, most - had, static_cast<off_t>(at + had));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", path);
    if (got == 0) break;
    had += static_cast<std::size_t>(got);
  }
  text.resize(had);
  return text;
}

// The sections' table is the last thing that linkers and strip write.
Result<std::uint64_t> end_of_program(const Fd& file, const std::string& path) {
  const auto bytes = read_at(file, path, 0, sizeof(Elf64_Ehdr));
  if (!bytes) return tl::unexpected<Error>(bytes.error());
  Elf64_Ehdr header;
  if (bytes->size() != sizeof header || std::memcmp(bytes->data(), ELFMAG, SELFMAG) != 0 ||
      (*bytes)[EI_CLASS] != ELFCLASS64) {
    return fail(ErrorKind::unsupported, "read", path, "it is no 64-bit program");
  }
  std::memcpy(&header, bytes->data(), sizeof header);
  return header.e_shoff + std::uint64_t{header.e_shnum} * header.e_shentsize;
}

}  // namespace

Result<std::string> read_appended(const std::string& program, std::size_t most) {
  const auto file = Fd::open_for_reading(program);
  if (!file) return tl::unexpected<Error>(file.error());
  const auto end = end_of_program(*file, program);
  if (!end) return tl::unexpected<Error>(end.error());
  return read_at(*file, program, *end, most);
}

Result<ProbeConfig> read_probe_config(const std::string& path) {
  if (!path.empty()) {
    const auto text = read_small_file(path, kLongestConfigFile);
    if (!text) return tl::unexpected<Error>(text.error());
    if (struct stat status{}; path != "-" && ::stat(path.c_str(), &status) == 0 &&
                              S_ISREG(status.st_mode) &&
                              (status.st_mode & (S_IRGRP | S_IROTH)) != 0) {
      std::fprintf(stderr,
                   "beaconry-escape: %s holds the probe's secret key, and others may read it: "
                   "chmod 600 it\n",
                   terminal_safe(path).c_str());
    }
    return ProbeConfig::parse(*text, path == "-" ? "standard input" : path);
  }
  if (const char* line = std::getenv(kVariable)) return ProbeConfig::parse(line, kVariable);
  // Without /proc there is no way to one's own file.
  const auto appended = read_appended(kSelf, kLongestConfigFile + 1);
  if (appended && !trim(*appended).empty()) {
    return ProbeConfig::parse(*appended, "the configuration in this program's file");
  }
  return fail(
      ErrorKind::usage, "read the configuration", "",
      std::string("there is none: give --config FILE (- for standard input), put the line of "
                  "'beaconry probes add' into ") +
          kVariable + ", or append it to a copy of this program by --embed");
}

Result<void> embed_config(const std::string& path, const std::string& out) {
  const auto text = read_small_file(path, kLongestConfigFile);
  if (!text) return tl::unexpected<Error>(text.error());
  if (const auto good = ProbeConfig::parse(*text, path == "-" ? "standard input" : path); !good) {
    return tl::unexpected<Error>(good.error());
  }
  const auto self = Fd::open_for_reading(kSelf);
  if (!self) return tl::unexpected<Error>(self.error());
  const auto end = end_of_program(*self, "this program");
  if (!end) return tl::unexpected<Error>(end.error());
  // Never over what is there: the one who runs it may not expect its configuration to change.
  const Fd made(::open(out.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700));
  if (!made) return fail_errno("make", out);
  const auto put = [&](std::string_view bytes) -> Result<void> {
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(made.get(), bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return fail_errno("write", out);
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
  };
  constexpr std::uint64_t kBlock = 1 << 20;
  for (std::uint64_t at = 0; at < *end;) {
    const auto block =
        read_at(*self, "this program", at, static_cast<std::size_t>(std::min(kBlock, *end - at)));
    if (!block) return tl::unexpected<Error>(block.error());
    if (block->empty()) return fail(ErrorKind::io, "read", "this program", "it ends early");
    if (auto done = put(*block); !done) return done;
    at += block->size();
  }
  return put(*text);
}

}  // namespace beaconry
