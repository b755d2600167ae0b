#include <sys/utsname.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "image/base_root.h"
#include "image/digest.h"
#include "image/host_copy.h"
#include "image/host_files.h"
#include "image/image.h"
#include "image/image_layout.h"
#include "image/minisign.h"
#include "image/sbom.h"
#include "image/tar.h"

namespace beaconry {
namespace {

tl::unexpected<Error> failed(const Error& error) {
  return tl::unexpected<Error>(error);
}

// JSON's text is YAML's too.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string metadata(const Manifest& manifest) {
  utsname machine{};
  ::uname(&machine);
  return std::string("architecture: ") + machine.machine +
         "\ncreation_date: 1\nproperties:\n  name: " + quoted(manifest.name) +
         "\n  version: " + quoted(manifest.version) +
         "\n  description: " + quoted(manifest.name + ' ' + manifest.version) +
         "\n  os: beaconry\n";
}

// Everything that the manifest and the command line name, in the order in which it replaces what
// came before.
class Packer {
 public:
  Packer(const BuildOptions& options, const Manifest& manifest, RootTree& tree)
      : options_(options), manifest_(manifest), tree_(tree) {}

  Result<void> pack() {
    const RootTree base = tree_;
    Result<void> done = packages();
    for (const std::string& program : manifest_.programs) {
      if (done) done = copy_same_path(tree_, program);
    }
    if (done) done = files();
    if (done) done = command();
    if (done) done = extra();
    if (done) done = add_libraries(tree_, base, !options_.base.empty());
    if (done) done = check(base);
    return done;
  }

 private:
  std::string source(const std::string& path) const {
    return path.starts_with('/') ? path : options_.source_folder + '/' + path;
  }

  Result<void> packages() {
    for (const std::string& package : manifest_.packages) {
      const auto files = files_of_package(package);
      if (!files) return failed(files.error());
      for (const std::string& file : *files) {
        if (auto copied = copy_same_path(tree_, file); !copied) return copied;
      }
    }
    return {};
  }

  Result<void> files() {
    for (const auto& [path, from] : manifest_.files) {
      if (auto copied = copy_from_host(tree_, source(from), path); !copied) return copied;
    }
    const std::string folder = options_.source_folder + "/files";
    std::error_code error;
    if (!std::filesystem::exists(folder, error)) return {};
    return copy_from_host(tree_, folder, "");
  }

  // The program that lies beside the manifest.
  Result<void> command() {
    const std::string path = program();
    constexpr std::string_view kOwn = "/instrument/";
    if (!path.starts_with(kOwn)) return {};
    const std::string host = source(path.substr(kOwn.size()));
    std::error_code error;
    if (!std::filesystem::exists(host, error)) return {};
    return copy_from_host(tree_, host, path);
  }

  Result<void> extra() {
    for (const std::string& each : options_.extra) {
      const auto colon = each.rfind(':');
      if (colon == std::string::npos || colon == 0 || each.find("..", colon) != std::string::npos ||
          colon + 2 >= each.size() || each[colon + 1] != '/') {
        return fail(ErrorKind::usage, "pack", terminal_safe(each),
                    "write HOST:PATH, such as build/probe:/instrument/probe");
      }
      auto copied = copy_from_host(tree_, each.substr(0, colon), each.substr(colon + 1));
      if (!copied) return copied;
    }
    return {};
  }

  std::string program() const {
    return manifest_.command.empty() ? "/instrument/run" : manifest_.command.front();
  }

  // What would otherwise be found out when it is started.
  Result<void> check(const RootTree& base) const {
    const auto refuse = [](const std::string& path, std::string cause) {
      return fail(ErrorKind::malformed, "pack", terminal_safe(path), std::move(cause));
    };
    if (tree_.find(kInitInRoot)->content != base.find(kInitInRoot)->content)
      return refuse("/sbin/init", "it is the platform's; the instrument's program is 'command'");
    for (const char* own : {kManifestInRoot, kSbomInRoot}) {
      if (tree_.find(own) != nullptr)
        return refuse(std::string("/") + own, "it is written by the build; leave it out");
    }
    const std::string path = program();
    const RootTree::Entry* entry = tree_.find(path);
    if (entry == nullptr || entry->content == nullptr) {
      return fail(ErrorKind::not_found, "pack", terminal_safe(path),
                  "the program that 'command' names is not there: put " +
                      terminal_safe(std::filesystem::path(path).filename().string()) +
                      " beside manifest.yaml, or name it by --file HOST:" + terminal_safe(path));
    }
    if ((entry->mode & 0111) == 0) return refuse(path, "it may not be executed; chmod +x");
    return check_interpreter(path, *entry->content);
  }

  Result<void> check_interpreter(const std::string& path, std::string_view content) const {
    if (!content.starts_with("#!")) return {};
    std::string_view line = trim(content.substr(2, content.substr(2).find('\n')));
    auto words = split(line, ' ');
    const auto missing = [&](const std::string& what) {
      return fail(ErrorKind::not_found, "pack", terminal_safe(path),
                  "it is run by " + terminal_safe(what) +
                      ", which the image lacks; name it in 'programs' or its 'packages'");
    };
    const std::string interpreter(words.front());
    if (tree_.find(interpreter) == nullptr) return missing(interpreter);
    if (!interpreter.ends_with("/env") || words.size() < 2 || words[1].starts_with('-')) return {};
    for (const char* folder :
         {"/instrument/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
      if (tree_.find(folder + std::string(words[1])) != nullptr) return {};
    }
    return missing(std::string(words[1]));
  }

  const BuildOptions& options_;
  const Manifest& manifest_;
  RootTree& tree_;
};

TarEntry entry_of(const std::string& path, const RootTree::Entry& entry) {
  TarEntry result;
  result.path = std::string(kImageRoot) + '/' + path;
  result.mode = entry.mode;
  result.target = entry.target;
  result.kind = entry.kind == RootTree::Entry::Kind::folder ? TarEntry::Kind::folder
                : entry.kind == RootTree::Entry::Kind::link ? TarEntry::Kind::link
                                                            : TarEntry::Kind::file;
  return result;
}

std::string archive(const Manifest& manifest, const RootTree& tree) {
  TarWriter writer;
  const auto folder = [&](const std::string& path) {
    TarEntry entry;
    entry.path = path;
    entry.kind = TarEntry::Kind::folder;
    entry.mode = 0755;
    writer.add(entry, "");
  };
  const auto write = [&](const std::string& path, const RootTree::Entry& entry) {
    writer.add(entry_of(path, entry), entry.content != nullptr ? *entry.content : "");
  };
  // What is looked at without unpacking all stands first.
  folder(kImageRoot);
  folder(std::string(kImageRoot) + "/instrument");
  for (const char* head : {kManifestInRoot, kSbomInRoot})
    write(head, *tree.find(head));
  TarEntry about;
  about.path = kImageMetadata;
  writer.add(about, metadata(manifest));
  for (const auto& [path, entry] : tree.entries()) {
    if (path != "instrument" && path != kManifestInRoot && path != kSbomInRoot) write(path, entry);
  }
  return writer.finish();
}

}  // namespace

Result<BuiltImage> build_image(const BuildOptions& options) {
  const std::string manifest_file = options.source_folder + "/manifest.yaml";
  auto text = read_small_file(manifest_file, kLongestManifest);
  if (!text) return failed(text.error());
  const auto manifest = Manifest::parse(*text, manifest_file);
  if (!manifest) return failed(manifest.error());
  std::string key;
  if (!options.signing_key.empty()) {
    auto read = read_small_file(options.signing_key, kLongestSignatureFile);
    if (!read) return failed(read.error());
    key = std::move(*read);
  }
  std::vector<std::string> command = manifest->command;
  if (command.empty()) command.emplace_back("/instrument/run");
  auto root = make_base_root(options.base, options.busybox, command);
  if (!root) return failed(root.error());
  if (auto packed = Packer(options, *manifest, root->tree).pack(); !packed)
    return failed(packed.error());
  auto added = root->tree.add_file(kManifestInRoot, std::move(*text), 0644, "");
  if (!added) return failed(added.error());
  const auto sbom = make_sbom(*manifest, *root);
  if (!sbom) return failed(sbom.error());
  added = root->tree.add_file(kSbomInRoot, *sbom, 0644, "");
  if (!added) return failed(added.error());

  const std::string bytes = archive(*manifest, root->tree);
  if (bytes.size() > kImageLimits.packed_bytes)
    return fail(ErrorKind::limit, "pack", manifest->name, "the image is longer than 1 GiB");
  std::error_code error;
  std::filesystem::create_directories(options.output_folder, error);
  if (error) return fail(ErrorKind::io, "make", options.output_folder, error.message());
  const std::string stem = options.output_folder + '/' + manifest->name + '_' + manifest->version;
  BuiltImage built;
  built.file = stem + ".instrument";
  built.sbom = stem + ".sbom.json";
  built.fingerprint = sha256_of(bytes);
  built.bytes = bytes.size();
  // A signature of an earlier build belongs to other bytes.
  const std::string signature_file = built.file + ".minisig";
  std::filesystem::remove(signature_file, error);
  auto written = replace_file(built.file, bytes);
  if (written) written = replace_file(built.sbom, *sbom);
  if (written && !key.empty()) {
    const auto signature =
        sign_file(built.file, key, "instrument " + manifest->name + ' ' + manifest->version);
    if (!signature) return failed(signature.error());
    built.signature = signature_file;
    written = replace_file(signature_file, *signature);
  }
  if (!written) return failed(written.error());
  for (const std::string& file : {built.file, built.sbom, built.signature}) {
    if (file.empty()) continue;
    std::filesystem::permissions(file, static_cast<std::filesystem::perms>(0644), error);
    if (error) return fail(ErrorKind::io, "publish", file, error.message());
  }
  return built;
}

}  // namespace beaconry
