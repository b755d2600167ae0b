#include "image/tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

namespace beaconry {
namespace {

using testing::HasSubstr;

TarReader reader_of(std::string bytes, const TarLimits& limits = {}) {
  auto rest = std::make_shared<std::pair<std::string, std::size_t>>(std::move(bytes), 0);
  return TarReader(
      [rest](char* to, std::size_t size) -> Result<std::size_t> {
        const std::size_t part =
            std::min({size, rest->first.size() - rest->second, std::size_t{7'000}});
        rest->first.copy(to, part, rest->second);
        rest->second += part;
        return part;
      },
      "test.tar", limits);
}

// Path to content, or the error's words.
struct Read {
  std::map<std::string, std::string> files;
  std::string error;
};
Read read_all(TarReader reader) {
  Read read;
  for (;;) {
    const auto entry = reader.next();
    if (!entry) {
      read.error = entry.error().message();
      return read;
    }
    if (!*entry) return read;
    std::string& text = read.files[(*entry)->path];
    if ((*entry)->kind == TarEntry::Kind::file) {
      const auto content = reader.content(1 << 20);
      if (!content) {
        read.error = content.error().message();
        return read;
      }
      text = *content;
    } else {
      text = (*entry)->target;
    }
  }
}

TarEntry entry(const std::string& path, TarEntry::Kind kind = TarEntry::Kind::file,
               const std::string& target = "") {
  TarEntry result;
  result.path = path;
  result.kind = kind;
  result.target = target;
  return result;
}

RC_GTEST_PROP(Tar, WhatIsWrittenIsRead, ()) {
  const auto names = *rc::gen::container<std::vector<std::string>>(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'd'))));
  const int repeat = *rc::gen::inRange(1, 90);
  std::map<std::string, std::string> files;
  TarWriter writer;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string path = "top" + std::to_string(i);
    for (int n = 0; n < repeat; ++n)
      path += (i % 2 == 0 ? "/" : "x") + names[i].substr(0, 20);
    const std::string content = *rc::gen::arbitrary<std::string>();
    files[path] = content;
    writer.add(entry(path), content);
  }
  const Read read = read_all(reader_of(writer.finish()));
  RC_ASSERT(read.error.empty());
  RC_ASSERT(read.files == files);
}

TEST(Tar, TheProgramReadsWhatWeWriteAndWeWhatItWrites) {
  char name[] = "/tmp/bctarXXXXXX";
  const std::string folder = ::mkdtemp(name);
  const std::string long_path = "deep/" + std::string(120, 'p') + '/' + std::string(120, 'q');
  TarWriter writer;
  writer.add(entry("deep", TarEntry::Kind::folder), "");
  writer.add(entry(long_path), "long");
  writer.add(entry("link", TarEntry::Kind::link, "/" + std::string(150, 't')), "");
  writer.add(entry("plain"), std::string(1000, 'z'));
  std::ofstream(folder + "/a.tar.gz", std::ios::binary) << writer.finish();
  const std::string script =
      "cd " + folder +
      " && mkdir out && tar -xzf a.tar.gz -C out 2>err && "
      "test ! -s err && [ \"$(cat out/deep/p*/q*)\" = long ] && "
      "[ \"$(readlink out/link | wc -c)\" = 152 ] && ln out/plain out/zhard && ";
  EXPECT_EQ(std::system((script + "tar -C out --format=gnu -czf gnu.tar.gz .").c_str()), 0);
  EXPECT_EQ(std::system(("cd " + folder + " && tar -C out --format=pax -cf pax.tar .").c_str()), 0);
  for (const char* file : {"/gnu.tar.gz", "/pax.tar"}) {
    auto reader = TarReader::open(folder + file, {});
    ASSERT_TRUE(reader);
    const Read read = read_all(std::move(*reader));
    EXPECT_EQ(read.error, "") << file;
    EXPECT_EQ(read.files.at(long_path), "long") << file;
    EXPECT_EQ(read.files.at("link").size(), 151U) << file;
  }
  std::filesystem::remove_all(folder);
}

TEST(Tar, PathsThatLeadElsewhereAreRefused) {
  const auto error_of = [](const std::vector<TarEntry>& entries) {
    TarWriter writer;
    for (const TarEntry& each : entries)
      writer.add(each, "");
    return read_all(reader_of(writer.finish())).error;
  };
  EXPECT_THAT(error_of({entry("/etc/passwd")}), HasSubstr("leads out"));
  EXPECT_THAT(error_of({entry("a/../../etc")}), HasSubstr("leads out"));
  EXPECT_THAT(error_of({entry("a"), entry("./a")}), HasSubstr("twice"));
  EXPECT_THAT(error_of({entry("a", TarEntry::Kind::link, "/etc"), entry("a/passwd")}),
              HasSubstr("behind a link"));
  EXPECT_THAT(error_of({entry("a/passwd"), entry("a", TarEntry::Kind::link, "/etc")}),
              HasSubstr("files below it"));
  EXPECT_EQ(error_of({entry("./a//b/")}), "");
}

TEST(Tar, EverythingHasABound) {
  TarWriter writer;
  for (int i = 0; i < 10; ++i)
    writer.add(entry("f" + std::to_string(i)), std::string(100'000, '0'));
  const std::string bytes = writer.finish();
  EXPECT_THAT(read_all(reader_of(bytes, {100, 4 << 20, 100})).error, HasSubstr("packed longer"));
  EXPECT_THAT(read_all(reader_of(bytes, {1 << 20, 500'000, 100})).error,
              HasSubstr("unpacked longer"));
  EXPECT_THAT(read_all(reader_of(bytes, {1 << 20, 4 << 20, 9})).error,
              HasSubstr("more than 9 entries"));
  EXPECT_EQ(read_all(reader_of(bytes, {1 << 20, 4 << 20, 10})).error, "");
}

TEST(Tar, DamagedOrAmbiguousArchivesAreRefused) {
  TarWriter writer;
  writer.add(entry("file"), "content");
  const std::string bytes = writer.finish();
  EXPECT_THAT(read_all(reader_of("")).error, HasSubstr("empty"));
  EXPECT_THAT(read_all(reader_of("something else")).error, HasSubstr("cut off"));
  EXPECT_THAT(read_all(reader_of(std::string(2048, 'x'))).error, HasSubstr("no tar archive"));
  EXPECT_THAT(read_all(reader_of(bytes + bytes)).error, HasSubstr("behind its gzip stream"));
  for (std::size_t cut = 1; cut < bytes.size(); ++cut)
    EXPECT_NE(read_all(reader_of(bytes.substr(0, cut))).error, "") << cut;
}

}  // namespace
}  // namespace beaconry
