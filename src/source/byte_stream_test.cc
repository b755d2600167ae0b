#include "source/byte_stream.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "source/test_support.h"

namespace beaconry {
namespace {

struct Drained {
  std::string bytes;
  std::string error;
};

Drained drain(ByteStream& stream, std::size_t step = 1000) {
  Drained all;
  std::string block(step, '\0');
  for (;;) {
    const auto got = stream.read(block);
    if (!got) {
      all.error = got.error().message();
      return all;
    }
    if (*got == 0) return all;
    all.bytes.append(block, 0, *got);
  }
}

Drained drain_file(const TestFolder& folder, std::string_view stored, std::size_t step = 1000) {
  const auto stream = read_ahead(decompress(open_stored(folder.write("in", stored), nullptr)));
  return drain(*stream, step);
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 200'000; ++i)
    text += std::to_string(i * 7919 % 100'003) + '\n';
  return text;
}

TEST(ByteStream, UndoesGzipAndZstdWithAllTheirPartsAndLeavesTheRestAlone) {
  const TestFolder folder;
  const std::string text = long_text();
  const std::string cases[] = {text,
                               gzip(text),
                               gzip(text.substr(0, 999)) + gzip(text.substr(999)),
                               gzip(text) + std::string(512, '\0'),
                               zstd(text),
                               zstd(text.substr(0, 999)) + zstd(text.substr(999))};
  for (const auto& stored : cases) {
    for (const std::size_t step : {std::size_t{1} << 20, std::size_t{4096}, std::size_t{333}}) {
      const auto got = drain_file(folder, stored, step);
      EXPECT_EQ(got.error, "");
      EXPECT_TRUE(got.bytes == text);
    }
  }
}

TEST(ByteStream, GivesWhatCameBeforeATruncation) {
  const TestFolder folder;
  const std::string text = long_text();
  for (const auto& stored : {gzip(text), zstd(text)}) {
    const auto got = drain_file(folder, std::string_view(stored).substr(0, stored.size() / 2));
    EXPECT_GT(got.bytes.size(), 1000U);
    EXPECT_TRUE(text.starts_with(got.bytes));
    EXPECT_NE(got.error.find("truncated at byte " + std::to_string(stored.size() / 2)),
              std::string::npos)
        << got.error;
  }
}

TEST(ByteStream, CutOffAnywhereIsAnErrorOrNothing) {
  const TestFolder folder;
  const std::string text = "a few bytes, a few bytes";
  for (const auto& stored : {gzip(text), zstd(text)}) {
    for (std::size_t cut = 5; cut < stored.size(); ++cut) {
      const auto got = drain_file(folder, std::string_view(stored).substr(0, cut));
      EXPECT_NE(got.error, "") << cut;
      EXPECT_TRUE(text.starts_with(got.bytes)) << cut;
    }
  }
}

TEST(ByteStream, TellsCorruption) {
  const TestFolder folder;
  std::string stored = gzip(long_text());
  stored[stored.size() - 6] = static_cast<char>(stored[stored.size() - 6] ^ 1);  // CRC-32
  EXPECT_NE(drain_file(folder, stored).error.find("corrupt"), std::string::npos);
  stored = gzip(long_text());
  stored.back() = static_cast<char>(stored.back() ^ 1);  // size
  EXPECT_NE(drain_file(folder, stored).error.find("size is wrong"), std::string::npos);
  stored = gzip(long_text());
  stored[stored.size() / 2] = static_cast<char>(stored[stored.size() / 2] ^ 0x55);
  EXPECT_NE(drain_file(folder, stored).error.find("corrupt"), std::string::npos);
  EXPECT_NE(drain_file(folder, gzip("x") + "garbage").error.find("not gzip"), std::string::npos);
}

TEST(ByteStream, NamesWhatItCannotOpen) {
  const auto stream = open_stored("/nowhere/conn.log", nullptr);
  EXPECT_NE(drain(*stream).error.find("/nowhere/conn.log"), std::string::npos);
}

TEST(ByteStream, CountsStoredBytes) {
  const TestFolder folder;
  const std::string stored = gzip(long_text());
  ReadReport report;
  const auto stream = decompress(open_stored(folder.write("in", stored), &report));
  drain(*stream);
  EXPECT_EQ(report.bytes(), stored.size());
}

TEST(ByteStream, APrefixComesFirst) {
  const TestFolder folder;
  const auto stream = join_prefix("sniffed ", open_stored(folder.write("in", "rest"), nullptr));
  EXPECT_EQ(drain(*stream, 3).bytes, "sniffed rest");
}

}  // namespace
}  // namespace beaconry
