#include "image/tar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
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

// One block, as any tool might write it.
std::string block(const std::string& path, char type, std::size_t bytes,
                  const std::string& magic = std::string("ustar\00000", 8)) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  char number[12];
  std::snprintf(number, sizeof number, "%011zo", bytes);
  put(0, path);
  put(100, "0000644");
  put(124, number);
  put(148, "        ");
  header[156] = type;
  put(257, magic);
  unsigned sum = 0;
  for (const char c : header)
    sum += static_cast<unsigned char>(c);
  std::snprintf(number, sizeof number, "%06o", sum);
  put(148, std::string(number) + '\0');
  return header;
}
std::string with_content(const std::string& path, char type, const std::string& content) {
  std::string text = block(path, type, content.size()) + content;
  text.resize((text.size() + 511) / 512 * 512, '\0');
  return text;
}
std::string pax(const std::string& key, const std::string& value) {
  const std::string rest = ' ' + key + '=' + value + '\n';
  for (std::size_t size = rest.size();; ++size) {
    const std::string record = std::to_string(size) + rest;
    if (record.size() == size) return record;
  }
}
std::string gnu_long(char type, const std::string& text) {
  return with_content("././@LongLink", type, text + '\0');
}
std::string pax_header(const std::string& records) {
  return with_content("pax", 'x', records);
}
const std::string kEnd(1024, '\0');

// The names that GNU tar, which LXD unpacks by, takes its entries for.
std::string names_by_program(const std::string& bytes) {
  char name[] = "/tmp/bctarXXXXXX";
  const std::string folder = ::mkdtemp(name);
  std::ofstream(folder + "/a.tar", std::ios::binary) << bytes;
  (void)std::system(("tar -tf " + folder + "/a.tar >" + folder + "/names 2>&1").c_str());
  std::string names(std::istreambuf_iterator<char>(std::ifstream(folder + "/names").rdbuf()), {});
  std::filesystem::remove_all(folder);
  return names;
}

TEST(Tar, OneNameByALongEntryOrAPaxHeaderIsReadAsTheProgramReadsIt) {
  const std::string file = with_content("short", '0', "content");
  for (const std::string& bytes :
       {gnu_long('L', "other") + file + kEnd,
        pax_header(pax("path", "other") + pax("mtime", "1")) + file + kEnd,
        pax_header(pax("path", "other") + pax("size", "7")) + file + kEnd}) {
    EXPECT_EQ(names_by_program(bytes), "other\n");
    const Read read = read_all(reader_of(bytes));
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(read.files, (std::map<std::string, std::string>{{"other", "content"}}));
  }
  const std::string link = block("link", '2', 0);
  EXPECT_EQ(read_all(reader_of(gnu_long('K', "to") + gnu_long('L', "from") + link + kEnd)).files,
            (std::map<std::string, std::string>{{"from", "to"}}));
}

TEST(Tar, AnEntryWithTwoNamesIsRefused) {
  const std::string file = with_content("short", '0', "content"), link = block("link", '2', 0);
  const std::string bad = "metadata.yaml", good = "rootfs/harmless";
  // Of the first, the program takes the other name than whoever lets the later one win.
  const std::string attack = pax_header(pax("path", bad)) + gnu_long('L', good) + file + kEnd;
  EXPECT_EQ(names_by_program(attack), bad + '\n');
  for (const std::string& bytes :
       {attack, gnu_long('L', good) + pax_header(pax("path", bad)) + file + kEnd,
        gnu_long('L', good) + gnu_long('L', bad) + file + kEnd,
        pax_header(pax("path", good)) + pax_header(pax("path", bad)) + file + kEnd,
        pax_header(pax("path", good)) + pax_header(pax("mtime", "1")) + file + kEnd,
        gnu_long('K', "a") + pax_header(pax("linkpath", "b")) + link + kEnd,
        pax_header(pax("linkpath", "a")) + gnu_long('K', "b") + link + kEnd,
        gnu_long('K', "a") + gnu_long('K', "b") + link + kEnd})
    EXPECT_THAT(read_all(reader_of(bytes)).error, HasSubstr("several headers"));
}

TEST(Tar, WhatReadersTakeDifferentlyIsRefused) {
  const std::string file = with_content("short", '0', "content");
  const auto error_of = [&](const std::string& before) {
    return read_all(reader_of(before + file + kEnd)).error;
  };
  EXPECT_THAT(error_of(pax_header(pax("path", "a") + pax("path", "b"))), HasSubstr("a key twice"));
  EXPECT_THAT(error_of(pax_header(pax("path", ""))), HasSubstr("empty"));
  EXPECT_THAT(error_of(pax_header(pax("path", std::string("a\0b", 3)))), HasSubstr("broken"));
  EXPECT_THAT(error_of(pax_header(pax("size", "512"))), HasSubstr("two sizes"));
  EXPECT_THAT(error_of(pax_header(pax("hdrcharset", "BINARY"))), HasSubstr("not supported"));
  EXPECT_THAT(error_of(with_content("metadata.yaml", 'g', pax("mtime", "1"))),
              HasSubstr("for all entries"));
  EXPECT_THAT(error_of(gnu_long('L', "")), HasSubstr("damaged"));
  EXPECT_THAT(error_of(gnu_long('L', std::string("a\0b", 3))), HasSubstr("damaged"));
  for (const std::string& magic :
       {std::string(8, '\0'), std::string("ustar\0  ", 8), std::string("ustar  1", 8)})
    EXPECT_THAT(read_all(reader_of(block("a", '0', 0, magic) + kEnd)).error,
                HasSubstr("neither POSIX's"));
  EXPECT_EQ(read_all(reader_of(block("a", '0', 0, std::string("ustar  \0", 8)) + kEnd)).error, "");
}

}  // namespace
}  // namespace beaconry
