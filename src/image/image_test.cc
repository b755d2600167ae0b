#include "image/image.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "image/digest.h"
#include "image/minisign.h"
#include "image/tar.h"

namespace beaconry {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kManifest =
    "name: tester\nversion: \"1.0\"\nprograms: [/usr/bin/env]\nfiles: {/etc/more.conf: more}\n";

constexpr const char* kMetadata =
    "architecture: x86_64\ncreation_date: 1\nproperties:\n  name: \"a\"\n  version: \"1\"\n"
    "  description: \"a 1\"\n  os: beaconry\n";

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class Image : public testing::Test {
 protected:
  Image() {
    char name[] = "/tmp/bcimgXXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~Image() override { fs::remove_all(folder_); }
  void SetUp() override {
    if (!fs::exists("/bin/busybox")) GTEST_SKIP() << "busybox-static is not installed";
  }

  std::string path(const std::string& name) const { return folder_ + '/' + name; }
  void write(const std::string& name, const std::string& text, unsigned mode = 0644) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
    fs::permissions(path(name), static_cast<fs::perms>(mode));
  }
  // A source folder of that name with a shell script as its program.
  BuildOptions source(const std::string& name, const std::string& manifest = kManifest) const {
    write(name + "/manifest.yaml", manifest);
    write(name + "/run", "#!/bin/sh\nexec sleep 1000\n", 0755);
    write(name + "/more", "more");
    write(name + "/files/opt/tool/data", "data");
    BuildOptions options;
    options.source_folder = path(name);
    options.output_folder = path(name + "-out");
    return options;
  }
  std::set<std::string> paths_of(const std::string& file) const {
    auto reader = TarReader::open(file, {});
    std::set<std::string> paths;
    while (reader) {
      const auto entry = reader->next();
      EXPECT_TRUE(entry) << entry.error().message();
      if (!entry || !*entry) break;
      paths.insert((*entry)->path);
    }
    return paths;
  }

  std::string folder_;
};

TEST_F(Image, TheSameInputGivesTheSameBytesAnywhereAndAtAnyTime) {
  const auto first = build_image(source("one"));
  ASSERT_TRUE(first) << first.error().message();
  BuildOptions options = source("elsewhere/and-later");
  for (const auto& each : fs::recursive_directory_iterator(path("elsewhere")))
    fs::last_write_time(each, fs::file_time_type::clock::now() - std::chrono::hours(1000));
  write("elsewhere/and-later/run", "#!/bin/sh\nexec sleep 1000\n", 0700);
  const auto second = build_image(options);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(first->fingerprint, second->fingerprint);
  EXPECT_EQ(read_file(first->file), read_file(second->file));
  EXPECT_EQ(read_file(first->sbom), read_file(second->sbom));
  EXPECT_EQ(first->bytes, fs::file_size(first->file));
  EXPECT_EQ(first->fingerprint, sha256_of(read_file(first->file)));
  EXPECT_LT(first->bytes, 10U << 20);
}

TEST_F(Image, ItHoldsWhatTheManifestNamesWithTheLibraries) {
  const auto built = build_image(source("one"));
  ASSERT_TRUE(built) << built.error().message();
  EXPECT_EQ(fs::path(built->file).filename(), "tester_1.0.instrument");
  const auto paths = paths_of(built->file);
  for (const char* each : {"metadata.yaml",
                           "rootfs/instrument/manifest.yaml",
                           "rootfs/instrument/sbom.spdx.json",
                           "rootfs/instrument/run",
                           "rootfs/sbin/init",
                           "rootfs/bin/busybox",
                           "rootfs/bin/sh",
                           "rootfs/usr/bin/env",
                           "rootfs/etc/more.conf",
                           "rootfs/opt/tool/data",
                           "rootfs/etc/passwd",
                           "rootfs/etc/resolv.conf",
                           "rootfs/proc",
                           "rootfs/sys",
                           "rootfs/dev",
                           "rootfs/run/bus",
                           "rootfs/run/instrument",
                           "rootfs/run/uplink",
                           "rootfs/tmp",
                           "rootfs/persistent-data",
                           "rootfs/transient-data",
                           "rootfs/resources",
                           "rootfs/root"})
    EXPECT_THAT(paths, Contains(each));
  EXPECT_THAT(paths, Contains(HasSubstr("/libc.so.6")));
  EXPECT_THAT(paths, Contains(HasSubstr("/ld-linux")));
}

TEST_F(Image, ThePackedProgramsRunInTheirRoot) {
  const auto built = build_image(source("one"));
  ASSERT_TRUE(built) << built.error().message();
  const std::string root = path("root");
  fs::create_directory(root);
  ASSERT_EQ(std::system(("tar -xzf " + built->file + " -C " + root).c_str()), 0);
  if (::geteuid() != 0) GTEST_SKIP() << "changing the root needs root";
  EXPECT_EQ(std::system(("chroot " + root + "/rootfs /usr/bin/env true").c_str()), 0);
  EXPECT_EQ(std::system(("chroot " + root + "/rootfs /bin/sh -n /sbin/init").c_str()), 0);
}

TEST_F(Image, InitRunsTheCommandHandsOnTheSignalAndEndsAsItEnds) {
  if (::geteuid() != 0) GTEST_SKIP() << "changing the root needs root";
  BuildOptions options =
      source("one", "name: tester\nversion: 1\ncommand: [run, \"it's\", '$x']\n");
  write("one/run",
        "#!/bin/sh\necho \"$1 $2\"\n(sleep 0.01 &)\ntrap 'echo told; exit 7' TERM\n"
        "echo ready\nwhile :; do sleep 0.05; done\n",
        0755);
  const auto built = build_image(options);
  ASSERT_TRUE(built) << built.error().message();
  fs::create_directory(path("root"));
  ASSERT_EQ(std::system(("tar -xzf " + built->file + " -C " + path("root")).c_str()), 0);
  write("root/rootfs/dev/null", "");  // the runtime's /dev, as far as a shell needs it
  for (const int signal : {SIGTERM, SIGPWR}) {
    const std::string out = path("out" + std::to_string(signal));
    const pid_t child = ::fork();
    if (child == 0) {
      const int file = ::open(out.c_str(), O_WRONLY | O_CREAT, 0600);
      const bool ready = file >= 0 && ::dup2(file, 1) == 1 &&
                         ::chroot(path("root/rootfs").c_str()) == 0 && ::chdir("/") == 0;
      if (ready) ::execl("/sbin/init", "init", nullptr);
      ::_exit(99);
    }
    ASSERT_GT(child, 0);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (read_file(out).find("ready") == std::string::npos &&
           std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::kill(child, signal);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << status;
    const std::string said = read_file(out);
    EXPECT_THAT(said, HasSubstr("it's $x\n"));
    EXPECT_THAT(said, HasSubstr("told"));
    EXPECT_THAT(said, HasSubstr("instrument: ended with status 7"));
  }
}

TEST_F(Image, InspectingTellsManifestFingerprintAndWhoSigned) {
  const auto pair = make_key_pair("ours");
  write("keys/ours.pub", pair.public_text);
  write("ours.key", pair.secret_text, 0600);
  BuildOptions options = source("one");
  options.signing_key = path("ours.key");
  const auto built = build_image(options);
  ASSERT_TRUE(built) << built.error().message();
  const auto info = inspect_image(built->file, path("keys"));
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->manifest.name, "tester");
  EXPECT_EQ(info->fingerprint, built->fingerprint);
  EXPECT_EQ(info->bytes, built->bytes);
  EXPECT_GT(info->unpacked_bytes, info->bytes);
  EXPECT_EQ(info->signed_by, parse_public_key(pair.public_text, "")->id);
  EXPECT_EQ(info->signature_fault, "");

  const auto no_keys = inspect_image(built->file, path("none"));
  ASSERT_TRUE(no_keys);
  EXPECT_EQ(no_keys->signed_by, "");
  EXPECT_THAT(no_keys->signature_fault, HasSubstr("none"));
  options.signing_key.clear();
  const auto unsigned_one = build_image(options);
  ASSERT_TRUE(unsigned_one);
  const auto not_signed = inspect_image(unsigned_one->file, path("keys"));
  ASSERT_TRUE(not_signed);
  EXPECT_EQ(not_signed->signature_fault, "it is not signed: there is no .minisig beside it");
}

TEST_F(Image, OtherArchivesAreRefused) {
  const auto image = [&](const std::vector<std::pair<std::string, std::string>>& files,
                         TarEntry::Kind kind = TarEntry::Kind::file) {
    TarWriter writer;
    for (const auto& [name, content] : files) {
      TarEntry entry;
      entry.path = name;
      entry.kind = kind;
      writer.add(entry, content);
    }
    write("x.instrument", writer.finish());
    const auto info = inspect_image(path("x.instrument"), path("keys"));
    return info ? std::string() : info.error().message();
  };
  const std::string manifest = "name: a\nversion: 1\n", metadata = kMetadata;
  const auto with_metadata = [&](const std::string& text) {
    return image({{"metadata.yaml", text},
                  {"rootfs/instrument/manifest.yaml", manifest},
                  {"rootfs/sbin/init", ""}});
  };
  EXPECT_EQ(with_metadata(metadata), "");
  EXPECT_THAT(image({{"metadata.yaml", metadata}, {"rootfs/sbin/init", ""}}),
              HasSubstr("manifest.yaml"));
  // Of which a reader of YAML makes templates, at once or by its own idea of a line's end.
  const std::string templates = "templates: {/etc/x: {}}\n";
  for (const std::string& text :
       {metadata + templates, templates + metadata, metadata + '#' + templates,
        "#\r" + templates + metadata, metadata + "#\r" + templates,
        metadata + "#\xc2\x85" + templates, metadata + "#\xe2\x80\xa8" + templates,
        metadata + "---\n" + templates, metadata + '\n', metadata + metadata, metadata.substr(1),
        metadata.substr(0, metadata.size() - 1), std::string("architecture: x86_64\n")})
    EXPECT_THAT(with_metadata(text), HasSubstr("its metadata.yaml is not as")) << text;
  for (const char* bad : {"a\rtemplates: 1", "a\"\ntemplates: \"", "a\\", "&a", "*a", "a: b"}) {
    std::string text = metadata;
    text.replace(text.find("\"a\"") + 1, 1, bad);
    EXPECT_THAT(with_metadata(text), HasSubstr("its metadata.yaml is not as")) << bad;
  }
  EXPECT_THAT(image({{"templates/x", ""}}), HasSubstr("belongs neither"));
  EXPECT_THAT(image({{"metadata.yaml", metadata},
                     {"rootfs/instrument/manifest.yaml", "name: A\n"},
                     {"rootfs/sbin/init", ""}}),
              HasSubstr("manifest.yaml line 1"));
}

TEST_F(Image, WhatLxdWouldReadOtherwiseIsRefused) {
  for (const char* name : {"rootfs/instrument/manifest.yaml", "rootfs/sbin/init"})
    write("r/" + std::string(name), "name: a\nversion: 1\n");
  write("r/metadata.yaml", kMetadata);
  const auto error_of = [&](const std::string& tar) {
    EXPECT_EQ(std::system(("cd " + path("r") + " && tar " + tar).c_str()), 0);
    const auto info = inspect_image(path("x"), path("keys"));
    return info ? std::string() : info.error().message();
  };
  EXPECT_EQ(error_of("-czf ../x metadata.yaml rootfs"), "");
  EXPECT_EQ(error_of("--format=pax -czf ../x metadata.yaml rootfs"), "");
  EXPECT_THAT(error_of("-cf ../x metadata.yaml rootfs"), HasSubstr("not packed by gzip"));
  fs::create_hard_link(path("r/metadata.yaml"), path("r/rootfs/second"));
  EXPECT_THAT(error_of("-czf ../x metadata.yaml rootfs"), HasSubstr("hard link"));
}

TEST_F(Image, TheBillOfMaterialsNamesEveryFileAndItsPackage) {
  const auto built = build_image(source("one"));
  ASSERT_TRUE(built) << built.error().message();
  const auto sbom = nlohmann::json::parse(read_file(built->sbom));
  EXPECT_EQ(sbom["spdxVersion"], "SPDX-2.3");
  std::map<std::string, std::string> digests;
  for (const auto& file : sbom["files"])
    digests[file["fileName"]] = file["checksums"][1]["checksumValue"];
  EXPECT_EQ(digests.at("./opt/tool/data"), sha256_of("data"));
  EXPECT_EQ(digests.at("./instrument/manifest.yaml"), sha256_of(kManifest));
  std::set<std::string> inside;
  for (const std::string& each : paths_of(built->file))
    inside.insert("." + each.substr(std::min<std::size_t>(each.size(), 6)));
  for (const auto& [name, digest] : digests)
    EXPECT_THAT(inside, Contains(name));
  if (!fs::exists("/usr/bin/dpkg-query")) GTEST_SKIP() << "no dpkg";
  std::map<std::string, std::string> packages;
  for (const auto& package : sbom["packages"])
    packages[package["name"]] = package["versionInfo"];
  EXPECT_EQ(packages.at("tester"), "1.0");
  EXPECT_NE(packages.at("libc6"), "");
  EXPECT_NE(packages.at("coreutils"), "");
  EXPECT_THAT(read_file(built->sbom), Not(HasSubstr(folder_)));
}

TEST_F(Image, ErrorsOfABuildSayWhatToDo) {
  const auto error_of = [&](const BuildOptions& options) {
    const auto built = build_image(options);
    return built ? std::string() : built.error().message();
  };
  BuildOptions options = source("a");
  fs::remove(path("a/run"));
  EXPECT_THAT(error_of(options), HasSubstr("put run beside manifest.yaml"));
  write("a/run", "#!/bin/sh\n", 0644);
  EXPECT_THAT(error_of(options), HasSubstr("chmod +x"));
  write("a/run", "#!/usr/bin/python9\n", 0755);
  EXPECT_THAT(error_of(options), HasSubstr("/usr/bin/python9, which the image lacks"));
  write("a/run", "#!/usr/bin/env python9\n", 0755);
  EXPECT_THAT(error_of(options), HasSubstr("run by python9"));
  write("a/run", "#!/bin/sh\n", 0755);
  write("a/files/sbin/init", "mine");
  EXPECT_THAT(error_of(options), HasSubstr("/sbin/init"));
  options = source("b", "name: b\nversion: 1\nprograms: [/usr/bin/not-there]\n");
  EXPECT_THAT(error_of(options), HasSubstr("/usr/bin/not-there"));
  options = source("c", "name: c\nversion: 1\npackages: [not-there-at-all]\n");
  EXPECT_THAT(error_of(options), HasSubstr("not-there-at-all"));
  options = source("d");
  options.busybox = "/usr/bin/env";
  EXPECT_THAT(error_of(options), HasSubstr("no static program"));
  options = source("e");
  options.extra = {"nothing"};
  EXPECT_THAT(error_of(options), HasSubstr("write HOST:PATH"));
}

TEST_F(Image, AGivenBaseIsTakenWithTheSameAdditions) {
  // In the shape of Alpine's minirootfs: "./" before names, links for all of busybox.
  fs::create_directories(path("base/bin"));
  fs::create_directories(path("base/sbin"));
  fs::create_directories(path("base/lib/apk/db"));
  fs::create_directories(path("base/dev"));
  fs::copy_file("/bin/busybox", path("base/bin/busybox"));
  fs::create_symlink("/bin/busybox", path("base/bin/sh"));
  fs::create_symlink("/bin/busybox", path("base/sbin/init"));
  write("base/lib/apk/db/installed", "P:musl\nV:1.2.4-r2\n\nP:busybox\nV:1.36.1-r5\n\n");
  write("base/etc/passwd", "root:x:0:0:alpine:/root:/bin/sh\n");
  ASSERT_EQ(std::system(("tar -C " + path("base") + " -czf " + path("base.tar.gz") + " .").c_str()),
            0);
  BuildOptions options = source("one");
  options.base = path("base.tar.gz");
  const auto built = build_image(options);
  ASSERT_TRUE(built) << built.error().message();
  const auto info = inspect_image(built->file, path("keys"));
  ASSERT_TRUE(info) << info.error().message();
  const auto sbom = nlohmann::json::parse(read_file(built->sbom));
  std::set<std::string> packages;
  for (const auto& package : sbom["packages"])
    packages.insert(package["name"]);
  EXPECT_THAT(packages, Contains("musl"));
  std::map<std::string, std::string> digests;
  for (const auto& file : sbom["files"])
    digests[file["fileName"]] = file["checksums"][1]["checksumValue"];
  EXPECT_EQ(digests.at("./etc/passwd"), sha256_of(read_file(path("base/etc/passwd"))));
  EXPECT_NE(digests.at("./sbin/init"), digests.at("./bin/busybox"));
}

TEST_F(Image, TheSkeletonsAreWholeManifestsAndThePythonOneBuildsAsItIs) {
  ASSERT_TRUE(write_skeleton("fresh", "c++", path("fresh")));
  const auto manifest = Manifest::parse(read_file(path("fresh/manifest.yaml")), "manifest.yaml");
  ASSERT_TRUE(manifest) << manifest.error().message();
  EXPECT_EQ(manifest->name, "fresh");
  EXPECT_THAT(read_file(path("fresh/CMakeLists.txt")), HasSubstr("beaconry_instrument(fresh "));
  EXPECT_EQ(std::system(("sh -n " + path("fresh/build")).c_str()), 0);
  EXPECT_FALSE(write_skeleton("fresh", "c++", path("fresh")));  // is somebody's
  EXPECT_FALSE(write_skeleton("Fresh", "c++", path("other")));
  EXPECT_FALSE(write_skeleton("a\nb: c", "c++", path("other")));
  ASSERT_TRUE(write_skeleton("snake", "python", path("snake")));
  if (!fs::exists("/usr/lib/python3/dist-packages/paho"))
    GTEST_SKIP() << "python3-paho-mqtt is not installed";
  BuildOptions options;
  options.source_folder = path("snake");
  options.output_folder = path("out");
  const auto built = build_image(options);
  ASSERT_TRUE(built) << built.error().message();
  EXPECT_LT(built->bytes, 20U << 20);
  const auto paths = paths_of(built->file);
  EXPECT_THAT(paths, Contains("rootfs/instrument/instrument.py"));
  EXPECT_THAT(paths, Not(Contains("rootfs/instrument/build")));
  EXPECT_THAT(paths, Not(Contains(HasSubstr("__pycache__"))));
}

}  // namespace
}  // namespace beaconry
