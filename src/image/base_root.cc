#include "image/base_root.h"

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "image/elf.h"
#include "image/host_files.h"
#include "image/tar.h"

namespace beaconry {
namespace {

constexpr std::uint64_t kMostUnpacked = 1ULL << 30, kLongestBusybox = 64 << 20;

// What LXD and the platform mount something on: the root is read-only, so they must be there.
constexpr std::pair<const char*, unsigned> kFolders[] = {
    {"dev", 0755},        {"etc", 0755},
    {"instrument", 0755}, {"persistent-data", 0755},
    {"proc", 0755},       {"resources", 0755},
    {"root", 0700},       {"run", 0755},
    {"run/bus", 0755},    {"run/instrument", 0755},
    {"run/uplink", 0755}, {"sys", 0755},
    {"tmp", 01777},       {"transient-data", 0755},
    {"usr/bin", 0755},    {"var", 0755},
};

constexpr const char* kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/:/bin/false\n";
constexpr const char* kGroup = "root:x:0:\nnogroup:x:65534:\n";
constexpr const char* kHosts = "127.0.0.1 localhost\n::1 localhost\n";
constexpr const char* kNameServices =
    "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n";

// Within single quotes a shell takes everything literally but the quote.
std::string shell_word(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word)
    quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + '\'';
}

// PID 1 of the container: the kernel ends all of its processes with it.
std::string init_script(const std::vector<std::string>& command) {
  std::string words;
  for (const std::string& word : command)
    words += ' ' + shell_word(word);
  return "#!/bin/sh\n"
         "# Runs the instrument, hands on the signal to stop, reaps orphans, ends as it ends.\n"
         "export PATH=/instrument:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
         "export HOME=/tmp LANG=C.UTF-8\n"
         "umask 022\n"
         "ulimit -c 0\n"
         "cd /instrument || exit 126\n"
         "# The sensor brings up 127.0.0.1 from outside, a moment after the start.\n"
         "left=100\n"
         "while [ \"$left\" -gt 0 ] && [ \"$(cat /sys/class/net/lo/flags 2>/dev/null)\" = 0x8 ]; "
         "do\n"
         "  sleep 0.05\n"
         "  left=$((left - 1))\n"
         "done\n"
         "echo 'instrument: started'\n" +
         words.substr(1) +
         " &\n"
         "child=$!\n"
         "trap 'kill -TERM \"$child\" 2>/dev/null' TERM PWR INT\n"
         "while :; do\n"
         "  wait \"$child\"\n"
         "  status=$?\n"
         "  kill -0 \"$child\" 2>/dev/null || break\n"
         "done\n"
         "echo \"instrument: ended with status $status\"\n"
         "exit \"$status\"\n";
}

Result<void> unpack(const std::string& base, RootTree& tree) {
  auto reader = TarReader::open(base, TarLimits{512 << 20, kMostUnpacked, 200'000});
  if (!reader) return tl::unexpected<Error>(std::move(reader.error()));
  for (;;) {
    auto entry = reader->next();
    if (!entry) return tl::unexpected<Error>(std::move(entry.error()));
    if (!*entry) return {};
    const TarEntry& found = **entry;
    // The container's own /dev is made by the runtime.
    if (found.path.starts_with("dev/")) continue;
    Result<void> added;
    switch (found.kind) {
      case TarEntry::Kind::folder:
        if (!found.path.empty()) added = tree.add_folder(found.path, found.mode);
        break;
      case TarEntry::Kind::link:
        added = tree.add_link(found.path, found.target);
        break;
      case TarEntry::Kind::file: {
        auto content = reader->content(kMostUnpacked);
        if (!content) return tl::unexpected<Error>(std::move(content.error()));
        added = tree.add_file(found.path, std::move(*content), found.mode & 0777, "");
        break;
      }
      case TarEntry::Kind::hard_link: {
        const auto target = tree.entries().find(found.target);
        if (target != tree.entries().end() && target->second.content != nullptr)
          added = tree.add_file(found.path, *target->second.content, target->second.mode, "");
        break;
      }
      case TarEntry::Kind::other:
        return fail(ErrorKind::malformed, "read", terminal_safe(base),
                    "'" + terminal_safe(found.path) + "' is a device or pipe");
    }
    if (!added) return added;
  }
}

// "P:musl" and "V:1.2.4-r2" of /lib/apk/db/installed.
std::vector<BaseRoot::Package> alpine_packages(const RootTree& tree) {
  std::vector<BaseRoot::Package> packages;
  const RootTree::Entry* installed = tree.find("lib/apk/db/installed");
  if (installed == nullptr || installed->content == nullptr) return packages;
  std::string name, version;
  for (const std::string_view line : split(*installed->content, '\n')) {
    if (line.starts_with("P:")) name = terminal_safe(line.substr(2));
    if (line.starts_with("V:")) version = terminal_safe(line.substr(2));
    if (!line.empty() || name.empty()) continue;
    packages.push_back({std::exchange(name, {}), std::exchange(version, {})});
  }
  std::sort(packages.begin(), packages.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return packages;
}

Result<void> add_busybox(const std::string& path, RootTree& tree) {
  auto content = read_small_file(path, kLongestBusybox);
  if (!content) {
    Error error = content.error();
    error.cause += "; install busybox-static, or name a static one by --busybox";
    return tl::unexpected<Error>(std::move(error));
  }
  const auto elf = read_elf(*content, path);
  if (!elf) return tl::unexpected<Error>(elf.error());
  if (!elf->is_elf || elf->needs_libraries) {
    return fail(ErrorKind::unsupported, "pack", path,
                "it is no static program; install busybox-static, or name one by --busybox");
  }
  auto listed = run_host_program({path, "--list-full"});
  if (!listed) return tl::unexpected<Error>(listed.error());
  if (listed->status != 0 || listed->output.empty())
    return fail(ErrorKind::malformed, "run", path + " --list-full", "it lists nothing");
  if (auto added = tree.add_file("bin/busybox", std::move(*content), 0755, path); !added)
    return added;
  for (std::string_view applet : split(listed->output, '\n')) {
    applet = trim(applet);
    if (applet.empty() || applet == "bin/busybox" || applet.starts_with('/') ||
        applet.find("..") != std::string_view::npos)
      continue;
    if (auto added = tree.add_link(applet, "/bin/busybox"); !added) return added;
  }
  return {};
}

Result<void> add_if_missing(RootTree& tree, const char* path, const char* content) {
  return tree.find(path) != nullptr ? Result<void>() : tree.add_file(path, content, 0644, "");
}

}  // namespace

Result<BaseRoot> make_base_root(const std::string& base, const std::string& busybox,
                                const std::vector<std::string>& command) {
  BaseRoot root{RootTree(kMostUnpacked), {}};
  RootTree& tree = root.tree;
  Result<void> done = base.empty() ? add_busybox(busybox.empty() ? "/bin/busybox" : busybox, tree)
                                   : unpack(base, tree);
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  root.alpine_packages = alpine_packages(tree);
  if (tree.find("bin/sh") == nullptr) {
    return fail(ErrorKind::malformed, "use", base.empty() ? busybox : base,
                "the root has no /bin/sh; take an Alpine minirootfs tarball");
  }
  for (const auto& [path, mode] : kFolders) {
    if (done) done = tree.add_folder(path, mode);
  }
  if (done) done = add_if_missing(tree, "etc/passwd", kPasswd);
  if (done) done = add_if_missing(tree, "etc/group", kGroup);
  if (done) done = add_if_missing(tree, "etc/hosts", kHosts);
  if (done) done = add_if_missing(tree, "etc/nsswitch.conf", kNameServices);
  if (done) done = tree.add_link("etc/resolv.conf", "/run/instrument/resolv.conf");
  if (done && tree.find("var/tmp") == nullptr) done = tree.add_link("var/tmp", "/tmp");
  if (done && tree.find("var/run") == nullptr) done = tree.add_link("var/run", "/run");
  if (done) done = tree.add_file("sbin/init", init_script(command), 0755, "");
  if (!done) return tl::unexpected<Error>(std::move(done.error()));
  return root;
}

}  // namespace beaconry
