#include "source/inputs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "source/test_support.h"

namespace beaconry {
namespace {

const std::string kConn =
    "#separator \\x09\n#path\tconn\n#fields\tts\tid.orig_h\tid.resp_h\tid.resp_p\tproto\n"
    "1.0\t10.0.0.5\t10.0.0.6\t80\ttcp\n";
const std::string kX509 = "#separator \\x09\n#path\tx509\n#fields\tts\tid\n1.0\tF\n";

std::vector<Input> find(std::vector<std::string> paths, ReadReport& report) {
  return find_inputs(paths, report);
}

TEST(Sniff, TellsFormatsByContent) {
  using F = InputFormat;
  const std::pair<std::string, F> cases[] = {
      {"", F::empty},
      {"hello", F::unknown},
      {"# a comment", F::unknown},
      {"{\"a\":1}", F::unknown},
      {"{", F::unknown},
      {"\xd4\xc3\xb2\xa1....", F::capture},
      {"\xa1\xb2\x3c\x4d....", F::capture},
      {"\x0a\x0d\x0d\x0a....", F::capture},
      {kConn, F::zeek_tsv},
      {"\xef\xbb\xbf#fields\tts\n", F::zeek_tsv},
      {R"({"ts":1.0,"uid":"C","id.orig_h":"10.0.0.1"})", F::zeek_json},
      {R"({"timestamp":"2026-11-20T08:00:00Z","event_type":"flow"})", F::eve},
      {"\n{\"event_type\":\"stats\"}\n", F::eve},
  };
  for (const auto& [text, format] : cases)
    EXPECT_EQ(sniff(text, "x.log").format, format) << text;
}

TEST(Sniff, TellsTheKindOfJsonByKeysThenByName) {
  EXPECT_TRUE(sniff(R"({"ts":1.0,"uid":"C","conn_state":"SF"})", "x").has_flows);
  EXPECT_TRUE(sniff(R"({"ts":1.0,"uid":"C","server_name":"a.b"})", "x").has_names);
  EXPECT_TRUE(sniff(R"({"ts":1.0,"uid":"C"})", "/logs/conn.00-01.log").has_flows);
  const auto other = sniff(R"({"ts":1.0,"uid":"C"})", "/logs/kerberos.log");
  EXPECT_FALSE(other.has_flows || other.has_names);
}

TEST(Inputs, WalksFoldersSortedWithoutHiddenFilesAndLoops) {
  const TestFolder folder;
  folder.write("b/conn.log", kConn);
  folder.write("a/conn.log", gzip(kConn));
  folder.write(".hidden/conn.log", kConn);
  folder.write("notes.txt", "text");
  folder.write("nothing", "");
  folder.write("x509.log", kX509);
  std::filesystem::create_directory_symlink(folder.path(), folder.path() + "/a/loop");
  ReadReport report;
  const auto inputs = find({folder.path()}, report);
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_TRUE(inputs[0].path.ends_with("/a/conn.log"));
  EXPECT_FALSE(inputs[0].plain);
  EXPECT_TRUE(inputs[1].path.ends_with("/b/conn.log"));
  EXPECT_TRUE(inputs[1].plain);
  EXPECT_EQ(report.refused(), 2U);  // notes.txt and the empty file
  EXPECT_TRUE(report.failed_inputs().empty());
}

TEST(Inputs, AFileGivenTwiceIsReadOnceAndSaidSo) {
  const TestFolder folder;
  const auto file = folder.write("conn.log", kConn);
  std::filesystem::create_hard_link(file, folder.path() + "/same.log");
  Kept kept;
  read_paths({file, folder.path()}, kept);
  EXPECT_EQ(kept.events.size(), 1U);
  EXPECT_EQ(kept.report.refused(), 2U);
}

TEST(Inputs, WhatIsNamedAndUselessHasFailed) {
  const TestFolder folder;
  Kept kept;
  read_paths({folder.write("a.txt", "text"), folder.write("b", ""), folder.path() + "/gone",
              folder.write("x509.log", kX509)},
             kept);
  const auto failed = kept.report.failed_inputs();
  ASSERT_EQ(failed.size(), 4U);
  EXPECT_EQ(failed[0].second, "not a capture or a known log");
  EXPECT_EQ(failed[1].second, "empty file");
  EXPECT_NE(failed[2].second.find("No such file"), std::string::npos);
  EXPECT_NE(failed[3].second.find("x509"), std::string::npos);
  EXPECT_EQ(kept.report.inputs_read(), 0U);
}

TEST(Inputs, AFifoIsReadFromItsFirstByte) {
  const TestFolder folder;
  for (const auto& stored : {kConn, gzip(kConn)}) {
    const std::string fifo = folder.path() + "/fifo";
    std::filesystem::remove(fifo);
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    std::thread writer([&] { std::ofstream(fifo, std::ios::binary) << stored; });
    Kept kept;
    read_paths({fifo}, kept);
    writer.join();
    EXPECT_EQ(kept.events.size(), 1U);
    EXPECT_EQ(kept.report.refused(), 0U);
  }
}

TEST(Inputs, ATruncatedGzipGivesItsLinesAndAnError) {
  const TestFolder folder;
  std::string text = kConn;
  for (int i = 0; i < 20'000; ++i)
    text += std::to_string(i * 7919) + ".0\t10.0.0.5\t10.0.0.6\t80\ttcp\n";
  const auto stored = gzip(text);
  Kept kept;
  read_paths({folder.write("conn.log.gz", std::string_view(stored).substr(0, stored.size() / 2))},
             kept);
  EXPECT_GT(kept.events.size(), 1000U);
  ASSERT_EQ(kept.report.failed_inputs().size(), 1U);
  EXPECT_NE(kept.report.failed_inputs()[0].second.find("truncated"), std::string::npos);
  EXPECT_EQ(kept.report.inputs_read(), 1U);
}

}  // namespace
}  // namespace beaconry
